# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure's decoder apart from its weights: the order of voxels, and batches."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig, occupied, pixel_shuffle3


@given(batch=st.integers(1, 2), channels=st.integers(1, 3), side=st.integers(1, 3))
@settings(deadline=None)
def test_eight_channels_become_the_eight_voxels_of_a_cell(batch: int, channels: int, side: int) -> None:
    x = torch.arange(batch * 8 * channels * side**3).view(batch, 8 * channels, side, side, side)
    fine = pixel_shuffle3(x)
    assert fine.shape == (batch, channels, 2 * side, 2 * side, 2 * side)
    for c, a, b, d in product(range(channels), *[range(2)] * 3):
        assert torch.equal(fine[:, c, a::2, b::2, d::2], x[:, 8 * c + 4 * a + 2 * b + d])


def test_a_batch_is_decoded_as_its_items_are() -> None:
    torch.manual_seed(2)
    decoder = StructureDecoder(StructureDecoderConfig(1, 3, 1, (8, 6), num_res_blocks_middle=1))
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    z = torch.randn(3, 3, 4, 4, 4)
    with torch.inference_mode():
        together = decoder(z)
        assert together.shape == (3, 1, 8, 8, 8)
        for i in range(3):
            torch.testing.assert_close(together[i : i + 1], decoder(z[i : i + 1]), rtol=1e-4, atol=1e-5)


def test_voxels_come_in_the_order_of_item_x_y_z() -> None:
    logits = torch.full((2, 1, 3, 3, 3), -1.0)
    expected = [(0, 0, 2, 1), (0, 2, 0, 0), (1, 0, 0, 1), (1, 0, 0, 2), (1, 2, 2, 2)]
    for item, x, y, z in expected:
        logits[item, 0, x, y, z] = 0.5
    logits[0, 0, 1, 1, 1] = 0.0  # the threshold itself is empty
    found = occupied(logits)
    assert found.dtype == torch.int32
    assert found.tolist() == [list(place) for place in expected]
    assert occupied(logits - 1).shape == (0, 4)
