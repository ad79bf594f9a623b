# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies are measured by formulas: what is changed by a known amount gets the number that follows from it."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backend.errors import UserError
from backend.flow.products import Mesh
from backend.raster.masks import overlap
from backend.training.geometry.alignment import aligned, through_lens
from backend.training.geometry.comparison import HEIGHT, PANEL, drawn, row
from backend.training.geometry.evaluation import Score, judge, mean, median
from backend.training.geometry.nearest import nearest, sample
from backend.training.geometry.sharp import BESIDE, beside_sharp_edges
from backend.training.geometry.silhouettes import SIDE, depths, occupied, outline, seen_from, seen_from_above
from backend.training.geometry.triangles import Triangles, from_scene, soundness, stands
from tests.backend.training.geometry.known_objects import as_made, ball, box, in_ball, in_box, scaled, truth, voxels

OUTLINES = ("side0", "side45", "side90", "side135", "side180", "top")
numbers = st.floats(-3, 3)
places = st.tuples(numbers, numbers, numbers)


def test_a_body_that_is_the_truth_gets_full_marks() -> None:
    score, prediction = judge(truth(ball(), in_ball()), as_made(ball()))
    assert score.chamfer < 0.006  # as far as one random point is from the next
    assert (score.f02, score.f05) == (1, 1)
    assert score.normals > 0.99
    assert score.volume > 0.99  # the ball of the formula is a little larger than that of triangles
    assert [getattr(score, name) for name in OUTLINES] == [1] * 6
    assert (score.front, score.back) == pytest.approx((0, 0), abs=1e-6)
    assert score.extent == pytest.approx(1)
    assert score[-4:] == (1, 1, 1, 1)  # a ball stays on the flat that half a percent makes
    np.testing.assert_allclose(prediction.box, ball().box, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(size=st.floats(0.1, 10), at=places)
def test_neither_size_nor_place_counts(size: float, at: tuple[float, float, float]) -> None:
    shape = box(0.6, 1, 0.5)
    other = scaled(shape, 0.3, 0.3, 0.8)
    moved = Triangles(other.vertices * size + at, other.faces)
    camera = np.array([0, 0, 2.0])
    for found, expected in (
        (aligned(moved, shape), aligned(other, shape)),
        (through_lens(moved, shape, camera), through_lens(other, shape, camera)),
    ):
        np.testing.assert_allclose(found.vertices, expected.vertices, atol=1e-6)
    np.testing.assert_allclose(aligned(Triangles(shape.vertices * size + at, shape.faces), shape).box, shape.box)


@pytest.mark.parametrize("share", [0.25, 0.5, 2])
def test_depth_of_a_wrong_length_is_counted_from_the_front(share: float) -> None:
    depth = 0.4
    score, prediction = judge(truth(box(0.6, 1, depth), in_box(0.6, 1, depth)), as_made(box(0.6, 1, depth * share)))
    least = min(share, 1 / share)
    assert score.extent == pytest.approx(share)
    assert (score.front, score.back) == pytest.approx((0, depth * abs(1 - share)), abs=1e-6)
    assert (score.side90, score.top, score.volume) == pytest.approx((least, least, least), abs=0.06)
    assert (score.side0, score.side180) == (1, 1)
    assert prediction.box[1][2] == pytest.approx(depth / 2)
    assert score[-4:] == (1, 1, 1, 1)


def test_distances_and_shares_of_points_are_those_between_two_planes() -> None:
    """A wide plate that is 0.03 too thick: half of the points lie on its back, and 0.03 away from the other's."""
    plate, thicker = box(1, 1, 0.05), box(1, 1, 0.08)
    score, _ = judge(truth(plate), as_made(thicker))
    assert np.isnan(score.volume)
    assert score.chamfer == pytest.approx((0.005 + 0.03) / 2, abs=0.003)
    assert score.f05 > 0.99
    assert score.f02 == pytest.approx(0.5, abs=0.07)
    assert score.f01 == pytest.approx(0.5, abs=0.07)
    assert score.normals > 0.9


@settings(max_examples=10)
@given(sides=st.tuples(*[st.floats(0.05, 1)] * 3), seed=st.integers(0, 9))
def test_points_lie_beside_sharp_edges_on_both_of_their_faces(sides: tuple[float, float, float], seed: int) -> None:
    found = beside_sharp_edges(box(*sides), 200, seed)
    assert found is not None
    points, normals = found
    from_sides = np.sort(np.array(sides) / 2 - np.abs(points), axis=1)
    np.testing.assert_allclose(from_sides[:, 0], 0, atol=1e-9)  # on a face
    assert (from_sides[:, 1] <= BESIDE + 1e-9).all()
    np.testing.assert_allclose((np.abs(points * normals).max(axis=1)), np.abs(normals) @ np.array(sides) / 2)
    assert len(np.unique(np.abs(normals), axis=0)) == 3, "all faces of a box have such edges, and no diagonal is one"


def test_softened_edges_are_found_where_averages_hardly_tell_them() -> None:
    cube = box(0.8, 0.8, 0.8)
    cubed, _ = judge(truth(cube), as_made(cube))
    assert cubed.sharp < 1
    rounded = ball()
    pillow = Triangles(np.clip(rounded.vertices, -0.3, 0.3) + 0.2 * rounded.vertices, rounded.faces)
    softened, _ = judge(truth(cube), as_made(pillow))
    assert softened.sharp > cubed.sharp + 15
    assert np.isnan(judge(truth(ball()), as_made(ball()))[0].sharp), "a ball has no sharp edge"


def test_points_that_nobody_sees_are_not_asked_for() -> None:
    hidden = box(0.1, 0.1, 0.1)
    outside = box(0.6, 1, 0.5)
    both = Triangles(
        np.concatenate([outside.vertices, hidden.vertices]), np.concatenate([outside.faces, hidden.faces + 8])
    )
    whole = truth(both)
    alone = judge(truth(outside), as_made(outside))[0]
    assert judge(whole, as_made(outside))[0].chamfer > alone.chamfer + 0.001
    outer = np.arange(24) < 12
    seen = type(whole)("known", both, outer, None, None)
    assert judge(seen, as_made(outside))[0].chamfer == pytest.approx(alone.chamfer)


def test_through_its_lens_the_truth_is_found_again_from_its_picture() -> None:
    """A body of the right depths over the picture, whose rays an engine takes for parallel."""
    shape, camera = box(1, 0.6, 0.8), np.array([0.3, 0.2, 1.5])
    shape = Triangles(seen_from(shape, 30).vertices, shape.faces)
    known = truth(shape, None, camera)
    away = camera[2] - shape.vertices[:, 2]
    pictured = (shape.vertices - camera)[:, :2] / away[:, None]
    middle = np.append(pictured.min(axis=0) + pictured.max(axis=0), 0) / 2
    seen = Triangles(np.column_stack([pictured, shape.vertices[:, 2]]) - middle, shape.faces)
    distance = camera[2] - np.nanmedian(depths(seen, SIDE, float(np.ptp(seen.vertices[:, :2], axis=0).max()) * 0.6)[0])
    body = as_made(Triangles(np.column_stack([pictured * distance, shape.vertices[:, 2]]), shape.faces))
    score, found = judge(known, body, lens=True)
    np.testing.assert_allclose(found.box, shape.box, atol=1e-4)
    assert min(getattr(score, name) for name in OUTLINES) > 0.99
    assert judge(known, body)[0].side0 < 0.95


def test_without_a_camera_there_is_no_lens() -> None:
    for camera in (None, np.zeros(3)):
        with pytest.raises(UserError, match="does not say from where"):
            judge(truth(ball(), None, camera), as_made(ball()), lens=True)


def test_a_mesh_without_a_surface_is_refused_with_a_sentence() -> None:
    flat = as_made(box(1, 1, 1))
    with pytest.raises(UserError, match="no surface"):
        judge(truth(ball()), Mesh(flat.vertices * 0, flat.triangles, flat.uv))


def test_averages_leave_out_what_has_no_number() -> None:
    scores = [Score._make([value] * 19 + [standing]) for value, standing in ((1.0, 1.0), (2.0, 0.0), (6.0, 0.0))]
    scores[0] = scores[0]._replace(volume=float("nan"))
    assert mean(scores)[0] == 3
    assert (mean(scores).volume, median(scores).volume) == (4, 4)
    assert (median(scores).chamfer, median(scores).stands) == (2, 0)
    assert np.isnan(mean([])).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), counts=st.tuples(st.integers(1, 300), st.integers(1, 300)), off=places)
