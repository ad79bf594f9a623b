# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbours, windows, cells and children of voxels, against looking for them one by one."""

import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.nn.sparse import CHILDREN, OFFSETS, Voxels

LIMIT = 2**31

near_limits = st.sampled_from([0, -3, 61, -LIMIT, LIMIT - 6])
places = st.tuples(*[st.integers(0, 5)] * 3)
objects = st.lists(st.lists(places, unique=True, max_size=40), max_size=3)


def voxels_at(objects: list[list[tuple[int, int, int]]], corner: int = 0) -> Voxels:
    rows = [(item, *(c + corner for c in place)) for item, places in enumerate(objects) for place in places]
    return Voxels(torch.tensor(rows, dtype=torch.int32).view(-1, 4), len(objects))


@settings(deadline=None)
@given(objects=objects, corner=near_limits)
def test_neighbours(objects: list[list[tuple[int, int, int]]], corner: int) -> None:
    voxels = voxels_at(objects, corner)
    row_of = {tuple(place): row for row, place in enumerate(voxels.coords.tolist())}
    expected = [
        [row_of.get((item, x + i, y + j, z + k), len(voxels)) for i, j, k in OFFSETS]
        for item, x, y, z in voxels.coords.tolist()
    ]
    found = voxels.neighbours(0, len(voxels))
    assert found.dtype == torch.int32
    assert found.tolist() == expected


@settings(deadline=None)
@given(objects=objects, rows=st.tuples(st.integers(0, 2000), st.integers(0, 2000)))
def test_neighbours_of_children_are_those_of_voxels_at_their_places(
    objects: list[list[tuple[int, int, int]]], rows: tuple[int, int]
) -> None:
    voxels = voxels_at(objects)
    for _ in range(2):
        voxels = voxels.children
        same = Voxels(voxels.coords, len(objects))
        assert voxels.lengths == same.lengths
        start, stop = sorted(min(row, len(voxels)) for row in rows)
        assert torch.equal(voxels.neighbours(start, stop), same.neighbours(start, stop))


@settings(deadline=None)
@given(objects=objects, corner=st.sampled_from([0, -3, 61]))
def test_cells_hold_their_voxels(objects: list[list[tuple[int, int, int]]], corner: int) -> None:
    voxels = voxels_at(objects, corner)
    cells = [(item, x // 2, y // 2, z // 2) for item, x, y, z in voxels.coords.tolist()]
    assert [tuple(cell) for cell in voxels.cells.coords.tolist()] == sorted(set(cells))
    assert len(voxels.cells.lengths) == len(objects)
    assert [tuple(voxels.cells.coords[row].tolist()) for row in voxels.cell_of] == cells
    for (item, *low), members in zip(voxels.cells.coords.tolist(), voxels.members.tolist(), strict=True):
        for child, row in zip(CHILDREN, members, strict=True):
            place = [item, *(2 * c + half for c, half in zip(low, child, strict=True))]
            assert (voxels.coords[row].tolist() == place) if row < len(voxels) else place not in voxels.coords.tolist()


@settings(deadline=None)
@given(objects=objects)
def test_children_follow_their_parent(objects: list[list[tuple[int, int, int]]]) -> None:
    voxels = voxels_at(objects)
    expected = [
        [item, 2 * x + i, 2 * y + j, 2 * z + k] for item, x, y, z in voxels.coords.tolist() for i, j, k in CHILDREN
    ]
    assert voxels.children.coords.tolist() == expected
    assert voxels.children.coords.dtype == torch.int32


@settings(deadline=None)
@given(objects=objects, corner=near_limits, size=st.integers(1, 5), shift=st.integers(0, 4))
def test_each_voxel_is_in_one_window(
    objects: list[list[tuple[int, int, int]]], corner: int, size: int, shift: int
) -> None:
    voxels = voxels_at(objects, corner)
    expected: dict[tuple[int, ...], list[int]] = {}
    for row, (item, *place) in enumerate(voxels.coords.tolist()):
        expected.setdefault((item, *((c + shift) // size for c in place)), []).append(row)
    found: list[list[int]] = []
    for group in voxels.windows(size, shift):
        assert group.padded == (not group.present.all())
        assert torch.equal(group.slots, group.present.flatten().nonzero()[:, 0])
        found.extend(rows[present].tolist() for rows, present in zip(group.rows, group.present, strict=True))
    assert sorted(found) == sorted(expected.values())


def test_everything_is_found_once() -> None:
    voxels = voxels_at([[(0, 0, 0), (0, 0, 1)]])
    assert voxels.cells is voxels.cells
    assert voxels.windows(8, 4) is voxels.windows(8, 4)
    assert voxels.neighbours(0, 2).data_ptr() == voxels.neighbours(0, 2).data_ptr()


def test_nothing_is_kept_longer_than_the_voxels() -> None:
    """By counting references: a device's memory cannot wait for the garbage collector."""
    voxels = voxels_at([[(0, 0, 0), (0, 0, 1)]])
    fine = voxels.children.children
    fine.neighbours(0, len(fine))
    voxels.windows(8, 0)
    assert len(voxels.members) == len(voxels.cells)
    kept = weakref.ref(voxels)
    gc.disable()
    try:
        del voxels, fine
        assert kept() is None
    finally:
        gc.enable()


def test_windows_of_a_full_block_need_little_padding() -> None:
    generator = torch.Generator().manual_seed(1)
    places = torch.cartesian_prod(*[torch.arange(40)] * 3)
    coords = places[torch.rand(len(places), generator=generator) < places[:, 0] / 40].int()
    groups = Voxels(torch.cat([torch.zeros_like(coords[:, :1]), coords], dim=1)).windows(8, 4)
    assert sum(group.rows.numel() for group in groups) < 1.1 * len(coords)


def test_rows_of_items() -> None:
    coords = torch.tensor([[0, 1, 1, 1], [2, 1, 1, 1], [2, 0, 0, 0]], dtype=torch.int32)
    assert Voxels(coords).items() == [slice(0, 1), slice(1, 1), slice(1, 3)]
    assert Voxels(coords, 4).items()[3] == slice(3, 3)
    assert Voxels(coords[:0]).items() == []


@pytest.mark.parametrize(
    ("coords", "items", "sentence"),
    [
        (torch.zeros(2, 3, dtype=torch.int32), None, r"int32 \(N, 4\)"),
        (torch.zeros(2, 4), None, r"int32 \(N, 4\)"),
        (torch.tensor([[1, 0, 0, 0], [0, 0, 0, 0]], dtype=torch.int32), None, "order"),
        (torch.tensor([[-1, 0, 0, 0]], dtype=torch.int32), None, "order"),
        (torch.tensor([[2, 0, 0, 0]], dtype=torch.int32), 2, "3 items are not a batch of 2"),
    ],
)
def test_invalid_voxels_are_refused(coords: torch.Tensor, items: int | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Voxels(coords, items)


def test_places_that_cannot_be_numbered_are_refused() -> None:
    corners = torch.tensor([[0, -LIMIT, -LIMIT, -LIMIT], [0, LIMIT - 1, LIMIT - 1, LIMIT - 1]], dtype=torch.int32)
    with pytest.raises(ValueError, match="too far apart"):
        Voxels(corners).neighbours(0, 2)
