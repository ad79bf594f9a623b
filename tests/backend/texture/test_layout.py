# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts cover a surface once, turn nothing over, and lie in their image without touching each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array, Int32Array
from backend.raster.triangles import hits
from backend.texture.atlas import Atlas, lay_out
from backend.texture.charts import FRONT, cut, neighbours
from backend.texture.pack import pack
from tests.backend.texture.shapes import ball, crumpled, nothing, ramp, together


def doubled_areas(corners: Float64Array) -> Float64Array:
    a, b, c = np.moveaxis(corners, 1, 0)
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


def test_a_ball_is_a_chart_for_each_side() -> None:
    points, triangles = ball()
    charts = cut(points, triangles, nothing)
    assert sorted(charts.sides) == [0, 1, 2, 3, 4, 5]
    assert (doubled_areas(charts.flat) >= -1e-9).all()  # nothing is turned over
    front = charts.of == int(np.flatnonzero(charts.sides == FRONT)[0])
    np.testing.assert_allclose(charts.flat[front], points[triangles[front]][..., :2])  # as the picture sees it


def test_nothing_is_stretched_more_than_the_sides_of_a_cube_allow() -> None:
    points, triangles = ball(40)
    charts = cut(points, triangles, nothing)
    corners = points[triangles]
    true = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert (true / np.maximum(doubled_areas(charts.flat), 1e-9)).max() < 2.6


def test_what_lies_behind_another_part_is_a_chart_of_its_own() -> None:
    points, triangles = together(ball(middle=(64, 64, 50)), ball(middle=(64, 64, -50)))
    charts = cut(points, triangles, nothing)
    half = len(triangles) // 2
    assert not {*charts.of[:half]} & {*charts.of[half:]}
    folded = np.array(
        [(0, 0, 0), (40, 0, 0), (40, 40, 0), (0, 40, 0), (0, 40, 9), (40, 40, 9), (40, 10, 9), (0, 10, 9)]
    )
    sheet = np.array([(0, 1, 2), (0, 2, 3), (3, 2, 5), (3, 5, 4), (4, 5, 6), (4, 6, 7)], np.int32)
    flap = cut(folded[:, :3].astype(float), sheet, nothing)
    assert flap.of[0] == flap.of[1]
    assert flap.of[4] == flap.of[5]
    assert flap.of[0] != flap.of[4]


def shared(corners: Float64Array) -> float:
    """The share of the pixels with something of a chart that has more than one triangle."""
    low, side = corners.min(axis=(0, 1)), 512
    flat = (corners - low) * (side / np.ptp(corners, axis=(0, 1)).max())
    pixel, _, _, weights = hits(np.concatenate([flat, np.zeros((len(flat), 3, 1))], axis=2), (side, side))
    counts = np.bincount(pixel[(weights > 1e-6).all(axis=1)])
    return float((counts > 1).sum() / (counts > 0).sum())


@pytest.mark.parametrize("body", [crumpled(60), ramp(400, 12)])
def test_a_surface_in_folds_is_covered_once_and_nothing_turned_over(body: tuple[Float64Array, Int32Array]) -> None:
    charts = cut(*body, nothing)
    assert (doubled_areas(charts.flat) >= -1e-9).all()
    assert max(shared(charts.flat[charts.of == chart]) for chart in range(len(charts.sides))) < 0.01


def test_the_outline_of_a_chart_encloses_what_its_triangles_cover() -> None:
    points, triangles = together(ball(), ball(middle=(64, 64, -50)))
    charts = cut(points, triangles, nothing)
    begin, of = charts.outline, charts.of[charts.outline // 3]
    flat = charts.flat.reshape(-1, 2)
    x, y = flat[begin].T
    to_x, to_y = flat[begin - begin % 3 + (begin + 1) % 3].T
    np.testing.assert_allclose(np.bincount(of, to_x - x), 0, atol=1e-9)
    covered = np.bincount(charts.of, doubled_areas(charts.flat))
    np.testing.assert_allclose(np.bincount(of, x * to_y - to_x * y), covered, rtol=1e-9, atol=1e-6)
    assert len(begin) < triangles.size / 4


@given(st.integers(0, 2**31), st.integers(1, 5))
@settings(max_examples=10, deadline=None)
def test_a_face_of_several_triangles_stays_whole(seed: int, most: int) -> None:
    points, triangles = ball(14)
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most + 1, len(triangles))
    faces = np.repeat(np.arange(len(triangles)), sizes)[: len(triangles)].astype(np.int32)
    charts = cut(points, triangles, nothing, faces)
    for charts_of_one in np.split(charts.of, np.flatnonzero(np.diff(faces)) + 1):
        assert len({*charts_of_one}) == 1


def test_neighbours_share_an_edge() -> None:
    _, triangles = ball(8)
    pairs = neighbours(triangles)
    assert len(pairs) * 2 == len(triangles) * 3  # closed: every edge has two sides
    shared = [len({*triangles[one]} & {*triangles[other]}) for one, other in pairs]
    assert {*shared} == {2}


def laid_out(most: int = 256, scale: float = 2.0) -> tuple[Atlas, Float64Array, Int32Array]:
    points, triangles = ball()
    return lay_out(points, triangles, 128, most, scale, nothing), points, triangles


