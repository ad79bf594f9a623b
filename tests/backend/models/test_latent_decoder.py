# SPDX-License-Identifier: GPL-3.0-or-later
"""The latents' decoder apart from its weights: batches, half precision, and what it reports and refuses."""

from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import Cancelled, UserError
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig, decode_surfaces
from backend.nn.sparse import Voxels
from tests.backend.models.objects import no_report, voxels_of

ARGUMENTS: dict[str, Any] = {
    "resolution": 8,
    "model_channels": 256,
    "latent_channels": 3,
    "num_blocks": 2,
    "num_heads": 4,
    "mlp_ratio": 0.5,
    "window_size": 4,
    "representation_config": {"use_color": True},
}


def small_decoder(**changes: Any) -> LatentDecoder:
    torch.manual_seed(5)
    decoder = LatentDecoder(LatentDecoderConfig(**{**ARGUMENTS, **changes})).requires_grad_(requires_grad=False)
    for parameter in decoder.parameters():
        parameter.data = (torch.randn(parameter.shape) * 0.05).to(parameter.dtype)
    return decoder


def test_objects_decoded_together_are_the_same_as_alone() -> None:
    """An empty one among them."""
    decoder = small_decoder()
    voxels = voxels_of([40, 0, 1])
    latents = torch.randn(41, 3, generator=torch.Generator().manual_seed(1))
    features, fine = decoder(latents, voxels)
    assert features.shape == (64 * 41, 101)
    assert fine.lengths == [64 * 40, 0, 64]
    surfaces = decode_surfaces(decoder, latents, voxels, no_report)
    for item, rows in enumerate(voxels.items()):
        coords = voxels.coords[rows].clone()
        coords[:, 0] = 0
        alone, fine_alone = decoder(latents[rows], Voxels(coords, 1))
        fine_rows = fine.items()[item]
        torch.testing.assert_close(features[fine_rows], alone, rtol=1e-4, atol=1e-5)
        assert torch.equal(fine.coords[fine_rows, 1:], fine_alone.coords[:, 1:])
        (surface,) = decode_surfaces(decoder, latents[rows], Voxels(coords, 1), no_report)
        assert abs(len(surface.triangles) - len(surfaces[item].triangles)) <= 2  # rounding may change a sign
    assert len(surfaces[0].triangles) > 0
    assert len(surfaces[1].triangles) == 0


def test_no_voxels_have_no_surfaces() -> None:
    decoder = small_decoder()
    for items, count in ((None, 0), (2, 2)):
        nothing = Voxels(torch.zeros(0, 4, dtype=torch.int32), items)
        surfaces = decode_surfaces(decoder, torch.zeros(0, 3), nothing, no_report)
        assert [len(surface.vertices) for surface in surfaces] == [0] * count


def test_half_precision_stays_near() -> None:
    decoder = small_decoder()
    voxels, latents = voxels_of([60]), torch.randn(60, 3, generator=torch.Generator().manual_seed(2))
    full, _ = decoder(latents, voxels)
    decoder.compute_in(torch.float16)
    assert decoder.state_dict()["upsample.0.skip_connection.conv.weight"].dtype == torch.float16
    assert decoder.state_dict()["upsample.0.act_layers.0.weight"].dtype == torch.float32
    half, _ = decoder(latents, voxels)
    assert half.dtype == torch.float32
    assert (half - full).abs().max() < 0.02 * full.abs().max()


def test_steps_are_reported_and_can_cancel() -> None:
    decoder = small_decoder()
    voxels, latents = voxels_of([5, 6]), torch.zeros(11, 3)
    reported: list[tuple[int, int]] = []
    decode_surfaces(decoder, latents, voxels, lambda step, of: reported.append((step, of)))
    assert list(dict.fromkeys(reported)) == [(step, 6) for step in range(7)]  # long steps are reported again

    def cancel(step: int, of: int) -> None:
        if step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        decode_surfaces(decoder, latents, voxels, cancel)


def test_without_colours_there_are_fewer_features() -> None:
    decoder = small_decoder(representation_config={})
    (surface,) = decode_surfaces(decoder, torch.randn(20, 3), voxels_of([20]), no_report)
    assert decoder.out_layer.out_features == 53
    assert surface.colours is None


def test_non_finite_numbers_are_an_error() -> None:
    decoder = small_decoder()
    decoder.out_layer.bias.fill_(torch.inf)
    with pytest.raises(UserError) as caught:
        decode_surfaces(decoder, torch.zeros(4, 3), voxels_of([4]), no_report)
    assert caught.value.code == "numbers-overflow"


@pytest.mark.parametrize("changes", [{"pe_mode": "rope"}, {"attn_mode": "full"}])
def test_an_unknown_kind_of_network_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        LatentDecoderConfig(**{**ARGUMENTS, **changes})