def test_the_nearest_point_is_that_of_all_distances(seed: int, counts: tuple[int, int], off: tuple[float, ...]) -> None:
    random = np.random.default_rng(seed)
    points, others = (random.normal(size=(count, 3)) * random.random(3) for count in counts)
    others += off
    distance, which = nearest(points, others)
    table = np.linalg.norm(points[:, None] - others, axis=2)
    np.testing.assert_allclose(distance, table.min(axis=1), atol=1e-7)
    np.testing.assert_allclose(table[np.arange(len(points)), which], distance, atol=1e-12)


def test_points_lie_on_the_surface_and_everywhere_as_densely() -> None:
    points, normals = sample(box(0.2, 1, 0.5), 20_000, 3)
    on = np.isclose(np.abs(points), [0.1, 0.5, 0.25])
    assert on.any(axis=1).all()
    np.testing.assert_allclose(np.abs(normals).sum(axis=1), 1)
    assert (np.abs(normals)[on] > 0.5).mean() > 0.99
    assert np.abs(normals).mean(axis=0) == pytest.approx(np.array([0.5, 0.1, 0.2]) / 0.8, abs=0.015)
    assert (points > 0).mean(axis=0) == pytest.approx([0.5] * 3, abs=0.015)


@settings(max_examples=20, deadline=None)
@given(sides=st.tuples(*[st.floats(0.1, 1)] * 3))
def test_outlines_depths_and_insides_of_boxes_are_their_sides(sides: tuple[float, float, float]) -> None:
    width, height, depth = sides
    shape = box(*sides)
    pixels = SIDE / 1.5
    for view, across, up in ((shape, width, height), (seen_from(shape, 90), depth, height)):
        shown = outline(view)
        assert shown.any(axis=0).sum() == pytest.approx(across * pixels, abs=1)
        assert shown.any(axis=1).sum() == pytest.approx(up * pixels, abs=1)
    assert outline(seen_from_above(shape)).any(axis=1).sum() == pytest.approx(depth * pixels, abs=1)
    front, back = depths(shape)
    assert (np.nanmin(front), np.nanmax(front)) == pytest.approx((depth / 2, depth / 2))
    assert (np.nanmin(back), np.nanmax(back)) == pytest.approx((-depth / 2, -depth / 2))
    edge = np.abs(np.abs(voxels()) - np.array(sides) / 2).min(axis=-1) < 1e-6
    np.testing.assert_array_equal(occupied(shape)[~edge], in_box(*sides)[~edge])


