# SPDX-License-Identifier: GPL-3.0-or-later
"""The latents' flow model apart from its weights: noise, batches, half precision, and invalid configurations."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.models.latent_flow import (
    LatentFlow,
    LatentFlowConfig,
    Normalization,
    latent_noise,
    latent_noise_by_place,
    sample_latents,
)
from backend.nn.sampler import Sampling
from backend.nn.sparse import Voxels
from tests.backend.models.objects import no_report, voxels_of

SAMPLING = Sampling(steps=3, guidance=2, interval=(0.4, 1))
NORMALIZATION = Normalization((1.0, 2.0, 3.0), (2.0, 0.5, 1.0))
ARGUMENTS: dict[str, Any] = {
    "resolution": 8,
    "in_channels": 3,
    "out_channels": 3,
    "model_channels": 12,
    "cond_channels": 6,
    "num_blocks": 2,
    "num_heads": 2,
    "mlp_ratio": 2,
    "patch_size": 4,
    "num_io_res_blocks": 2,
    "io_block_channels": [5, 7],
    "qk_rms_norm": True,
}


def small_flow(**changes: Any) -> LatentFlow:
    torch.manual_seed(5)
    flow = LatentFlow(LatentFlowConfig(**{**ARGUMENTS, **changes})).requires_grad_(requires_grad=False)
    for parameter in flow.parameters():
        parameter.data = (torch.randn(parameter.shape) * 0.3).to(parameter.dtype)
    return flow


def alone(voxels: Voxels, item: int) -> Voxels:
    coords = voxels.coords[voxels.items()[item]].clone()
    coords[:, 0] = 0
    return Voxels(coords, 1)


@pytest.mark.parametrize("changes", [{}, {"patch_size": 1, "io_block_channels": []}, {"use_skip_connection": False}])
def test_objects_sampled_together_are_the_same_as_alone(changes: dict[str, Any]) -> None:
    """An empty one among them."""
    flow = small_flow(**changes)
    tokens = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(1))
    voxels = voxels_of([60, 0, 1, 200])
    noise = latent_noise(flow.config, voxels, [torch.Generator().manual_seed(seed) for seed in range(4)])

    def sampled(voxels: Voxels, noise: torch.Tensor) -> torch.Tensor:
        return sample_latents(
            flow, tokens, voxels, noise, normalization=NORMALIZATION, report=no_report, sampling=SAMPLING
        )

    together = sampled(voxels, noise)
    for item, rows in enumerate(voxels.items()):
        torch.testing.assert_close(together[rows], sampled(alone(voxels, item), noise[rows]), rtol=1e-4, atol=1e-4)


def test_no_voxels_have_no_latents() -> None:
    flow = small_flow()
    contexts = flow.contexts(torch.zeros(1, 5, 6))
    for items in (None, 2):
        nothing = Voxels(torch.zeros(0, 4, dtype=torch.int32), items)
        assert flow(torch.zeros(0, 3), flow.time(torch.tensor([1.0])), contexts, nothing).shape == (0, 3)


def test_noise_continues_the_structures_generator() -> None:
    torch.manual_seed(42)
    torch.randn(1, 3, 4, 4, 4)
    theirs = torch.randn(30, 3)
    generator = torch.Generator().manual_seed(42)
    torch.randn(1, 3, 4, 4, 4, generator=generator)
    assert torch.equal(latent_noise(small_flow().config, voxels_of([30]), [generator]), theirs)


@settings(deadline=None, max_examples=30)
@given(kept=st.lists(st.booleans(), min_size=120, max_size=120), seed=st.integers(0, 2**31 - 1))
def test_noise_by_place_does_not_depend_on_other_voxels(kept: list[bool], seed: int) -> None:
    """Voxels that are added or dropped, in this item or the one before, do not change the noise at the others."""
    config, voxels = small_flow().config, voxels_of([50, 70])

    def noise(voxels: Voxels) -> torch.Tensor:
        generators = [torch.Generator().manual_seed(seed + item) for item in range(2)]
        return latent_noise_by_place(config, voxels, generators)

    rows = torch.tensor(kept)
    assert torch.equal(noise(Voxels(voxels.coords[rows], 2)), noise(voxels)[rows])


def test_noise_by_place_is_normal_and_differs_from_place_to_place() -> None:
    flow = small_flow()
    whole = voxels_of([512])
    noise = latent_noise_by_place(flow.config, whole, [torch.Generator().manual_seed(1)])
    assert noise.shape == (512, 3)
    assert len(noise.unique()) > 0.99 * noise.numel()
    assert abs(noise.mean().item()) < 0.1
    assert noise.std().item() == pytest.approx(1, abs=0.1)


def test_normalization_is_undone() -> None:
    assert NORMALIZATION.undone(torch.tensor([[1.0, 1.0, 1.0]])).tolist() == [[3.0, 2.5, 4.0]]


def test_half_precision_stays_near() -> None:
    flow = small_flow()
    voxels, tokens = voxels_of([150]), torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(1))
    x = torch.randn(150, 3, generator=torch.Generator().manual_seed(2))
    full = flow(x, flow.time(torch.tensor([500.0])), flow.contexts(tokens), voxels)
    flow.compute_in(torch.float16)
    assert flow.state_dict()["input_blocks.0.conv1.conv.weight"].dtype == torch.float16
    assert flow.state_dict()["out_blocks.0.norm1.weight"].dtype == torch.float32
    half = flow(x, flow.time(torch.tensor([500.0])), flow.contexts(tokens), voxels)
    assert half.dtype == torch.float32
    assert (half - full).abs().max() < 0.02 * full.abs().max()


def test_non_finite_numbers_are_an_error() -> None:
    flow = small_flow()
    flow.out_layer.bias.fill_(torch.nan)
    voxels, tokens = voxels_of([9]), torch.zeros(1, 5, 6)
    with pytest.raises(UserError) as caught:
        sample_latents(
            flow, tokens, voxels, torch.zeros(9, 3), normalization=NORMALIZATION, report=no_report, sampling=SAMPLING
        )
    assert caught.value.code == "numbers-overflow"


@pytest.mark.parametrize("changes", [{"pe_mode": "rope"}, {"patch_size": 2}, {"num_io_res_blocks": 0}])
def test_an_unknown_kind_of_network_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes)).replace("patch_size", "cells of 2")):
        LatentFlowConfig(**{**ARGUMENTS, **changes})
