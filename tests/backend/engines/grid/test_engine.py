# SPDX-License-Identifier: GPL-3.0-or-later
"""Views become a mesh in their colours, and views that cannot be used are refused or left out with a sentence."""

from dataclasses import replace

import numpy as np
import pytest

from backend.engines import TOOLS
from backend.engines.grid.views import CutViews, cut_views, place_normals, place_views, resized
from backend.errors import UserError
from backend.flow.pipeline import Pipeline, Progress
from backend.flow.products import Camera, Mesh, Noted, Picture, Views
from backend.flow.request import Request
from backend.mesh.check import is_closed
from backend.mesh.place import place
from backend.normals.image import to_picture
from backend.texture.camera import orbit, pixels
from tests.backend.texture.photographs import box, joined, photographed

GRID = TOOLS["grid"]
SIDE = 64
QUICK = {"cells": 16, "steps": 10, "image_size": "1024", "faces": 2000}
CAMERAS = tuple(orbit(30 + 60 * k, (20, -10)[k % 2], 2.4, 40) for k in range(6))
BODY = joined([box((-0.5, -0.3, -0.2), (0.5, 0.3, 0.2))])


class Quiet:
    """A watcher that looks away."""

    def progressed(self, progress: Progress) -> None:
        """Progress is not shown."""

    def made(self, name: str, product: object) -> None:
        """Products are not shown."""


def ignore(_step: int, _of: int) -> None:
    """A report that nobody reads."""


def rendered() -> tuple[Views, Views]:
    """Views of a box, and their normal maps."""
    pictures, maps = zip(*(photographed(BODY, camera, (SIDE, SIDE)) for camera in CAMERAS), strict=True)
    return Views(np.stack(pictures), CAMERAS), Views(np.stack([to_picture(each) for each in maps]), CAMERAS)


@pytest.fixture(scope="module")
def both() -> tuple[Views, Views]:
    return rendered()


def made(views: Views, normals: Views | None = None) -> Mesh:
    request = Request({"picture": views.pictures[0]}, GRID.name, settings=QUICK, views=views, normal_views=normals)
    return next(Pipeline({GRID.name: GRID}).run(request, Quiet())).products["mesh"]


def before_white(picture: Picture) -> Picture:
    opaque = picture.copy()
    opaque[picture[..., 3] == 0] = 255
    return opaque


@pytest.mark.slow
def test_views_become_a_closed_mesh_on_the_floor_in_their_colours(both: tuple[Views, Views]) -> None:
    mesh = made(*both)
    assert is_closed(mesh.triangles)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[2] == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(high - low, (1, 0.6, 0.4), atol=0.12)
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    assert mesh.uv.shape == (len(mesh.triangles), 3, 2)
    assert mesh.colours is not None
    red = mesh.colours[:, 0]  # grows from left to right
    assert np.corrcoef(red, mesh.vertices[:, 0])[0, 1] > 0.9


def test_views_are_made_as_small_as_the_grid_needs_and_cut_out_of_plain_backgrounds(both: tuple[Views, Views]) -> None:
    views = Views(both[0].pictures[:2], CAMERAS[:2])
    opaque = Views(np.stack([before_white(picture) for picture in views.pictures]), views.cameras)
    cut = cut_views(opaque, cells=12, report=ignore)
    assert isinstance(cut, CutViews)
    assert cut.rgba.shape == (2, 48, 48, 4)
    same = cut_views(views, cells=12, report=ignore)
    assert isinstance(same, CutViews)
    assert np.abs(cut.rgba[..., 3].astype(int) - same.rgba[..., 3]).mean() < 4