def test_what_is_right_of_the_front_and_above_comes_to_the_right_place() -> None:
    """A speck on the right, up and in front."""
    speck = Triangles(box(0.1, 0.1, 0.1).vertices + np.array([0.5, 0.3, 0.2]), box(1, 1, 1).faces)
    for view, x, y in ((speck, 0.5, 0.3), (seen_from(speck, 90), -0.2, 0.3), (seen_from_above(speck), 0.5, -0.2)):
        rows, columns = (np.flatnonzero(outline(view).any(axis=axis)).mean() for axis in (1, 0))
        assert (columns + 0.5) / SIDE * 1.5 - 0.75 == pytest.approx(x, abs=0.01)
        assert 0.75 - (rows + 0.5) / SIDE * 1.5 == pytest.approx(y, abs=0.01)
    inside = voxels()[occupied(speck)]
    np.testing.assert_allclose(inside.mean(axis=0), (0.5, 0.3, 0.2), atol=0.02)


def test_a_small_hole_does_not_empty_a_body() -> None:
    shape = ball()
    holed = Triangles(shape.vertices, shape.faces[5:])
    assert overlap(occupied(holed), in_ball()) > 0.97


def test_the_overlap_of_nothing_is_no_number() -> None:
    nothing = np.zeros((4, 4), bool)
    assert np.isnan(overlap(nothing, nothing))
    assert overlap(nothing, ~nothing) == 0