def test_no_two_charts_touch() -> None:
    atlas, _, _ = laid_out()
    shown = np.full((atlas.size, atlas.size), -1)
    for pixel, triangle, _ in atlas.pixels(nothing):
        shown.reshape(-1)[pixel] = atlas.chart[triangle]
    for one, other in ((shown[1:], shown[:-1]), (shown[:, 1:], shown[:, :-1]), (shown[1:, 1:], shown[:-1, :-1])):
        assert not ((one >= 0) & (other >= 0) & (one != other)).any()
    assert (shown[[0, -1]] == -1).all()
    assert (shown[:, [0, -1]] == -1).all()


def test_every_triangle_of_some_size_has_pixels() -> None:
    atlas, _, _ = laid_out(512, 4.0)
    areas = doubled_areas(atlas.uv.astype(np.float64) * atlas.size) / 2
    pixels, triangles, _ = zip(*atlas.pixels(nothing), strict=True)
    assert {*np.flatnonzero(areas > 8)} <= {*np.concatenate(triangles).tolist()}
    assert 0.2 < len(np.concatenate(pixels)) / atlas.size**2 < 0.7


def test_the_pictures_own_pixels_keep_their_corners() -> None:
    atlas, points, triangles = laid_out()
    corners = points[triangles][..., :2] * atlas.scale
    places = atlas.uv.astype(np.float64) * atlas.size
    charts = cut(points, triangles, nothing)
    front = charts.sides[charts.of] == FRONT
    moved = (places - corners)[front].reshape(-1, 2)
    np.testing.assert_allclose(moved, np.broadcast_to(np.rint(moved[0]), moved.shape), atol=1e-3)


def test_a_small_image_shows_the_picture_smaller_and_a_large_one_no_larger() -> None:
    assert laid_out(128, 4.0)[0].scale < 2.0
    assert laid_out(256, 1.517)[0].scale * 128 == 194, "of a whole number of pixels"
    assert laid_out(1024, 2.0)[0].scale == 2.0
    least = [laid_out(4096, scale)[0] for scale in (0.5, 2.0, 4.0, 30.0)]
    assert [(atlas.size, atlas.scale) for atlas in least] == [(128, 0.5), (256, 2.0), (512, 4.0), (4096, 30.0)]


def test_there_is_no_room_for_what_is_larger_than_the_image() -> None:
    square = outline([(0, 0), (300, 0), (0, 300)])
    assert pack(square, np.zeros(3, np.int64), 256, nothing) is None
    assert pack(square, np.zeros(3, np.int64), 512, nothing) is not None


def outline(corners: list[tuple[float, float]]) -> Float64Array:
    return np.stack([np.array(corners, np.float64), np.roll(corners, -1, axis=0)], axis=1)


def test_a_chart_lies_in_a_hollow_of_another() -> None:
    hollow = outline([(0, 0), (250, 0), (250, 250), (240, 250), (240, 10), (0, 10)])
    square = outline([(0, 0), (200, 0), (200, 200), (0, 200)])
    assert pack(np.concatenate([hollow, square]), np.repeat([0, 1], [6, 4]), 256, nothing) is not None
    assert pack(np.concatenate([square, square]), np.repeat([0, 1], [4, 4]), 256, nothing) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 9), st.integers(3, 9), st.integers(0, 2**31), st.sampled_from([128, 256, 512]))
def test_packed_charts_stay_apart(one: int, other: int, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    stars: list[Float64Array] = []
    for count in (one, other):
        angles, reach = np.sort(rng.uniform(0, 2 * np.pi, count)), rng.uniform(1, size / 5, count)
        star = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None]
        stars.append(star - star.min(axis=0) + rng.uniform(0, 0.999, 2))
    edges = np.concatenate([np.stack([star, np.roll(star, -1, axis=0)], axis=1) for star in stars])
    offsets = pack(edges, np.repeat([0, 1], [one, other]), size, nothing)
    assert offsets is not None
    first, second = (star + offset for star, offset in zip(stars, offsets, strict=True))
    for star in (first, second):
        assert star.min() >= 1
        assert star.max() <= size - 1
    assert np.abs(points_along(first)[:, None] - points_along(second)).max(axis=2).min() >= 1 - 1e-9


def points_along(star: Float64Array) -> Float64Array:
    shares = np.linspace(0, 1, 60)[:, None, None]
    return (star + shares * (np.roll(star, -1, axis=0) - star)).reshape(-1, 2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 60), st.floats(1, 60)), min_size=1, max_size=12))
def test_packed_boxes_stay_apart(sides: list[tuple[float, float]]) -> None:
    boxes = np.concatenate([outline([(0, 0), (w, 0), (w, h), (0, h)]) for w, h in sides])
    offsets = pack(boxes, np.repeat(np.arange(len(sides)), 4), 256, nothing)
    if offsets is None:
        pytest.skip("no room")
    low, high = offsets, offsets + np.array(sides)
    assert (low >= 1).all()
    assert (high <= 255).all()
    for one in range(len(sides)):
        for other in range(one):
            apart = np.maximum(low[one] - high[other], low[other] - high[one]).max()
            assert apart >= 1
