# SPDX-License-Identifier: GPL-3.0-or-later
"""Where there is room: boxes in, a free place out."""

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.blender_addon.support import MODULE

Boxes = NDArray[np.float64]

CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
FIGURE = np.array([[-0.5, -0.3, 0.0], [0.5, 0.3, 1.0]])  # it stands on its origin
HERE = np.zeros(3)

places = st.tuples(*[st.floats(-20, 20)] * 3).map(np.array)
sizes = st.tuples(*[st.floats(0.01, 10)] * 3).map(np.array)
boxes = st.tuples(places, sizes).map(lambda both: np.stack([both[0], both[0] + both[1]]))
crowds = st.lists(boxes, max_size=12).map(lambda found: np.array(found).reshape(-1, 2, 3))


@pytest.fixture(scope="module")
def placing(extension: ModuleType) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.placing")


def depths(box: Boxes, taken: Boxes) -> Boxes:
    """How far a box reaches into others along each axis, (N, 3); not at all if one of them is not positive."""
    return np.minimum(box[1], taken[:, 1]) - np.maximum(box[0], taken[:, 0])


@settings(deadline=None)
@given(places, boxes, crowds)
def test_it_stands_in_nothing(placing: Any, wanted: Boxes, box: Boxes, taken: Boxes) -> None:
    place = placing.free_place(wanted, box, taken)
    overlaps = depths(box + place, taken)
    allowed = placing.TOUCH * np.ptp(box, axis=0) + 1e-9
    assert (overlaps <= allowed).any(axis=1).all()


@settings(deadline=None)
@given(places, boxes, crowds)
def test_it_goes_along_x_alone_and_not_a_step_too_far(placing: Any, wanted: Boxes, box: Boxes, taken: Boxes) -> None:
    place = placing.free_place(wanted, box, taken)
    assert (place[1:] == wanted[1:]).all()
    gap = placing.SPACING * np.ptp(box[:, 0])
    neighbours = taken[:, 1, 0] + gap - box[0, 0]
    assert place[0] == wanted[0] or (place[0] > wanted[0] and np.isclose(neighbours, place[0]).any())


@settings(deadline=None)
@given(places, boxes, crowds)
def test_a_place_that_is_free_is_taken(placing: Any, wanted: Boxes, box: Boxes, taken: Boxes) -> None:
    apart = taken[(depths(box + wanted, taken) <= 0).any(axis=1)]
    assert (placing.free_place(wanted, box, apart) == wanted).all()


def test_beside_the_default_cube(placing: Any) -> None:
    assert placing.free_place(HERE, FIGURE, CUBE[None]).tolist() == [1.75, 0.0, 0.0]


def test_one_after_the_other_stands_in_a_row(placing: Any) -> None:
    taken, row = CUBE[None], []
    for _ in range(3):
        place = placing.free_place(HERE, FIGURE, taken)
        taken = np.concatenate([taken, (FIGURE + place)[None]])
        row.append(place[0])
    assert row == [1.75, 3.0, 4.25]


@pytest.mark.parametrize(
    ("low", "high", "is_in_the_way"),
    [
        ((-9, -9, -1), (9, 9, 0.0), False),
        ((-9, -9, -1), (9, 9, 0.08), False),
        ((-9, -9, -1), (9, 9, 0.2), True),
        ((-9, -9, 0.95), (9, 9, 3), True),
        ((-9, 0, 0), (9, 0, 3), True),
        ((-9, 0.3, 0), (9, 0.3, 3), False),
    ],
    ids=["floor", "rug", "step", "low ceiling", "wall through it", "wall behind it"],
)
def test_it_may_stand_on_a_floor_and_before_a_wall(
    placing: Any,
    low: Any,
    high: Any,
    is_in_the_way: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    place = placing.free_place(HERE, FIGURE, np.array([[low, high]], float))
    assert (place != 0).any() == is_in_the_way


def test_what_the_artist_looks_from_within_takes_no_place(placing: Any) -> None:
    room = np.array([[-5, -5, -1], [5, 5, 4.0]])
    both = np.stack([room, CUBE])
    assert np.array_equal(placing.without_surroundings(both, (3, -4, 2)), CUBE[None])
    assert np.array_equal(placing.without_surroundings(both, (30, -4, 2)), both)
