# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of a mesh is what is known of plates, balls, tubes, cones and boxes."""

import numpy as np
import pytest
import trimesh
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.inspection.inspection import Inspection, inspect
from backend.inspection.walls import thickness
from backend.inspection.words import findings
from tests.backend.mesh.solids import BOX, SIDES, ball

few = settings(max_examples=6, deadline=None)
millimetres = st.floats(0.2, 50)


def measured(shape: trimesh.Trimesh, wall: float = 1.0) -> Inspection:
    """Measure one of trimesh's shapes, in millimetres."""
    found = inspect(np.array(shape.vertices) / 1000, np.array(shape.faces), wall)
    assert found is not None
    return found


def turned(shape: trimesh.Trimesh, angles: tuple[float, float, float]) -> trimesh.Trimesh:
    shape.apply_transform(trimesh.transformations.euler_matrix(*angles))
    return shape


angles = st.tuples(*[st.floats(0, 6)] * 3)


@few
@given(millimetres, angles)
@example(5.0, (0.0, 0.0, 0.0))
@example(5.0, (1.0, 2.0, 3.0))
def test_a_plate_is_as_thick_as_it_is_however_it_lies(thick: float, how: tuple[float, float, float]) -> None:
    found = measured(turned(trimesh.creation.box((60, 70, thick)), how), wall=5.0)
    sides = 2 * (60 + 70) * thick / (2 * (60 * 70 + (60 + 70) * thick))
    assert found.thinnest == pytest.approx(thick / 1000, rel=1e-4)
    assert found.thin == pytest.approx(1 - sides if thick < 5 * (1 - 1e-4) else 0.0, abs=0.01)
    assert found.volume == pytest.approx(60 * 70 * thick * 1e-9, rel=1e-4)
    assert found.area == pytest.approx((2 * 60 * 70 + 2 * (60 + 70) * thick) * 1e-6, rel=1e-4)


@few
@given(millimetres, angles)
def test_a_ball_is_as_thick_as_its_diameter(radius: float, how: tuple[float, float, float]) -> None:
    points, faces = ball(48, 24)
    shape = turned(trimesh.Trimesh(points * radius, faces, process=False), how)
    thick = thickness(np.array(shape.vertices), faces.astype(np.int64), 2000)
    assert len(thick) > 1990
    np.testing.assert_allclose(thick, 2 * radius, rtol=0.02)


@few
@given(st.floats(0.3, 4), angles)
def test_a_tube_is_as_thick_as_its_wall(wall: float, how: tuple[float, float, float]) -> None:
    shape = turned(trimesh.creation.annulus(10 - wall, 10, 30, sections=64), how)
    found = measured(shape, wall=wall * 1.05)
    assert found.thinnest == pytest.approx(wall / 1000, rel=0.03)
    ends = 2 * np.pi * (100 - (10 - wall) ** 2)
    sides = 2 * np.pi * (20 - wall) * 30
    assert found.thin == pytest.approx(sides / (sides + ends), abs=0.03)


@few
@given(st.floats(10, 80))
def test_a_cone_hangs_over_if_its_side_is_steeper_than_45_degrees(angle: float) -> None:
    """On its tip, its side leans by this angle from the vertical."""
    height = 20.0
    shape = trimesh.creation.cone(height * np.tan(np.radians(angle)), height, sections=32)
    found = measured(turned(shape, (np.pi, 0, 0)))
    side, cap = 1 / np.sin(np.radians(angle)), 1.0
    if abs(angle - 45) > 0.5:
        assert found.overhang == pytest.approx(side / (side + cap) if angle > 45 else 0.0, abs=0.001)
    assert not found.stands


def test_what_lies_on_the_floor_hangs_over_nothing() -> None:
    assert measured(trimesh.creation.cone(20, 20)).overhang == pytest.approx(0.0, abs=1e-9)


