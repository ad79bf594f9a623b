# SPDX-License-Identifier: GPL-3.0-or-later
"""A closed body is cut level, closed again, and stands; the cap fills outlines with holes, each edge once."""

from itertools import pairwise

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import BoolArray, Float64Array, Int64Array
from backend.inspection.balance import tilt
from backend.inspection.cap import cap, rings_of
from backend.inspection.cut import Cut, cut_above
from backend.inspection.foot import foot, with_foot
from backend.inspection.inspection import joined
from backend.mesh.check import is_closed, pinched_vertices, signed_volume

few = settings(max_examples=10, deadline=None)


def surface(shape: trimesh.Trimesh) -> tuple[Float64Array, Int64Array]:
    places, faces, _ = joined(np.array(shape.vertices, np.float64), np.array(shape.faces, np.int64))
    return places, faces


def lying(cut: Cut) -> BoolArray:
    """Which of a cut's triangles are its cap."""
    heights = cut.vertices[cut.triangles][..., 2]
    return (heights == heights.min()).all(axis=1)


def doubled_areas(points: Float64Array, triangles: Int64Array) -> Float64Array:
    a, b, c = (points[triangles[:, corner], :2] for corner in range(3))
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


@few
@given(st.integers(0, 2**31), st.floats(-0.25, 0.25))
def test_a_wavy_ring_is_cut_and_closed_without_a_fold(seed: int, height: float) -> None:
    random = np.random.default_rng(seed)
    shape = trimesh.creation.torus(1, 0.35, major_sections=40, minor_sections=16)
    points, faces = surface(shape)
    around = np.arctan2(points[:, 1], points[:, 0])
    waves = (random.uniform(-0.06, 0.06, 3) * np.sin(np.outer(around, (2, 5, 9)) + random.uniform(0, 6, 3))).sum(axis=1)
    points[:, :2] *= 1 + waves[:, None]
    points[:, 2] += random.uniform(-1e-3, 1e-3, len(points))  # no vertex at the height
    cut = cut_above(points, faces, height)
    assert cut is not None
    assert is_closed(cut.triangles)
    assert pinched_vertices(cut.triangles) == 0
    assert cut.vertices[:, 2].min() == pytest.approx(height)
    cap_ = lying(cut)
    assert (doubled_areas(cut.vertices, cut.triangles[cap_]) < 1e-12).all(), "it looks down everywhere"
    below = cut_above(points * (1, 1, -1), faces[:, ::-1], -height)
    assert below is not None
    whole = signed_volume(points, faces)
    assert signed_volume(cut.vertices, cut.triangles) + signed_volume(below.vertices, below.triangles) == pytest.approx(
        whole
    )
    corners = np.einsum("tpc,tcx->tpx", cut.weights, points[faces][cut.source])
    np.testing.assert_allclose(corners[~cap_], cut.vertices[cut.triangles[~cap_]], atol=1e-9)


@few
@given(st.integers(3, 40), st.lists(st.integers(3, 12), max_size=4), st.integers(0, 2**31))
def test_a_cap_fills_an_outline_with_holes(sides: int, holes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)

    def star(count: int, middle: tuple[float, float], least: float, most: float) -> Float64Array:
        turn = 2 * np.pi * np.arange(count) / count
        reach = random.uniform(least, most, count)
        return np.stack([middle[0] + reach * np.cos(turn), middle[1] + reach * np.sin(turn)], axis=1)

    rings = [star(sides, (0, 0), 12, 20)]
    middles = [(2, 2), (-2, 2), (2, -2), (-2, -2)]
    rings += [star(count, middle, 0.2, 1.5)[::-1] for count, middle in zip(holes, middles, strict=False)]
    first = np.cumsum([0, *map(len, rings)])
    numbers = [[*range(start, end)] for start, end in pairwise(first)]
    points = np.concatenate(rings)
    triangles = cap(points, numbers)
    assert len(triangles) == len(points) + 2 * len(holes) - 2
    areas = doubled_areas(points, triangles)
    assert areas.min() > -1e-9
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    outlines = float((points[:, 0] * ends[:, 1] - points[:, 1] * ends[:, 0]).sum())
    assert areas.sum() == pytest.approx(outlines)
    walls = [(end, start) for ring in numbers for start, end in zip(ring, [*ring[1:], ring[0]], strict=True)]
    found = rings_of(np.array(walls))
    assert found
    assert {frozenset(ring) for ring in found} == {frozenset(ring) for ring in numbers}


@few
@given(st.tuples(*[st.floats(0, 6)] * 3), st.floats(5, 20))
def test_an_egg_stands_safely_and_loses_little(how: tuple[float, float, float], safe: float) -> None:
    shape = trimesh.creation.icosphere(2)
    shape.vertices *= (1, 0.9, 1.1)
    shape.apply_transform(trimesh.transformations.euler_matrix(*how))
    points, faces = surface(shape)
    found = foot(points, faces, safe, 0.5)
    assert found is not None
    cut = cut_above(points, faces, found[0])
    assert cut is not None
    assert found[1] >= safe - 0.01
    assert tilt(cut.vertices, cut.triangles) > found[1] - 0.3, "beside the sole it may roll a little further"
    assert signed_volume(cut.vertices, cut.triangles) > 0.8 * signed_volume(points, faces)


def test_what_cannot_stand_is_not_cut_and_what_is_inside_out_is() -> None:
    shape = trimesh.creation.cone(0.2, 2)
    shape.apply_transform(trimesh.transformations.euler_matrix(np.pi, 0, 0))
    assert with_foot(*surface(shape)) is None
    points, faces = surface(trimesh.creation.icosphere(3))
    inward = with_foot(points, faces[:, ::-1])
    assert isinstance(inward, Cut)
    assert is_closed(inward.triangles)
    assert signed_volume(inward.vertices, inward.triangles) < 0
    corners = np.einsum("tpc,tcx->tpx", inward.weights, points[faces[:, ::-1]][inward.source])
    walls = ~lying(inward)
    np.testing.assert_allclose(corners[walls], inward.vertices[inward.triangles[walls]], atol=1e-9)


def test_what_stands_safely_is_not_cut() -> None:
    points, faces = surface(trimesh.creation.box())
    whole = with_foot(points, faces)
    assert whole is not None
    assert whole.vertices is points
    np.testing.assert_array_equal(np.einsum("tpc,tcx->tpx", whole.weights, points[faces]), points[faces])
