# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh in its colours looks from each side as that side is."""

from dataclasses import replace

import numpy as np
import pytest

from backend.errors import UserError
from backend.flow.products import Camera
from backend.texture.camera import distance_to, orbit
from backend.training.views.drawing import drawn, framed
from tests.backend.training.views.coloured_box import SIDES, SIZE, box

DISTANCE = distance_to(0.7, 30.0)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "side"),
    [(0, 0, "front"), (90, 0, "right"), (180, 0, "back"), (-90, 0, "left"), (0, 90, "top"), (0, -90, "bottom")],
)
def test_each_side_is_seen_in_its_own_colour(azimuth: float, elevation: float, side: str) -> None:
    picture = drawn([box()], orbit(azimuth, elevation, DISTANCE, 30.0), (48, 64))
    assert picture.shape == (48, 64, 4)
    assert picture[24, 32].tolist() == [*SIDES[side], 255]
    assert picture[0, 0].tolist() == [0, 0, 0, 0]


def test_a_parallel_picture_covers_what_the_box_measures() -> None:
    camera = Camera(orbit(0, 0, 2.0, 30.0).matrix, 0.0, 1.25)
    picture = drawn([box()], camera, (50, 50))
    assert picture[..., 3].mean() / 255 == pytest.approx(SIZE[0] * SIZE[2] / 1.25**2, abs=0.01)
    rim = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    assert (picture[rim][:, :3] == SIDES["front"]).all()  # straight alpha: no black from around


def test_several_meshes_hide_each_other_and_uncoloured_ones_are_white() -> None:
    before = replace(box(shift=(0.0, -1.0, 0.0)), texture=None)
    reddish = replace(box(), texture=None, colours=np.tile(np.array([[1, 0.2, 0.2]], np.float32), (24, 1)))
    front, back = (orbit(azimuth, 0, 4.0, 30.0) for azimuth in (0, 180))
    assert drawn([reddish, before], front, (32, 32))[16, 16].tolist() == [255, 255, 255, 255]
    assert drawn([reddish, before], back, (32, 32))[16, 16].tolist() == [255, 51, 51, 255]


def test_an_image_repeats_beyond_its_border() -> None:
    mesh = box()
    again = replace(mesh, uv=mesh.uv + np.array([3, -2], np.float32))
    camera = orbit(40, 20, DISTANCE, 30.0)
    difference = drawn([mesh], camera, (32, 32)).astype(int) - drawn([again], camera, (32, 32))
    assert np.abs(difference).max() <= 1


def test_a_frame_is_a_metre_around_the_origin_for_all_parts_together() -> None:
    one, other = framed([box(shift=(7, 0, 0)), box(shift=(9, 0, 0))])
    used = np.concatenate([one.vertices, other.vertices])
    np.testing.assert_allclose(used.max(axis=0) + used.min(axis=0), 0, atol=1e-6)
    assert np.ptp(used, axis=0).max() == pytest.approx(1)
    assert np.ptp(one.vertices, axis=0) == pytest.approx(np.array(SIZE) / 2.8)
    with pytest.raises(UserError, match="no extent"):
        framed([replace(box(), vertices=np.zeros((24, 3), np.float32))])
