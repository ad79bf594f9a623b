# SPDX-License-Identifier: GPL-3.0-or-later
"""What every mesh goes through behind the surface: cleaned, reduced, placed, and the picture laid on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import UserError
from backend.flow.products import Crop, Cutout, Mesh, Noted
from backend.mesh import check
from backend.mesh.clean import clean
from backend.mesh.parts import drop_floaters
from backend.mesh.place import place
from backend.mesh.project import project
from backend.mesh.reduce import FACES as MANY
from backend.mesh.reduce import reduce

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
OPAQUE = np.full((64, 64, 4), 255, np.uint8)


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def mesh(vertices: NDArray[Any], triangles: NDArray[Any] = FACES) -> Mesh:
    """A mesh in the cut-out's frame."""
    return Mesh(vertices.astype(np.float32), triangles, (vertices[:, [0, 2]] + 0.5).astype(np.float32))


def cleaned(given: Mesh, **stray: Any) -> tuple[Mesh, tuple[str, ...]]:
    """A mesh after cleaning, and the notes on it."""
    done = clean(given, report=ignore, **stray)
    return (done.product, done.notes) if isinstance(done, Noted) else (done, ())


def finished(given: Mesh, faces: int = MANY) -> Mesh:
    """A mesh as it stands in the scene."""
    return place(reduce(cleaned(given)[0], faces=faces, report=ignore), report=ignore)


@given(
    scale=st.tuples(*[st.floats(0.01, 10)] * 3),
    shift=st.tuples(*[st.floats(-5, 5)] * 3),
    inverted=st.booleans(),
)
def test_it_stands_centred_on_the_floor_outward_and_one_metre_long(
    *, scale: tuple[float, float, float], shift: tuple[float, float, float], inverted: bool
) -> None:
    done = finished(mesh(CORNERS * scale + shift, FACES[:, ::-1] if inverted else FACES))
    low, high = done.vertices.min(axis=0), done.vertices.max(axis=0)
    assert (high - low).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(low[:2], -high[:2], atol=1e-5)
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert check.signed_volume(done.vertices, done.triangles) > 0
    assert (done.vertices.dtype, done.triangles.dtype, done.uv.dtype) == (np.float32, np.int32, np.float32)


def test_uv_moves_to_the_pictures_frame() -> None:
    # The upper left quarter of a picture of 200 x 100 pixels, and a bit beyond its left border.
    corners = np.array([[-0.5, 0, 0.5], [0.5, 0, 0.5], [-0.5, 1, -0.5], [0.5, 0, -0.5]])
    cutout = Cutout(OPAQUE, Crop(left=-10, top=0, side=50, picture_width=200, picture_height=100))
    inner = mesh(corners * 0.5)  # clear of the outline, where the picture is drawn inwards
    done = project(inner, cutout, report=ignore)
    np.testing.assert_allclose(done.uv, [[0.0125, 0.875], [0.1375, 0.875], [0.0125, 0.625], [0.1375, 0.625]], atol=1e-6)


def test_vertices_that_no_triangle_uses_are_dropped() -> None:
    done = finished(mesh(np.concatenate([[[9, 9, 9]], CORNERS]), FACES + 1))
    assert len(done.vertices) == len(done.uv) == 4


def test_specks_are_dropped_and_small_parts_stay() -> None:
    parts = np.concatenate([CORNERS, CORNERS * 0.005 + 2, CORNERS * 0.1 - 1])
    done = finished(mesh(parts, np.concatenate([FACES, FACES + 4, FACES + 8])))
    assert len(done.triangles) == 8


def test_the_face_budget_is_kept() -> None:
    turn = 2 * np.pi * np.arange(60) / 60
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(60)], axis=1)
    cone = np.concatenate([ring, [[0, 0, 1], [0, 0, -1]]])
    here, there = np.arange(60), (np.arange(60) + 1) % 60
    sides = [np.stack([here, there, np.full(60, 60)], 1), np.stack([there, here, np.full(60, 61)], 1)]
    done = finished(mesh(cone, np.concatenate(sides).astype(np.int32)), faces=40)
    assert len(done.triangles) <= 40
    assert check.is_closed(done.triangles)