@few
@given(st.floats(0.05, 5), st.floats(0.1, 5))
def test_a_box_tips_over_when_its_middle_is_above_its_edge(width: float, height: float) -> None:
    found = inspect(BOX * (width, 5, height), SIDES)
    assert found
    assert found.tilt
    assert found.tilt == pytest.approx(min(np.degrees(np.arctan2(width, height)), 45.0), abs=0.01)
    assert found.stands == (found.tilt >= 2)


def test_a_ball_does_not_stand_and_a_table_does() -> None:
    points, faces = ball(120, 60)
    rolling = inspect(points, faces)
    assert rolling
    assert not rolling.stands
    legs = [trimesh.creation.box((1, 1, 10)).apply_translation((x, y, 5)) for x in (-5, 5) for y in (-5, 5)]
    table = measured(
        trimesh.util.concatenate([*legs, trimesh.creation.box((12, 12, 1)).apply_translation((0, 0, 10.5))])
    )
    assert table.tilt == pytest.approx(np.degrees(np.arctan2(5.5, 9.3)), abs=0.1)
    uneven = BOX.copy()
    uneven[0, 2] -= 0.01
    rocking = inspect(uneven, SIDES)
    assert rocking
    assert rocking.stands, "it rocks by less than a degree"


def test_holes_crowded_edges_turned_faces_and_parts_are_counted() -> None:
    closed = inspect(BOX, SIDES)
    assert closed
    assert (closed.closed, closed.parts, closed.vertices, closed.triangles) == (True, 1, 8, 12)
    opened = inspect(BOX, SIDES[:-1])
    assert opened
    assert (opened.open_edges, opened.volume, opened.thin, opened.tilt) == (3, None, None, None)
    crowded = inspect(np.concatenate([BOX, [[0, 0, 3]]]), np.concatenate([SIDES, [[1, 7, 8]]]))
    assert crowded
    assert (crowded.crowded_edges, crowded.open_edges) == (1, 2)
    turned_ = SIDES.copy()
    turned_[0] = turned_[0, ::-1]
    disagreeing = inspect(BOX, turned_)
    assert disagreeing
    assert (disagreeing.turned_edges, disagreeing.closed) == (3, False)
    two = inspect(np.concatenate([BOX, BOX + 5]), np.concatenate([SIDES, SIDES + 8]))
    assert two
    assert (two.parts, two.closed) == (2, True)
    inward = inspect(BOX, SIDES[:, ::-1])
    assert inward
    assert (inward.inside_out, inward.volume, inward.thinnest) == (True, pytest.approx(8), pytest.approx(2))


def test_copies_of_vertices_at_seams_are_one_and_nothing_has_no_surface() -> None:
    soup = inspect(BOX[SIDES].reshape(-1, 3), np.arange(36).reshape(-1, 3))
    assert soup
    assert soup.closed
    assert inspect(BOX, SIDES[:0]) is None
    assert inspect(BOX * (0, 0, 1), SIDES) is None


def test_it_is_told_in_sentences_and_flaws_are_marked() -> None:
    found = measured(trimesh.creation.box((20, 30, 40)))
    assert [each.sentence for each in findings(found, (512, 256))] == [
        "Its size is 20 x 30 x 40 mm.",
        "It has 12 triangles in one piece.",
        "It is closed and holds 24 cm³.",
        "Its walls are at least 20 mm thick at 99 % of the surface.",
        "Nothing hangs over by more than 45°.",
        "It stands, and tips over from 27° on.",
        "Its texture has 512 x 256 pixels.",
    ]
    assert not any(each.flaw for each in findings(found))
    opened = inspect(BOX * 10, SIDES[:-1])
    assert opened
    assert [each.sentence for each in findings(opened) if each.flaw] == ["It is not closed. Open edges: 3."]
    assert findings(opened)[0].sentence == "Its size is 20 x 20 x 20 m."
    thin = measured(trimesh.creation.box((20, 20, 0.5)))
    assert [each.sentence for each in findings(thin) if each.flaw] == ["95.2 % of its surface is thinner than 1 mm."]
