# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known at one end of a surface goes on over it without a step, and fades."""

import numpy as np

from backend.arrays import Float64Array
from backend.texture.fading import faded
from tests.backend.texture.shapes import nothing

ROWS, COLUMNS = 5, 60
_NUMBERS = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
_CORNERS = [_NUMBERS[:-1, :-1], _NUMBERS[:-1, 1:], _NUMBERS[1:, 1:], _NUMBERS[1:, :-1]]
TRIANGLES = np.concatenate(
    [np.stack([_CORNERS[each] for each in half], axis=-1).reshape(-1, 3) for half in ((0, 1, 2), (0, 2, 3))]
).astype(np.int32)
_PLACES = (np.tile(np.arange(COLUMNS), ROWS), np.repeat(np.arange(ROWS), COLUMNS), np.zeros(ROWS * COLUMNS))
POINTS = np.stack(_PLACES, axis=1).astype(np.float64)
KNOWN = (POINTS[:, 0] < 20).astype(np.float64)


def middle(reach: float, values: float = 1.0) -> Float64Array:
    found = faded(np.full((len(POINTS), 1), values), KNOWN, POINTS, TRIANGLES, reach, nothing)
    return found.reshape(ROWS, COLUMNS)[2]


def test_it_stays_where_it_is_known_and_fades_without_a_step() -> None:
    found = middle(5.0)
    np.testing.assert_array_equal(found[:20], 1.0)
    assert found[20] > 0.7
    assert (np.diff(found[19:]) <= 0).all()
    assert np.abs(np.diff(found)).max() < 0.3
    assert found[40:].max() < 0.01


def test_a_longer_reach_goes_farther() -> None:
    assert middle(6.0)[25] > middle(3.0)[25] > middle(1.0)[25]


def test_nothing_known_and_nothing_open() -> None:
    np.testing.assert_array_equal(middle(5.0, 0.0), 0.0)
    values = POINTS[:, :2]
    np.testing.assert_array_equal(faded(values, np.ones(300), POINTS, TRIANGLES, 5.0, nothing), values)
    np.testing.assert_array_equal(faded(values, np.zeros(300), POINTS, TRIANGLES, 5.0, nothing), 0.0)
