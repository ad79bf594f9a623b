# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure's flow model apart from its weights: patches, noise, batches, and sampling."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.errors import UserError
from backend.models.structure_flow import (
    StructureFlow,
    StructureFlowConfig,
    from_patches,
    sample_structure,
    structure_noise,
    to_patches,
)
from backend.nn.checkpoint import load_network
from backend.nn.sampler import Sampling, time_grid

SAMPLING = Sampling(steps=4, guidance=2.0, interval=(0.4, 1.0), rescale_t=2.0)


def no_report(step: int, of: int) -> None:
    """Ignores the progress."""


def small_flow(patch_size: int = 1) -> StructureFlow:
    torch.manual_seed(5)
    config = StructureFlowConfig(4, 3, 3, 12, 6, 2, 2, mlp_ratio=2, patch_size=patch_size, qk_rms_norm=True)
    flow = StructureFlow(config).requires_grad_(requires_grad=False)
    for parameter in flow.parameters():
        parameter.data = torch.randn(parameter.shape) * 0.3
    return flow


def build(**arguments: object) -> StructureFlow:
    return StructureFlow(StructureFlowConfig(**arguments))


@given(batch=st.integers(1, 2), channels=st.integers(1, 3), along=st.integers(1, 3), size=st.integers(1, 3))
@settings(deadline=None)
def test_patches_are_cut_in_row_major_order_and_joined_again(batch: int, channels: int, along: int, size: int) -> None:
    side = along * size
    x = torch.arange(batch * channels * side**3).view(batch, channels, side, side, side)
    tokens = to_patches(x, size)
    assert tokens.shape == (batch, along**3, channels * size**3)
    for i, j, k in product(range(along), repeat=3):
        token = tokens[:, (i * along + j) * along + k]
        for c in range(channels):
            for a, b, d in product(range(size), repeat=3):
                expected = x[:, c, i * size + a, j * size + b, k * size + d]
                assert torch.equal(token[:, c * size**3 + (a * size + b) * size + d], expected)
    assert torch.equal(from_patches(tokens, size, side), x)


@pytest.mark.parametrize("patch_size", [1, 2])
def test_a_batch_of_noise_gives_what_each_gives_alone(patch_size: int) -> None:
    flow = small_flow(patch_size)
    tokens = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(1))
    noise = structure_noise(flow.config, [torch.Generator().manual_seed(seed) for seed in (7, 8, 9)])
    together = sample_structure(flow, tokens, noise, no_report, SAMPLING)
    assert together.shape == (3, 3, 4, 4, 4)
    for i in range(3):
        alone = sample_structure(flow, tokens, noise[i : i + 1], no_report, SAMPLING)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-5)


def test_a_seed_draws_upstreams_noise() -> None:
    """Upstream seeds torch's own generator, and draws first for the structure, then for the latents."""
    config = small_flow().config
    torch.manual_seed(42)
    theirs, later = torch.randn(1, 3, 4, 4, 4), torch.randn(9, 8)
    generator = torch.Generator().manual_seed(42)
    assert torch.equal(structure_noise(config, [generator]), theirs)
    assert torch.equal(torch.randn(9, 8, generator=generator), later)


def test_sampling_is_the_plain_formula_with_zeros_for_no_picture() -> None:
    """Each evaluation by itself, with nothing kept between them."""
    flow = small_flow()
    tokens = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(2))
    noise = structure_noise(flow.config, [torch.Generator().manual_seed(3)])

    def velocity(x: Tensor, t: float, seen: Tensor) -> Tensor:
        return flow(x, flow.time(torch.tensor([1000 * t])), flow.contexts(seen))

    x = noise
    grid = time_grid(SAMPLING.steps, SAMPLING.rescale_t)
    for i in range(SAMPLING.steps):
        v = velocity(x, grid[i], tokens)
        if grid[i] >= 0.4:
            v = 3 * v - 2 * velocity(x, grid[i], torch.zeros_like(tokens))
        x = x - (grid[i] - grid[i + 1]) * v
    torch.testing.assert_close(sample_structure(flow, tokens, noise, no_report, SAMPLING), x, rtol=1e-4, atol=1e-5)


def test_a_published_checkpoint_is_loaded(tmp_path: Path) -> None:
    arguments = {
        "resolution": 4,
        "in_channels": 3,
        "out_channels": 3,
        "model_channels": 12,
        "cond_channels": 6,
        "num_blocks": 2,
        "num_heads": 2,
        "use_fp16": True,
    }
    published = build(**arguments)
    save_file(published.state_dict(), tmp_path / "flow_fp16.safetensors")
    description = tmp_path / "flow_fp16.json"
    description.write_text(json.dumps({"name": "SparseStructureFlowModel", "args": arguments}), encoding="utf-8")
    flow = load_network(tmp_path / "flow_fp16", "SparseStructureFlowModel", build)
    assert flow.dtype == torch.float16
    assert all(torch.equal(tensor, flow.state_dict()[name]) for name, tensor in published.state_dict().items())
    flow.compute_in(torch.float32)
    assert {parameter.dtype for parameter in flow.parameters()} == {torch.float32}
    changes: list[dict[str, object]] = [{"pe_mode": "rope"}, {"patch_size": 3}, {"colour": 1}]
    for change in changes:
        text = json.dumps({"name": "SparseStructureFlowModel", "args": {**arguments, **change}})
        description.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=next(iter(change))) as caught:
            load_network(tmp_path / "flow_fp16", "SparseStructureFlowModel", build)
        assert caught.value.code == "weights-damaged"
