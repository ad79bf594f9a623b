# SPDX-License-Identifier: GPL-3.0-or-later
"""Going between resolutions, and norms over an item's voxels, against their formulas."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch.nn import functional

from backend.nn import sparse_blocks
from backend.nn.sparse import Voxels
from backend.nn.sparse_blocks import GroupNormSiLU, SubdivideBlock, gathered_in_cells, of_items


def test_cells_divide_by_one_more_than_they_hold() -> None:
    coords = torch.tensor([[0, 0, 0, 0], [0, 1, 1, 1], [0, 0, 1, 0], [0, 2, 0, 0], [1, 0, 0, 0]], dtype=torch.int32)
    features = torch.tensor([[1.0], [2.0], [5.0], [7.0], [9.0]])
    found = gathered_in_cells(features, Voxels(coords))
    torch.testing.assert_close(found, torch.tensor([[8 / 4], [7 / 2], [9 / 2]]))
    assert gathered_in_cells(features.half(), Voxels(coords)).dtype == torch.float16
    assert gathered_in_cells(features[:0], Voxels(coords[:0])).shape == (0, 1)


def test_each_voxel_gets_its_items_values() -> None:
    voxels = Voxels(torch.tensor([[0, 0, 0, 0], [2, 0, 0, 0], [2, 0, 0, 1]], dtype=torch.int32))
    values = torch.tensor([[1.0], [2.0], [3.0]])
    assert of_items(values, voxels).tolist() == [[1.0], [3.0], [3.0]]
    assert of_items(values[:1], voxels).tolist() == [[1.0]]


@settings(deadline=None)
@given(lengths=st.lists(st.integers(0, 20), min_size=1, max_size=3), seed=st.integers(0, 99), chunk=st.integers(1, 99))
def test_each_item_is_normalised_by_itself(lengths: list[int], seed: int, chunk: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    norm = GroupNormSiLU(3, 6)
    x = torch.randn(sum(lengths), 6, generator=generator) * 3 + 5
    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_blocks, "_NORMALISED", chunk)
        norm.weight.copy_(torch.randn(6, generator=generator))
        norm.bias.copy_(torch.randn(6, generator=generator))
        found = norm(x, lengths)
        for rows, ours in zip(x.split(lengths), found.split(lengths), strict=True):
            if len(rows):
                theirs = functional.group_norm(rows.t()[None].double(), 3, norm.weight.double(), norm.bias.double())
                wanted = functional.silu(theirs[0].t())  # of a single row it is what rounding leaves that is divided
                torch.testing.assert_close(ours.double(), wanted, rtol=1e-4, atol=1e-4)


def test_subdivided_objects_do_not_see_each_other() -> None:
    torch.manual_seed(3)
    block = SubdivideBlock(8, 4, groups=2).requires_grad_(requires_grad=False)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    coords = torch.cartesian_prod(torch.arange(2), *[torch.arange(3)] * 3).int()
    x = torch.randn(len(coords), 8)
    alone = Voxels(coords[:27].contiguous())
    torch.testing.assert_close(block(x, Voxels(coords))[: 8 * 27], block(x[:27], alone), rtol=1e-4, atol=1e-4)