def test_a_note_says_how_many_stray_parts_went() -> None:
    parts = np.concatenate([CORNERS, CORNERS * 0.005 + 2, CORNERS * 0.004 - 1])
    triangles = np.concatenate([FACES, FACES + 4, FACES + 8])
    assert cleaned(mesh(parts, triangles))[1] == ("2 stray parts were removed.",)
    assert cleaned(mesh(parts[:8], triangles[:8]))[1] == ("1 stray part was removed.",)
    assert cleaned(mesh(CORNERS))[1] == ()
    flake = np.concatenate([CORNERS, CORNERS * [0.2, 0.2, 0.01] - 1])
    assert cleaned(mesh(flake, triangles[:8]))[1] == ()
    assert cleaned(mesh(flake, triangles[:8]), stray=drop_floaters)[1] == ("1 stray part was removed.",)


def test_without_stray_parts_to_drop_every_triangle_stays_as_it_was() -> None:
    """Open ones too."""
    given = mesh(np.concatenate([CORNERS, CORNERS * 0.005 + 2]), np.concatenate([FACES, FACES[1:] + 4]))
    same, notes = cleaned(given, stray=None)
    done = place(same, report=ignore)
    np.testing.assert_array_equal(done.triangles, given.triangles)
    size = np.ptp(given.vertices, axis=0).max()
    np.testing.assert_allclose((done.vertices - done.vertices[0]) * size, given.vertices - given.vertices[0], atol=1e-6)
    assert notes == ()


@pytest.mark.parametrize("faces", [600, MANY])
def test_colours_and_normals_come_along(faces: int) -> None:
    turn = 2 * np.pi * np.arange(60) / 60
    rings = [np.stack([np.cos(turn), np.sin(turn), np.full(60, z)], axis=1) for z in np.linspace(-1, 1, 20)]
    points = np.concatenate([*rings, [[0, 0, 1], [0, 0, -1]]])
    here, there = np.arange(60), (np.arange(60) + 1) % 60
    sides = [np.stack([1140 + here, 1140 + there, 0 * here + 1200], 1), np.stack([there, here, 0 * here + 1201], 1)]
    for row in range(0, 1140, 60):
        sides += [np.stack([row + here, row + there, row + 60 + there], 1)]
        sides += [np.stack([row + here, row + 60 + there, row + 60 + here], 1)]
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    given = replace(
        mesh(points, np.concatenate(sides).astype(np.int32)),
        colours=(points / 2 + 0.5).astype(np.float32),
        normals=normals.astype(np.float32),
    )
    done = finished(given, faces=faces)
    assert len(done.triangles) <= min(faces, len(given.triangles))
    assert done.colours is not None
    assert done.normals is not None
    placed = (done.vertices - [0, 0, 0.5]) * 2
    np.testing.assert_allclose(done.colours, placed / 2 + 0.5, atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(done.normals, axis=1), 1, atol=1e-5)
    outward = placed / np.linalg.norm(placed, axis=1, keepdims=True)
    assert ((done.normals * outward).sum(axis=1)).min() > 0.95


@pytest.mark.parametrize("triangles", [np.zeros((0, 3), np.int32), np.zeros((1, 3), np.int32)])
def test_a_mesh_without_extent_is_an_error(triangles: NDArray[Any]) -> None:
    with pytest.raises(UserError) as caught:
        place(mesh(CORNERS, triangles), report=ignore)
    assert caught.value.code == "empty-mesh"


def test_a_mesh_with_seams_is_not_reduced() -> None:
    with pytest.raises(ValueError, match="by corner"):
        reduce(replace(mesh(CORNERS), uv=np.zeros((4, 3, 2), np.float32)), faces=1_000, report=ignore)
