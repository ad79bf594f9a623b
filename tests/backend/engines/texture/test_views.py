# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of a thing come onto its mesh: fitted by outlines, in the picture's tones, behind the picture's own pixels.

The views are rendered of the thing itself, by cameras in a frame of their own.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.engines.texture.stages import judge_camera, paint
from backend.engines.texture.views import ViewMasks, cut_views, paint_with_views, place_views
from backend.errors import UserError
from backend.flow.products import Camera, Mesh, Noted, Picture, Viewpoints, Views
from backend.texture.atlas import pixels_of
from backend.texture.camera import orbit
from backend.texture.likeness import LEAST
from backend.texture.view_fit import Similarity
from tests.backend.texture.photographs import as_cutout, box, camera_at, colour_at, joined, photographed, thing

SIDE = 160
PICTURES_OWN = camera_at(0, 10, 2.4, 40, (0.0, -0.075, 0.45))
TRUTH = Similarity(np.eye(3), 1.05, np.array([0.02, -0.055, 0.47]))
ANGLES = ((60, 20), (120, -10), (180, 20), (240, 20), (300, 10))
WRONG = 3
OTHER = joined([box((-0.5, -0.5, 0.0), (0.5, 0.5, 1.0))])


def ignore(_step: int, _of: int) -> None:
    """A report that nobody reads."""


def cameras(angles: Sequence[tuple[int, int]] = ANGLES) -> tuple[Camera, ...]:
    return tuple(orbit(*each, 2.2, 40.0) for each in angles)


def drawn(camera: Camera, of: Mesh | None = None) -> Picture:
    """A view, darker and bluer than the picture."""
    rgba, _ = photographed(of or thing(), TRUTH.of(camera), (SIDE, SIDE))
    rgba[..., :3] = np.rint(rgba[..., :3] * np.array([0.75, 0.8, 0.9]) + 10)
    return rgba


def off(mesh: Mesh) -> tuple[Float64Array, Float64Array]:
    """By how much the colours of a mesh's image are wrong, float64 (P,), and the normals there, (P, 3)."""
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    image = mesh.texture.base_colour.reshape(-1, 4)[:, :3] / 255
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    wrong, normals = [], []
    for pixel, triangle, shares in pixels_of(mesh.corner_uv, len(mesh.texture.base_colour), lambda: None):
        wrong.append(np.abs(image[pixel] - colour_at(np.einsum("pc,pcx->px", shares, corners[triangle]))).mean(axis=1))
        normals.append(flat[triangle])
    return np.concatenate(wrong), np.concatenate(normals)


@pytest.fixture(scope="module")
def viewpoints() -> Viewpoints:
    picture, normal_map = photographed(thing(), PICTURES_OWN, (SIDE, SIDE))
    made = judge_camera(thing(), as_cutout(picture), normal_map, PICTURES_OWN, report=ignore)
    assert isinstance(made, Viewpoints)
    return made


@pytest.fixture(scope="module")
def painted(viewpoints: Viewpoints) -> Mesh:
    picture, normal_map = photographed(thing(), PICTURES_OWN, (SIDE, SIDE))
    settings = {"image_size": "1024", "keep_uv": True, "remove_light": False}
    made = paint(thing(), viewpoints, as_cutout(picture), normal_map, picture, **settings, report=ignore)
    assert isinstance(made, Mesh)
    return made


@pytest.fixture(scope="module")
def views() -> Views:
    """Views of which one shows something else."""
    pictures = [drawn(camera, OTHER if number == WRONG else None) for number, camera in enumerate(cameras())]
    return Views(np.stack(pictures), cameras())


@pytest.fixture(scope="module")
def masks(views: Views) -> ViewMasks:
    return cut_views(views, report=ignore)


@pytest.fixture(scope="module")
def placed(views: Views, masks: ViewMasks, viewpoints: Viewpoints) -> Noted:
    found = place_views(thing(), viewpoints, views, masks, report=ignore)
    assert isinstance(found, Noted)
    return found


