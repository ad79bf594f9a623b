# SPDX-License-Identifier: GPL-3.0-or-later
"""Any mesh gets colours all round by a known camera, and keeps its triangles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import UserError
from backend.flow.products import Camera, Mesh, Noted
from backend.texture.finer import finer
from backend.texture.own_uv import usable
from backend.texture.pack import shelved
from backend.texture.paint_mesh import paint_mesh
from backend.texture.sight import Sight
from backend.texture.winding import inward, welded
from tests.backend.texture.photographs import as_cutout, box, camera_at, colour_at, joined, photographed, thing
from tests.backend.texture.shapes import nothing

SIDE = 256
CAMERA = camera_at(30, 25, 2.6, 40, (0.05, 0, 0.4))
CUBE = joined([box((-0.5, -0.5, 0.0), (0.5, 0.5, 1.0))])


def ignore(_step: int, _of: int) -> None:
    """A report that nobody reads."""


def painted(
    mesh: Mesh, camera: Camera = CAMERA, *, shown: Mesh | None = None, most: int = 512, keep_uv: bool = True
) -> tuple[Mesh, tuple[str, ...]]:
    """The mesh in the colours of a picture of it, or of `shown`, and the notes."""
    picture, normal_map = photographed(shown or mesh, CAMERA, (SIDE, SIDE))
    cutout = as_cutout(picture)
    made = paint_mesh(mesh, camera, cutout, normal_map, picture, most=most, keep_uv=keep_uv, report=ignore)
    return (made.product, made.notes) if isinstance(made, Noted) else (made, ())


def error_on(mesh: Mesh, triangles: list[int]) -> float:
    """By how much the image's colours differ from those of the places, well inside of some triangles; a median."""
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    rng = np.random.default_rng(3)
    shares = rng.dirichlet([3, 3, 3], 400)
    which = rng.choice(triangles, 400)
    where = np.einsum("pc,pcx->px", shares, mesh.vertices[mesh.triangles[which]].astype(np.float64))
    uv = np.einsum("pc,pcx->px", shares, mesh.corner_uv[which].astype(np.float64))
    size = mesh.texture.base_colour.shape[0]
    at = (((1 - uv[:, 1]) * size).astype(int).clip(0, size - 1), (uv[:, 0] * size).astype(int).clip(0, size - 1))
    return float(np.median(np.abs(mesh.texture.base_colour[at][:, :3] / 255 - colour_at(where)).max(axis=1)))


FRONT = [6 - 2, 5, 6, 7]  # the triangles of the cube's sides to -y and +x, which the camera sees


def test_large_triangles_show_the_picture_in_perspective() -> None:
    mesh, notes = painted(CUBE)
    assert notes == ()
    np.testing.assert_array_equal(mesh.triangles, CUBE.triangles)
    np.testing.assert_array_equal(mesh.vertices, CUBE.vertices)
    assert error_on(mesh, FRONT) < 0.02


def test_windings_and_loose_triangles_change_nothing_that_is_seen() -> None:
    places = CUBE.vertices[CUBE.triangles].reshape(-1, 3)
    triangles = np.arange(36, dtype=np.int32).reshape(-1, 3)
    triangles[::2] = triangles[::2, ::-1]
    loose = Mesh(places, triangles, np.zeros((36, 2), np.float32))
    mesh, _ = painted(loose, shown=CUBE)
    np.testing.assert_array_equal(mesh.triangles, triangles)
    assert error_on(mesh, FRONT) < 0.02


def test_a_sheet_with_two_sides_in_one_place_is_painted() -> None:
    corners = np.array([(-0.5, 0, 0), (0.5, 0, 0), (0.5, 0, 1), (-0.5, 0, 1)], np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3), (0, 2, 1), (0, 3, 2)], np.int32)
    sheet = Mesh(corners, triangles, np.zeros((4, 2), np.float32))
    mesh, _ = painted(sheet)
    assert error_on(mesh, [0, 1]) < 0.03
    assert error_on(mesh, [2, 3]) < 0.03


@pytest.mark.parametrize("count", [1, 2])
def test_very_few_triangles_are_enough(count: int) -> None:
    few = Mesh(np.array([(-0.5, 0, 0), (0.5, 0, 0), (0.5, 0, 1), (-0.5, 0, 1)], np.float32),
               np.array([(0, 1, 2), (0, 2, 3)], np.int32)[:count], np.zeros((4, 2), np.float32))  # fmt: skip
    assert error_on(painted(few)[0], list(range(count))) < 0.03