def test_a_view_that_shows_nothing_is_left_out_with_a_note(both: tuple[Views, Views]) -> None:
    views = Views(both[0].pictures.copy(), CAMERAS)
    views.pictures[2] = 0
    cut = cut_views(views, cells=16, report=ignore)
    assert isinstance(cut, Noted)
    assert cut.product.numbers == (0, 1, 3, 4, 5)
    assert cut.product.cameras == (*CAMERAS[:2], *CAMERAS[3:])
    assert "3." in cut.notes[0]
    placed = place_normals(cut.product, both[1], report=ignore)
    assert placed.normals is not None
    lengths = np.linalg.norm(placed.normals, axis=3)
    np.testing.assert_allclose(lengths[placed.rgba[..., 3] == 255], 1, atol=1e-3)
    views.pictures[1:] = 0
    with pytest.raises(UserError, match="1 of 6 views"):
        cut_views(views, cells=16, report=ignore)


def test_one_side_is_not_enough(both: tuple[Views, Views]) -> None:
    one = Views(both[0].pictures[:1], CAMERAS[:1])
    with pytest.raises(UserError, match="One view does not tell"):
        cut_views(one, cells=16, report=ignore)
    same = Views(both[0].pictures[:2], (CAMERAS[0], replace(CAMERAS[0], fov=41)))
    with pytest.raises(UserError, match="from the same side"):
        cut_views(same, cells=16, report=ignore)


def test_normals_by_other_cameras_are_refused(both: tuple[Views, Views]) -> None:
    cut = cut_views(both[0], cells=16, report=ignore)
    assert isinstance(cut, CutViews)
    for cameras in (CAMERAS[1:] + CAMERAS[:1], CAMERAS[:3]):
        with pytest.raises(UserError, match="not seen by the cameras"):
            place_normals(cut, Views(both[1].pictures[: len(cameras)], cameras), report=ignore)


def test_views_of_any_shape_keep_their_middle_and_square_pixels() -> None:
    """So that one camera sees the view and what the grid takes of it, and its mask fits the view again."""
    row, column = np.mgrid[:213, :320] + 0.5
    view = np.zeros((213, 320, 4), np.uint8)
    view[..., 3] = 255 * (np.hypot(row - 60.0, column - 250.0) < 40)
    for shape in ((85, 128), (43, 64)):
        small = resized(view, shape)
        scale = 320 / shape[1]
        place = [np.average(axis, weights=small[..., 3]) + 0.5 for axis in np.indices(shape)]
        middle = np.array([60.0 - 213 / 2, 250.0 - 160]) / scale + np.array(shape) / 2
        np.testing.assert_allclose(place, middle, atol=0.05)
        again = resized(small[..., 3], (213, 320))
        place = [np.average(axis, weights=again) + 0.5 for axis in np.indices((213, 320))]
        np.testing.assert_allclose(place, (60.0, 250.0), atol=0.2)


def test_the_cameras_see_the_mesh_that_was_set_down_as_they_saw_it_before() -> None:
    parallel = Camera(CAMERAS[1].matrix, 0.0, 1.8)
    views = Views(np.zeros((2, SIDE, SIDE, 4), np.uint8), (CAMERAS[0], parallel))
    points = BODY.vertices * 0.7 + np.float32(0.1)
    mesh = replace(BODY, vertices=points)
    placed = place(mesh, report=ignore)
    seen = place_views(mesh, views, report=ignore)
    assert seen.fits
    for before, after in zip(views.cameras, seen.found, strict=True):
        now = pixels(placed.vertices.astype(np.float64), after.camera, (SIDE, SIDE))[:, :2]
        np.testing.assert_allclose(now, pixels(points.astype(np.float64), before, (SIDE, SIDE))[:, :2], atol=1e-3)
    assert seen.found[0].azimuth == pytest.approx(30, abs=8)
    with pytest.raises(UserError, match="camera that was given"):
        cut_views(Views(views.pictures, (Camera(2 * np.eye(4), 40.0), parallel)), cells=16, report=ignore)


def test_a_request_without_views_is_told_so(both: tuple[Views, Views]) -> None:
    request = Request({"picture": both[0].pictures[0]}, GRID.name, settings=QUICK)
    with pytest.raises(UserError, match="brings no views"):
        next(Pipeline({GRID.name: GRID}).run(request, Quiet()))