def test_the_cameras_come_to_where_the_views_show_the_mesh(placed: Noted) -> None:
    middle = np.array([0.0, -0.075, 0.45])
    for camera, found in zip(cameras(), placed.product.found, strict=True):
        wanted = TRUTH.of(camera)
        turn = found.camera.matrix[:3, :3].T @ wanted.matrix[:3, :3]
        assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) < 1.5
        near, far = (np.linalg.norm(each.matrix[:3, 3] - middle) for each in (found.camera, wanted))
        assert near == pytest.approx(far, rel=0.03)
        assert found.distance == pytest.approx(near, rel=0.01)


def test_a_view_of_something_else_is_left_out_and_noted(placed: Noted) -> None:
    assert [found.outline < LEAST for found in placed.product.found] == [n == WRONG for n in range(len(ANGLES))]
    assert not placed.product.fits
    (note,) = placed.notes
    assert note == "Of the 5 views these were not used, because their outlines are not the mesh's: 4."


def test_what_the_picture_does_not_see_gets_the_views_colours_in_the_pictures_tones(
    painted: Mesh, viewpoints: Viewpoints, views: Views, masks: ViewMasks, placed: Noted
) -> None:
    picture, _ = photographed(thing(), PICTURES_OWN, (SIDE, SIDE))
    made = paint_with_views(painted, viewpoints, as_cutout(picture), views, masks, placed.product, report=ignore)
    (before, normals), (after, _) = off(painted), off(made)
    beside = np.abs(normals[:, 0]) > 0.9
    behind = normals[:, 1] > 0.9
    top = normals[:, 2] > 0.9
    for part in (beside, behind, top):
        assert after[part].mean() < 0.55 * before[part].mean()
    assert after[beside].mean() < 0.06
    front = normals[:, 1] < -0.9
    assert after[front].mean() < before[front].mean() + 0.005, "the picture's own pixels stay"


def test_views_that_all_show_something_else_are_refused(viewpoints: Viewpoints) -> None:
    some = cameras(ANGLES[:2])
    wrong = Views(np.stack([drawn(camera, OTHER) for camera in some]), some)
    with pytest.raises(UserError, match="The views do not show this mesh") as caught:
        place_views(thing(), viewpoints, wrong, cut_views(wrong, report=ignore), report=ignore)
    assert caught.value.code == "views-unlike"


def test_a_camera_that_looks_away_does_not_cost_the_others(viewpoints: Viewpoints) -> None:
    some = cameras(ANGLES[:2])
    away = some[1].matrix @ np.diag([-1.0, 1.0, -1.0, 1.0])
    shown = np.stack([drawn(camera) for camera in (*some, some[1])])
    views = Views(shown, (*some, Camera(away, some[1].fov)))
    found = place_views(thing(), viewpoints, views, cut_views(views, report=ignore), report=ignore)
    assert isinstance(found, Noted)
    assert [each.outline > 0.7 for each in found.product.found] == [True, True, False]


def test_the_object_is_told_from_a_plain_ground_and_a_view_that_shows_none_is_passed_over() -> None:
    (camera,) = cameras(ANGLES[:1])
    seen = drawn(camera)
    opaque = np.where(seen[..., 3:] > 0, seen, np.array([127, 127, 127, 255], np.uint8))
    masks = cut_views(Views(np.stack([opaque, np.full_like(opaque, 200)]), (camera,) * 2), report=ignore).masks
    rows = np.arange(len(masks[0])) * SIDE // len(masks[0])
    truth = seen[rows][:, rows, 3] > 0
    assert ((masks[0] > 0) & truth).sum() / ((masks[0] > 0) | truth).sum() > 0.95
    assert not masks[1].any()


@pytest.mark.parametrize("fov", [72.0, 0.0], ids=["pinhole", "parallel"])
def test_wide_views_are_fitted_as_square_ones(viewpoints: Viewpoints, fov: float) -> None:
    wide: list[Picture] = []
    some = tuple(Camera(orbit(*each, 2.2, 0).matrix, fov, 2.4) for each in ANGLES[:3])
    for camera in some:
        rgba, _ = photographed(thing(), TRUTH.of(camera), (SIDE, 2 * SIDE))
        wide.append(rgba)
    views = Views(np.stack(wide), some)
    found = place_views(thing(), viewpoints, views, cut_views(views, report=ignore), report=ignore)
    assert isinstance(found, Viewpoints)
    assert found.fits
    assert all(each.outline > 0.7 for each in found.found)