def own_uv(scale: float = 1.0) -> Mesh:
    """The cube with a cell of the image for each of its triangles."""
    cell = np.array([(0.1, 0.1), (0.9, 0.1), (0.1, 0.9)])
    row, column = np.divmod(np.arange(12), 4)
    corner = np.stack([column, row], axis=1)[:, None]
    return replace(CUBE, uv=((cell + corner) / 4 * scale).astype(np.float32))


def test_own_uvs_are_kept_if_they_can_be() -> None:
    mesh, notes = painted(own_uv())
    np.testing.assert_allclose(mesh.uv, own_uv().uv, atol=1e-6)
    assert notes == ()
    assert error_on(mesh, FRONT) < 0.04


@pytest.mark.parametrize("mesh", [own_uv(2.0), replace(own_uv(), uv=np.full((12, 3, 2), 0.5, np.float32)),
                                  replace(own_uv(), uv=np.tile(own_uv().uv[:1], (12, 1, 1)))],
                         ids=["outside", "without area", "over each other"])  # fmt: skip
def test_uvs_that_no_image_can_be_painted_into_are_replaced(mesh: Mesh) -> None:
    made, (note,) = painted(mesh)
    assert "new ones" in note
    areas = np.ones(12)
    assert usable(made.corner_uv, areas, nothing)


def flakes(count: int) -> Mesh:
    """So many small triangles that touch nothing."""
    rng = np.random.default_rng(1)
    middles = rng.uniform((-0.4, -0.3, 0.1), (0.4, 0.3, 0.9), (count, 1, 3))
    places = (middles + rng.normal(scale=0.02, size=(count, 3, 3))).reshape(-1, 3).astype(np.float32)
    triangles = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    return Mesh(places, triangles, np.zeros((3 * count, 2), np.float32))


def test_thousands_of_loose_pieces_lie_in_rows() -> None:
    mesh, _ = painted(flakes(1500), most=1024)
    assert usable(mesh.corner_uv, np.ones(1500), nothing)


def test_pieces_without_room_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.texture.atlas.SIZES", (32,))
    with pytest.raises(UserError) as caught:
        painted(flakes(1000), most=32)
    assert caught.value.code == "no-room"


def test_a_camera_within_the_mesh_is_refused() -> None:
    within = Camera(np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0.5], [0, 0, 0, 1.0]]), 40)
    with pytest.raises(UserError) as caught:
        painted(CUBE, within)
    assert caught.value.code == "camera-in-mesh"


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_boxes_on_shelves_have_a_pixel_between_them(extents: list[tuple[float, float]]) -> None:
    size, boxes = 128, np.array(extents)
    places = shelved(boxes, size)
    if places is None:
        assert (np.floor(boxes) + 2).prod(axis=1).sum() > 0.3 * size**2
        return
    low, high = np.floor(places), np.ceil(places + boxes)
    assert low.min() >= 1
    assert high.max() <= size
    for one in range(len(boxes)):
        apart = ((low >= high[one]) | (high <= low[one])).any(axis=1)
        apart[one] = True
        assert apart.all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_linear_field_stays_linear_on_a_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 100, (6, 3))
    triangles = rng.permuted(np.tile(np.arange(6, dtype=np.int32), (4, 1)), axis=1)[:, :3]
    grid = finer(Sight(points, triangles), np.tile((0.0, 0.0, 1.0), (6, 1)), 7.0, nothing)
    which, shares = rng.integers(0, 4, 50), rng.dirichlet([1, 1, 1], 50)
    found = grid.blended(grid.points, which, shares)
    np.testing.assert_allclose(found, Sight(points, triangles).at(which, shares), atol=0.1)


def test_seen_triangles_face_outward_whatever_their_winding() -> None:
    mesh = thing()
    points = mesh.vertices.astype(np.float64)[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
    rng = np.random.default_rng(2)
    mixed = mesh.triangles.copy()
    wrong = rng.random(len(mixed)) < 0.5
    mixed[wrong] = mixed[wrong][:, ::-1]
    turned = inward(points, mixed, nothing)
    assert (turned == wrong).mean() > 0.85  # those within others are seen by nobody


def test_vertices_at_one_place_are_one() -> None:
    places = np.array([(0, 0, 0), (1, 0, 0), (-0.0, 0, 0), (1, 0, 0)], np.float32)
    assert welded(places, np.array([(0, 1, 2), (2, 3, 1)], np.int32)).tolist() == [[0, 1, 0], [0, 1, 1]]
