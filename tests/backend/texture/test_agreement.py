# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a normal map counts beside a surface that is right in the whole."""

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.raster.vectors import unit
from backend.texture.agreement import agreed

SIDE = 128
EVERYWHERE = np.ones((SIDE, SIDE), np.bool_)
FLAT: Float64Array = np.tile(np.array([0.0, 0.0, 1.0]), (SIDE, SIDE, 1))


def wavy(length: float, slope: float, lean: float = 0.0) -> Float64Array:
    """The normals of a surface with waves along x, of a length in pixels, that leans as a whole."""
    x = slope * np.cos(2 * np.pi * np.arange(SIDE) / length) + lean
    normals = FLAT.copy()
    normals[..., 0] += x
    return unit(normals)


def degrees(one: Float64Array, other: Float64Array) -> float:
    """The mean angle between unit normals."""
    return float(np.degrees(np.arccos(np.clip((one * other).sum(axis=-1), -1, 1))).mean())


@pytest.mark.parametrize("length", [4, 16, 32])
def test_a_map_that_is_right_as_a_whole_counts(length: float) -> None:
    shown = wavy(length, 0.2)
    assert degrees(agreed(FLAT, shown, EVERYWHERE), shown) < 0.15 * degrees(FLAT, shown)


def test_of_a_map_that_leans_only_the_detail_counts() -> None:
    result = agreed(FLAT, wavy(4, 0.2, lean=0.15), EVERYWHERE)
    assert degrees(result, wavy(4, 0.2)) < 0.7 * degrees(FLAT, wavy(4, 0.2))
    assert degrees(agreed(FLAT, wavy(4, 0.0, lean=0.4), EVERYWHERE), FLAT) < 1


def test_a_map_can_be_right_in_one_half_alone() -> None:
    shown = wavy(32, 0.2)
    shown[:, SIDE // 2 :] = wavy(32, 0.2, lean=0.6)[:, SIDE // 2 :]
    result = agreed(FLAT, shown, EVERYWHERE)
    assert degrees(result[:, :32], shown[:, :32]) < 2
    assert degrees(result[:, -32:], FLAT[:, -32:]) < degrees(shown[:, -32:], FLAT[:, -32:]) / 4


def test_an_edge_that_the_surface_rounds_off_does_not_make_a_map_lean() -> None:
    """What a few pixels have far apart says nothing of the rest."""
    shown = wavy(16, 0.1)
    shown[:, 62:66] = (0.94, 0.0, 0.34)
    assert degrees(agreed(FLAT, shown, EVERYWHERE), shown) < 0.25 * degrees(FLAT, shown)


def test_where_the_map_is_not_known_the_surface_stays() -> None:
    known = EVERYWHERE.copy()
    known[40:80] = False
    result = agreed(FLAT, wavy(8, 0.3), known)
    np.testing.assert_array_equal(result[~known], FLAT[~known])
    np.testing.assert_allclose(np.linalg.norm(result, axis=-1), 1)
    np.testing.assert_array_equal(agreed(FLAT, wavy(8, 0.3), ~EVERYWHERE), FLAT)
