# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh gets colours all round: the picture's own in front, none of its face behind."""

import math
from dataclasses import replace

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.errors import Cancelled
from backend.flow.products import Crop, Cutout, Mesh, NormalMap
from backend.raster.colour import linear_to_srgb, srgb_to_linear
from backend.texture.errors import CannotPaintError
from backend.texture.paint import paint
from backend.texture.sight import sight
from backend.texture.stages import COLOURED, COLOURS
from tests.backend.texture.shapes import ball
from tests.backend.texture.test_behind import BLUE, COLUMNS, disc, portrait

SIDE = 128
(COLOUR,) = (each for each in COLOURED if each.name == "colour")


def ignore(_step: int, _of: int) -> None:
    """A report that nobody reads."""


def made(turn: float = 0.0) -> tuple[Mesh, Cutout, NormalMap]:
    """The portrait on a ball, turned about x by so many degrees since."""
    points, triangles = ball(24, 50.0)
    colours, inside = portrait()
    rgba = np.concatenate([np.rint(colours * 255), inside[..., None] * 255], axis=2).astype(np.uint8)
    uv = points[:, :2] / SIDE
    x, y, z = (points / SIDE - (0.5, 0.5, 0)).T
    angle = np.radians(turn)
    back, up = -z, y
    vertices = np.stack(
        [x, back * np.cos(angle) - up * np.sin(angle), back * np.sin(angle) + up * np.cos(angle)], axis=1
    )
    normals = np.zeros((SIDE, SIDE, 3), np.float32)
    rows, columns = np.indices((SIDE, SIDE)) + 0.5
    normals[..., 0], normals[..., 1] = (columns - 64) / 50, (64 - rows) / 50
    normals[..., 2] = np.sqrt(np.clip(1 - (normals**2).sum(axis=2), 0.05, None))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    mesh = Mesh(vertices.astype(np.float32), triangles, uv.astype(np.float32))
    return mesh, Cutout(rgba, Crop(0, 0, SIDE, SIDE, SIDE)), NormalMap(normals, inside.astype(np.float32))


def colours_at(mesh: Mesh, directions: Float64Array) -> Float64Array:
    """The texture's colours, in [0, 1], at the triangles that lie in these directions from the middle, (N, 3)."""
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    middles = mesh.vertices[mesh.triangles].mean(axis=1)
    nearest = np.argmax(middles @ np.asarray(directions).T, axis=0)
    place = mesh.corner_uv[nearest].mean(axis=1)
    size = mesh.texture.base_colour.shape[0]
    at = (((1 - place[:, 1]) * size).astype(int), (place[:, 0] * size).astype(int))
    return mesh.texture.base_colour[at][:, :3] / 255


EYE = np.array([(-0.32, -0.9, 0.28)])  # where the picture shows one, from the front


def test_the_front_shows_the_picture_and_the_back_no_face() -> None:
    mesh, cutout, normal_map = made()
    painted = paint(mesh, cutout, normal_map, cutout.rgba, most=256, report=ignore)
    eye, opposite = colours_at(painted, EYE)[0], colours_at(painted, EYE * (1, -1, 1))[0]
    assert eye.min() > 0.75
    assert opposite[2] > 2 * opposite[0]  # blue, as the body beside it is
    belt = colours_at(painted, np.array([(0.0, -0.86, -0.5), (0.0, 0.86, -0.5), (0.86, 0, -0.5), (-0.86, 0, -0.5)]))
    assert (belt[:, 0] > 1.25 * belt[:, 2]).all()  # goes round


def test_a_face_ends_soon_behind_the_edge_of_what_is_seen() -> None:
    """Most of it is enclosed; a line parts it from the rest, which the picture shows up to the outline."""
    mesh, cutout, normal_map = made()
    rgba, face = cutout.rgba.copy(), disc(64, 88, 26)
    rgba[face & (rgba[..., 3] > 0), :3] = 230
    rgba[face & (np.abs(COLUMNS - 99) < 2), :3] = np.rint(255 * np.array(BLUE))
    painted = paint(mesh, replace(cutout, rgba=rgba), normal_map, rgba, most=256, report=ignore)
    seen, beside, behind = colours_at(painted, np.array([(0.8, -0.6, 0), (0.97, 0.25, 0), (0.8, 0.6, 0)]))
    assert seen[0] > 0.8
    for hidden in (beside, behind):
        assert hidden[2] > 1.5 * hidden[0], "blue, as the body around the face is"


def test_the_pictures_own_pixels_are_copied() -> None:
    mesh, cutout, normal_map = made()
    painted = paint(mesh, cutout, normal_map, cutout.rgba, report=ignore)
    assert painted.texture is not None
    assert painted.texture.base_colour is not None
    image = painted.texture.base_colour[..., :3]
    patch = cutout.rgba[56:72, 56:72, :3]
    windows = np.lib.stride_tricks.sliding_window_view(image, patch.shape).reshape(-1, patch.size)
    assert np.abs(windows.astype(int) - patch.reshape(-1)).max(axis=1).min() <= 1


