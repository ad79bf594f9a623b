# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid of many pictures' results: boxes alone, known to nothing of Blender's."""

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.blender_addon.support import MODULE

numbers = st.integers(1, 60)
counts = st.integers(1, 16)
sides = st.floats(0.01, 100)
NOTHING = np.empty((0, 2, 3))


@pytest.fixture(scope="module")
def grid(extension: ModuleType) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.grid")


def cells(made: Any) -> NDArray[Any]:
    """All cells' places, (pictures, count, 3)."""
    return np.array([made.take_cells() for _ in range(made.pictures)])


@settings(deadline=None)
@given(numbers, counts, sides)
def test_no_cell_touches_another_and_all_are_in_the_box(grid: Any, pictures: int, count: int, side: float) -> None:
    made = grid.Grid(pictures, count)
    made.settle((1.0, 2.0, 3.0), side, NOTHING)
    places = cells(made).reshape(-1, 3)
    apart = np.abs(places[:, None, :2] - places[None, :, :2]).max(axis=2)[~np.eye(len(places), dtype=bool)]
    assert (apart > 1.2 * side).all()
    half = np.array((side / 2, side / 2, 0))
    tiny = 1e-9 * side * pictures * count
    assert (places - half >= made.box[0] - tiny).all()
    assert (places + half <= made.box[1] + tiny).all()
    assert np.allclose(made.box.mean(axis=0)[:2], (1.0, 2.0)), "around the place that was wanted"


@settings(deadline=None)
@given(numbers, counts)
def test_it_is_about_as_wide_as_deep(grid: Any, pictures: int, count: int) -> None:
    rows = -(-pictures // grid.Grid(pictures, count).columns)
    columns = grid.Grid(pictures, count).columns * count
    assert rows <= columns
    assert columns < np.sqrt(pictures * count) + count


def test_it_is_read_as_a_page_is_and_variations_stand_side_by_side(grid: Any) -> None:
    made = grid.Grid(3, 2)  # a row has two pictures
    made.settle((0.0, 0.0, 0.0), 1.0, NOTHING)
    (first, beside), (second, _), (third, _) = cells(made)
    assert first[0] < beside[0] < second[0]
    assert first[1] == beside[1] == second[1] > third[1], "the next row is nearer to the viewer"
    assert third[0] == first[0]


def test_its_place_is_found_once_beside_what_stands_there(grid: Any) -> None:
    made = grid.Grid(4)
    cube = np.array([[[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]])
    made.settle((0.0, 0.0, 0.0), 1.0, cube)
    assert made.box[0, 0] == pytest.approx(1.25), "a gap as between two of its own"
    before = made.box.copy()
    made.settle((50.0, 0.0, 0.0), 3.0, NOTHING)
    assert (made.box == before).all()
