# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tool says of the camera that it found or was given, and when it does not paint."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.engines.texture.stages import find_camera, judge_camera, paint
from backend.errors import UserError
from backend.flow.products import Camera, Mesh, Noted, Viewpoints
from backend.texture.likeness import LEAST
from tests.backend.texture.photographs import as_cutout, box, camera_at, joined, photographed, thing

SIDE = 128
CAMERA = camera_at(25, 20, 2.6, 40, (0.0, -0.075, 0.45))  # at the middle of the thing's box
FLAT = joined([box((-0.6, -0.05, 0.0), (0.6, 0.05, 0.15))])
CUBE = joined([box((-0.5, -0.5, 0.0), (0.5, 0.5, 1.0))])


def ignore(_step: int, _of: int) -> None:
    """A report that nobody reads."""


def found(mesh: Mesh, shown: Mesh, **changes: Any) -> Viewpoints | Noted:
    """What is found of a mesh in a picture of one by `CAMERA`."""
    picture, normal_map = photographed(shown, CAMERA, (SIDE, SIDE))
    settings = {"search": "all", "azimuth": 0.0, "elevation": 0.0, "roll": 0.0, "fov": 0.0, **changes}
    return find_camera(mesh, as_cutout(picture), normal_map, **settings, report=ignore)


def judged(camera: Camera, shown: Mesh) -> Viewpoints | Noted:
    picture, normal_map = photographed(shown, CAMERA, (SIDE, SIDE))
    return judge_camera(thing(), as_cutout(picture), normal_map, camera, report=ignore)


def turned(camera: Camera, degrees: float) -> Float64Array:
    """A camera's matrix after a turn about its axis, counter-clockwise as the camera's right and up see it."""
    turn, c, s = np.eye(4), np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[:2, :2] = [[c, -s], [s, c]]
    return camera.matrix @ turn


def test_a_picture_of_something_else_is_noted_and_not_painted() -> None:
    noted = found(thing(), FLAT, search="near", azimuth=25.0, elevation=20.0)
    assert isinstance(noted, Noted)
    assert noted.notes[0].startswith("The picture may not show this mesh.")
    assert not noted.product.fits
    assert noted.product.found[0].outline < LEAST
    picture, normal_map = photographed(FLAT, CAMERA, (SIDE, SIDE))
    with pytest.raises(UserError) as caught:
        paint(
            *(thing(), noted.product, as_cutout(picture), normal_map, picture),
            image_size="1024",
            keep_uv=True,
            remove_light=False,
            report=ignore,
        )
    assert caught.value.code == "picture-unlike"


def test_a_camera_or_direction_that_is_given_is_used_and_a_note_says_if_it_does_not_fit() -> None:
    for of in (
        partial(judged, CAMERA),
        partial(found, thing(), search="given", azimuth=25.0, elevation=20.0),
    ):
        assert isinstance(of(thing()), Viewpoints)
        noted = of(FLAT)
        assert isinstance(noted, Noted)
        assert noted.product.fits
        assert len(noted.notes) == 1
        assert noted.notes[0].startswith("The picture may not show this mesh. The outlines agree to ")


def test_directions_that_are_as_good_are_named() -> None:
    noted = found(CUBE, CUBE)
    assert isinstance(noted, Noted)
    assert noted.product.fits
    first, *others = noted.product.found
    assert others
    assert f"{first.azimuth:.0f}°, {first.elevation:.0f}°" in noted.notes[0]
    assert f"{others[0].azimuth:.0f}°, {others[0].elevation:.0f}°" in noted.notes[0]


@pytest.mark.parametrize("roll", [0.0, 30.0, -75.0])
@pytest.mark.parametrize(("fov", "width"), [(40.0, 0.0), (0.0, 1.8)], ids=["pinhole", "parallel"])
def test_a_camera_that_was_given_is_described_as_one_that_was_found(roll: float, fov: float, width: float) -> None:
    product = judged(Camera(turned(CAMERA, roll), fov, width), thing())
    (own,) = (product.product if isinstance(product, Noted) else product).found
    assert (own.azimuth, own.elevation, own.roll) == pytest.approx((25, 20, roll), abs=0.01)
    assert own.distance == pytest.approx(2.6, abs=0.01)
    assert roll or own.score > 0.8