def test_it_is_the_same_however_the_mesh_was_turned_since() -> None:
    plain, turned = made(), made(25.0)
    directions = np.random.default_rng(0).normal(size=(400, 3))
    angle = np.radians(25.0)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    found = [
        colours_at(paint(*each, each[1].rgba, most=256, report=ignore), towards)
        for each, towards in ((plain, directions), (turned, directions @ turn.T))
    ]
    assert (np.abs(found[0] - found[1]).max(axis=1) > 0.1).mean() < 0.03


def test_a_long_body_that_is_seen_from_near_is_seen() -> None:
    """Its far end is half as large in the picture, which no affine map explains."""
    points = ball(16, 1.0, (0, 0, 0))[0] * (0.3, 0.3, 2.0)
    points[:, 0] += 0.4 * points[:, 2]
    eye = 5.0
    uv = 0.5 + 0.8 * points[:, :2] / (eye - points[:, 2:])
    mesh = Mesh((points[:, [0, 2, 1]] * (1, -1, 1)).astype(np.float32), ball(16)[1], uv.astype(np.float32))
    seen = sight(mesh, SIDE)
    np.testing.assert_allclose(seen[:, :2], uv * SIDE, atol=1e-4)
    slope = np.polyfit(points[:, 2], seen[:, 2], 1)[0]
    np.testing.assert_allclose(seen[:, 2], slope * (points[:, 2] - points[:, 2].mean()), atol=0.05)
    assert slope == pytest.approx(0.8 / eye * SIDE, rel=0.05)


def test_light_from_the_left_can_be_taken_out() -> None:
    mesh, cutout, normal_map = made()
    lit = np.clip(0.5 - 0.35 * normal_map.normals[..., :1], 0, 1) * np.array((1.0, 0.8, 0.6))
    rgba = cutout.rgba.copy()
    rgba[..., :3] = np.rint(255 * linear_to_srgb(lit.astype(np.float32)))
    sides = np.array([(-0.6, -0.8, 0.0), (0.6, -0.8, 0.0)])
    as_it_is, without = (
        colours_at(paint(mesh, replace(cutout, rgba=rgba), normal_map, rgba, most=256, lit=kept, report=ignore), sides)
        for kept in (True, False)
    )
    assert as_it_is[0, 0] - as_it_is[1, 0] > 0.2
    assert abs(without[0, 0] - without[1, 0]) < 0.05
    np.testing.assert_allclose(srgb_to_linear(without[0].astype(np.float32)) / 0.5, (1.0, 0.8, 0.6), rtol=0.15)


def test_the_picture_stays_on_it_beside_its_own_image() -> None:
    mesh, cutout, normal_map = made()
    painted = paint(mesh, cutout, normal_map, cutout.rgba, most=256, report=ignore)
    np.testing.assert_array_equal(painted.picture_uv, mesh.uv)
    assert painted.uv.shape == (len(mesh.triangles), 3, 2)
    assert (painted.uv >= 0).all()
    assert (painted.uv <= 1).all()


def test_a_mesh_that_cannot_be_painted_keeps_the_picture_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    mesh, cutout, normal_map = made()
    scattered = replace(mesh, uv=np.random.default_rng(0).random(mesh.uv.shape).astype(np.float32))
    with pytest.raises(CannotPaintError):
        sight(scattered, SIDE)
    empty = replace(mesh, triangles=mesh.triangles[:0])
    for each, why in ((scattered, "CannotPaintError"), (empty, "zero-size array")):
        caplog.clear()
        noted = COLOUR.run(
            each, cutout, normal_map, cutout.rgba, None, colours="all_round", remove_light=False, report=ignore
        )
        assert noted.product is each
        assert "front and back" in noted.notes[0]
        assert why in caplog.text, "with its traceback"


def test_a_black_picture_makes_a_black_mesh() -> None:
    mesh, cutout, normal_map = made()
    black = cutout.rgba * np.array((0, 0, 0, 1), np.uint8)
    painted = COLOUR.run(
        mesh, replace(cutout, rgba=black), normal_map, black, None, colours="1024", remove_light=False, report=ignore
    )
    assert not painted.texture.base_colour[..., :3].any()


def test_the_front_can_be_mirrored() -> None:
    mesh, cutout, normal_map = made()
    assert (
        COLOUR.run(mesh, cutout, normal_map, cutout.rgba, None, colours="front", remove_light=True, report=ignore)
        is mesh
    )
    assert COLOURS.default == "all_round"


def test_somebody_can_end_it_whenever_it_reports() -> None:
    mesh, cutout, normal_map = made()
    steps: list[int] = []

    def report(step: int, _of: int) -> None:
        steps.append(step)
        if step >= last:  # what runs on threads reports by time
            raise Cancelled

    last = math.inf
    COLOUR.run(mesh, cutout, normal_map, cutout.rgba, None, colours="1024", remove_light=False, report=report)
    whole = list(steps)
    assert whole == sorted(whole)
    assert len(whole) > 60
    for last in (whole[0], whole[len(whole) // 3], whole[len(whole) // 2], whole[-1]):
        steps.clear()
        with pytest.raises(Cancelled):
            COLOUR.run(mesh, cutout, normal_map, cutout.rgba, None, colours="1024", remove_light=False, report=report)
        assert sum(step >= last for step in steps) == 1
