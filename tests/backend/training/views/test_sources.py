# SPDX-License-Identifier: GPL-3.0-or-later
"""A true view is compared with what the same camera sees, and with nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from backend.errors import UserError
from backend.flow.products import Camera, Views
from backend.texture.camera import orbit
from backend.training.views.cameras import partner
from backend.training.views.drawing import drawn
from backend.training.views.likeness import compare
from backend.training.views.sources import Source, picture_by, predicted_by, seen_by
from tests.backend.training.views.coloured_box import SIDES, box

CAMERAS = tuple(orbit(azimuth, elevation, 2.4, 30.0) for azimuth, elevation in ((30, 20), (90, -10), (150, 20)))
SHAPE = (64, 64)


def views(side: int = 64) -> Views:
    return Views(np.stack([drawn([box()], camera, (side, side)) for camera in CAMERAS]), CAMERAS)


def test_views_are_found_in_whichever_order_they_come() -> None:
    order = [2, 0, 1]
    mixed = Views(views().pictures[order], tuple(CAMERAS[number] for number in order))
    for camera, picture in zip(CAMERAS, views().pictures, strict=True):
        assert np.array_equal(picture_by(Source("mixed", mixed), camera, SHAPE), picture)


def test_a_camera_within_the_tolerance_is_the_same() -> None:
    near = orbit(30.3, 20.0, 2.41, 30.1)
    assert partner(near, CAMERAS, "near") == 0


@pytest.mark.parametrize(
    ("camera", "sentence"),
    [
        (orbit(36, 20, 2.4, 30.0), "no view from azimuth 36, elevation 20: the nearest is turned by"),
        (orbit(90, -10, 3.0, 30.0), "turned by 0.0 degrees, stands 0.60 metres away and spans 1.00"),
        (orbit(90, -10, 2.4, 40.0), "stands 0.00 metres away and spans 0.75 times as much"),
        (Camera(CAMERAS[0].matrix, 0.0, 1.2), "has another projection"),
    ],
)
def test_another_camera_is_refused_with_how_far_it_is_off(camera: Camera, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        picture_by(Source("owl", views()), camera, SHAPE)


def test_a_mesh_is_compared_at_the_cameras_of_whatever_has_some() -> None:
    mesh, pictures = Source("mesh", [box()]), Source("views", views())
    assert seen_by(mesh, pictures) == seen_by(pictures, mesh) == (CAMERAS, SHAPE)
    with pytest.raises(UserError, match="Neither “mesh” nor “mesh” has cameras"):
        seen_by(mesh, mesh)


def test_a_mesh_is_like_its_own_views_and_less_so_if_it_is_moved_or_has_other_colours() -> None:
    recoloured = box({**SIDES, "front": (60, 160, 120)})
    scores = [
        compare(views().pictures[0], picture_by(Source("mesh", [mesh]), CAMERAS[0], SHAPE))
        for mesh in (box(), box(shift=(0.05, 0, 0)), recoloured)
    ]
    own, moved, other = scores
    assert own.psnr > 50
    assert own.object_ssim > 0.999
    assert moved.psnr < 25
    assert moved.ssim < 0.95
    assert other.object_psnr < other.psnr < 30
    assert other.object_ssim < own.object_ssim


def test_views_of_another_size_are_brought_to_that_of_the_truth() -> None:
    found = picture_by(Source("large", views(192)), CAMERAS[1], SHAPE)
    assert compare(views().pictures[1], found).psnr > 30
    wide = Views(np.zeros((3, 40, 60, 4), np.uint8), CAMERAS)
    with pytest.raises(UserError, match="are 60 x 40 pixels, the true ones 64 x 64"):
        picture_by(Source("wide", wide), CAMERAS[1], SHAPE)


def test_grey_around_a_predicted_object_does_not_count() -> None:
    clear = views().pictures
    alpha = clear[..., 3:] / 255
    opaque = np.full_like(clear, 255)
    opaque[..., :3] = np.rint(clear[..., :3] * alpha + 127 * (1 - alpha))
    grey = Source("grey", replace(views(), pictures=opaque))
    as_it_is = compare(clear[1], picture_by(grey, CAMERAS[1], SHAPE))
    cut = compare(clear[1], predicted_by(grey, CAMERAS[1], SHAPE))
    assert as_it_is.psnr < 11
    assert cut.psnr > 25


def test_white_around_a_predicted_object_stays_as_it_is() -> None:
    pictures = np.full((3, 64, 64, 4), 255, np.uint8)
    pictures[:, 20:40, 20:40, :3] = 80
    white = Source("white", Views(pictures, CAMERAS))
    assert np.array_equal(predicted_by(white, CAMERAS[2], SHAPE), pictures[2])


def test_a_mesh_that_fills_the_picture_is_not_cut() -> None:
    near = Camera(orbit(0, 0, 2.0, 30.0).matrix, 0.0, 0.4)
    found = predicted_by(Source("mesh", [box()]), near, (32, 32))
    assert (found == [*SIDES["front"], 255]).all()
