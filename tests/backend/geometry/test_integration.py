# SPDX-License-Identifier: GPL-3.0-or-later
"""Integration returns the surface that has the normals, keeps steps, and is finite for any normals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import BoolArray, Float32Array, Float64Array
from backend.errors import Cancelled
from backend.geometry.integration import Camera, clean, integrate


def ignore(_fraction: float) -> None:
    """Watch nothing."""


def from_slopes(slope_x: Float64Array, slope_y: Float64Array) -> Float64Array:
    """Return the unit normals of a height with these slopes, y up."""
    normals = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def off(found: Float64Array, expected: Float64Array, inside: BoolArray) -> Float64Array:
    """Return the differences inside without their mean, as heights are known up to a constant."""
    difference = (found - expected)[inside]
    return difference - difference.mean()


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(deadline=None, max_examples=20)
def test_a_plane_comes_back_exactly(slope_x: float, slope_y: float) -> None:
    row, column = np.mgrid[:30, :40].astype(np.float64)
    inside = np.hypot(row - 15, column - 20) < 14
    flat = np.ones(row.shape)
    found = integrate(from_slopes(slope_x * flat, slope_y * flat), inside, ignore, tolerance=1e-8)
    np.testing.assert_allclose(off(found, slope_x * column - slope_y * row, inside), 0, atol=1e-4)
    assert (found[~inside] == 0).all()


def test_a_sphere_comes_back_except_at_its_steep_rim() -> None:
    radius = 60.0
    row, column = np.mgrid[:140, :140] - 69.5
    inside = np.hypot(row, column) < radius - 0.5
    z = np.sqrt(np.maximum(radius**2 - row**2 - column**2, 0.25))
    found = integrate(np.stack([column, -row, z], axis=-1) / radius, inside, ignore)
    difference = off(found, z, inside)
    assert np.abs(difference).mean() < 0.3
    assert np.abs(difference[np.hypot(row, column)[inside] < 0.9 * radius]).max() < 0.5


def test_a_tilted_plane_comes_back_in_perspective() -> None:
    camera = Camera(focal_x=300, focal_y=320, centre_x=40, centre_y=25)
    row, column = np.mgrid[:60, :80].astype(np.float64)
    normal = np.array([0.4, -0.3, 0.8])
    normal /= np.linalg.norm(normal)
    ray = np.stack([(column - 40) / 300, (25 - row) / 320, -np.ones_like(row)], axis=-1)
    depth = -500.0 / (ray @ normal)  # where the ray meets the plane n . x = -500
    inside = np.ones(row.shape, np.bool_)
    found = integrate(np.broadcast_to(normal, (60, 80, 3)).copy(), inside, ignore, camera=camera, tolerance=1e-8)
    ratio = np.exp(-found / camera.focal) / depth
    assert np.ptp(ratio) / ratio.mean() < 2e-3


def arm() -> tuple[Float64Array, Float64Array, BoolArray]:
    """Return heights, normals and mask of a round bar that rises from the ground at its left end."""
    row, column = np.mgrid[:120, :160].astype(np.float64)
    bar = (np.abs(row - 60) < 10.5) & (column > 30) & (column < 130)
    round_height = np.sqrt(np.maximum(10.5**2 - (row - 60) ** 2, 0.2))
    height = np.where(bar, 0.5 * (column - 30) + round_height, 0.0)
    return height, from_slopes(np.where(bar, 0.5, 0.0), np.where(bar, (row - 60) / round_height, 0.0)), bar


def test_a_step_inside_the_outline_is_a_step_and_not_a_ramp() -> None:
    height, normals, bar = arm()
    inside = np.ones(bar.shape, np.bool_)
    stepped = integrate(normals, inside, ignore)
    ramped = integrate(normals, inside, ignore, turns=1)
    for column in (60, 90, 120):
        true, found, plain = (z[60, column] - z[75, column] for z in (height, stepped, ramped))
        assert found == pytest.approx(true, abs=8)
        assert plain < 8
        assert np.abs(np.diff(stepped[60:76, column])).max() > 0.4 * found  # between two rows


def test_pins_decide_the_height_of_parts() -> None:
    inside = np.zeros((20, 50), np.bool_)
    inside[5:15, 5:15] = True
    inside[5:15, 30:45] = True
    target = np.where(np.arange(50) < 25, 3.0, -7.0) * np.ones((20, 1))
    facing = from_slopes(np.zeros((20, 50)), np.zeros((20, 50)))
    found = integrate(facing, inside, ignore, pin=np.full(inside.shape, 0.01), target=target)
    np.testing.assert_allclose(found[inside], target[inside], atol=1e-2)


@given(hnp.arrays(np.float32, (12, 14, 3), elements=st.floats(width=32)))
@settings(deadline=None)
def test_heights_are_finite_for_any_normals(normals: Float32Array) -> None:
    inside = np.ones((12, 14), np.bool_)
    found = integrate(clean(normals, inside), inside, ignore, pin=np.full(inside.shape, 1e-3))
    assert np.isfinite(found).all()


@given(hnp.arrays(np.float64, (6, 7, 3), elements=st.floats()), hnp.arrays(np.bool_, (6, 7)))
def test_clean_normals_are_unit_and_face_the_viewer(normals: Float64Array, inside: BoolArray) -> None:
    cleaned = clean(normals, inside)
    np.testing.assert_allclose(np.linalg.norm(cleaned, axis=-1), 1)
    assert (cleaned[..., 2] >= 0).all()
    np.testing.assert_array_equal(cleaned[~inside], np.broadcast_to([0.0, 0, 1], ((~inside).sum(), 3)))


def test_length_does_not_matter_and_valid_normals_stay() -> None:
    random = np.random.default_rng(0)
    normals = random.normal(size=(5, 5, 3))
    normals[..., 2] = np.abs(normals[..., 2])
    unit = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    inside = np.ones((5, 5), np.bool_)
    scale: Float64Array = np.power(10.0, random.uniform(-3, 30, (5, 5, 1)))
    np.testing.assert_allclose(clean(normals * scale, inside), unit)


def test_a_tick_can_end_it() -> None:
    _, normals, bar = arm()
    seen: list[float] = []

    def end(fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        integrate(normals, np.ones(bar.shape, np.bool_), end)
    assert seen == sorted(seen)