def test_holes_turned_faces_and_parts_are_seen() -> None:
    faces = box(1, 1, 1).faces
    assert soundness(faces) == (True, True, 1)
    assert soundness(faces[1:]) == (False, True, 1)
    turned = faces.copy()
    turned[3] = turned[3, ::-1]
    assert soundness(turned) == (True, False, 1)
    assert soundness(np.concatenate([faces, faces + 8])) == (True, True, 2)
    touching = np.concatenate([faces, np.where(faces == 0, 0, faces + 8)])  # at one corner
    assert soundness(touching) == (True, True, 2)


def test_vertices_at_one_place_are_one() -> None:
    made = as_made(box(1, 0.5, 0.7))
    apart = Mesh(made.vertices[made.triangles].reshape(-1, 3), np.arange(36, dtype=np.int32).reshape(-1, 3), made.uv)
    found = from_scene(apart)
    assert len(found.vertices) == 8
    assert soundness(found.faces) == (True, True, 1)


@settings(max_examples=60, deadline=None)
@given(lean=st.floats(-2, 2), across=st.floats(0.2, 1), turn=st.floats(0, 6.3))
def test_a_leaning_box_stands_if_its_middle_is_above_its_foot(lean: float, across: float, turn: float) -> None:
    """By its shear a box's centre of mass moves by half of what its top moves by."""
    made = as_made(box(1, 1, 1))
    vertices = made.vertices.astype(np.float64) * (across, across, 1)
    vertices[:, 0] += lean * vertices[:, 2]
    c, s = np.cos(turn), np.sin(turn)
    vertices = vertices @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    assume(abs(abs(lean) - across) > 0.01)
    assert stands(Mesh(vertices.astype(np.float32), made.triangles, made.uv)) == (abs(lean) < across)


def test_what_touches_the_floor_at_a_point_or_an_edge_falls() -> None:
    tip = as_made(box(1, 1, 1))
    tip.vertices[tip.vertices[:, 2] < 0.5, :2] = 0
    assert not stands(tip)
    edge = as_made(box(1, 1, 1))
    edge.vertices[edge.vertices[:, 2] < 0.5, 0] = 0
    assert not stands(edge)
    plane = as_made(box(1, 1, 1))
    flat = Mesh(plane.vertices * np.array([1, 1, 0], np.float32), plane.triangles, plane.uv)
    assert stands(flat)  # it lies; without a volume its surface is its mass


def test_the_sheet_shows_the_picture_and_the_truth_above_the_body() -> None:
    picture = np.zeros((30, 50, 4), np.uint8)
    picture[5:25, 5:45] = (200, 10, 10, 255)
    shown = row(picture, ball(), scaled(ball(), 1, 1, 0.5))
    assert shown.shape == (HEIGHT, HEIGHT + 4 * PANEL, 3)
    assert tuple(shown[HEIGHT // 2, HEIGHT // 2]) == (200, 10, 10)
    assert shown[0, 0].min() == 255
    widths = [
        [(panel.min(axis=2) < 250).any(axis=0).sum() for panel in np.split(half[:, HEIGHT:], 4, axis=1)]
        for half in np.split(shown, 2)
    ]
    assert max(widths[0]) - min(widths[0]) <= 2
    assert widths[1][2] == pytest.approx(widths[0][2] / 2, abs=2)
    assert widths[1][0] == widths[0][0] == widths[1][3]


def test_the_colours_of_a_view_are_its_normals() -> None:
    shown = drawn(ball(), 65)
    assert shown[32, 32] == pytest.approx((128, 128, 255), abs=8)
    at = 32 + int(0.35 / 1.3 * 65)
    lean = 127.5 + 127.5 * 0.7
    assert shown[32, at, 0] == pytest.approx(lean, abs=12)
    assert shown[64 - at, 32, 1] == pytest.approx(lean, abs=12)
    inside_out = drawn(Triangles(ball().vertices, ball().faces[:, ::-1]), 65)
    assert inside_out[32, 32] == pytest.approx((128, 128, 255), abs=8)
