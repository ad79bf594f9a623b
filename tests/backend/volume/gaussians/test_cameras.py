# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras in between stay on the orbit of their neighbours."""

from dataclasses import replace

import numpy as np
import pytest

from backend.flow.products import Camera
from backend.texture.camera import is_rigid, orbit
from backend.volume.gaussians.cameras import between


def test_on_a_level_orbit_they_are_those_of_more_views() -> None:
    given = tuple(orbit(azimuth, 0, 1.5, 49.0) for azimuth in (180, 0, 90, 270))
    found = between(given, 2)
    expected = [orbit(azimuth, 0, 1.5, 49.0) for azimuth in (30, 60, 120, 150, 210, 240, 300, 330)]
    for each in expected:
        assert any(np.allclose(each.matrix, camera.matrix) for camera in found)
    assert len(found) == len(expected)
    assert {camera.fov for camera in found} == {49.0}


def test_between_high_and_low_ones_they_are_as_far_away_and_look_at_the_middle() -> None:
    given = tuple(orbit(30.0 + 60 * k, (20.0, -10.0)[k % 2], 2.0, 30.0) for k in range(6))
    found = between(given, 1)
    assert len(found) == 6
    for camera in found:
        assert is_rigid(camera.matrix)
        np.testing.assert_allclose(camera.matrix[:3, 3], 2.0 * camera.matrix[:3, 2], atol=1e-9)
        ways = sorted(float(camera.matrix[:3, 2] @ each.matrix[:3, 2]) for each in given)
        assert ways[-1] == pytest.approx(ways[-2]), "it is as far from both neighbours"


def test_lenses_and_places_go_on_as_well() -> None:
    one, other = orbit(0, 0, 2.0, 30.0), orbit(40, 0, 3.0, 40.0)
    (camera,) = between((one, other), 1)
    assert camera.fov == pytest.approx(35)
    assert np.linalg.norm(camera.matrix[:3, 3]) == pytest.approx(2.5)
    (parallel,) = between((replace(one, fov=0.0, width=1.0), replace(other, fov=0.0, width=2.0)), 1)
    assert (parallel.fov, parallel.width) == (0, 1.5)


FRONT = orbit(0, 0, 2.0, 40.0)


@pytest.mark.parametrize(
    "cameras",
    [
        (FRONT,),
        (FRONT, orbit(180, 0, 2.0, 40.0)),
        (FRONT, orbit(25, 0, 2.0, 40.0)),
        (FRONT, replace(orbit(40, 0, 2.0, 40.0), fov=0.0)),
    ],
    ids=["one", "front and back", "near each other", "one is parallel"],
)
def test_there_is_none_between_views_that_share_too_little_or_enough(cameras: tuple[Camera, ...]) -> None:
    assert between(cameras, 2) == ()


@pytest.mark.parametrize("places", [((160, 0), (-160, 0)), ((20, -10), (20, 30))])
def test_two_views_have_one_space_between_them(places: tuple[tuple[float, float], ...]) -> None:
    assert len(between(tuple(orbit(*place, 2.0, 40.0) for place in places), 1)) == 1


def test_none_is_asked_for() -> None:
    assert between((FRONT, orbit(40, 0, 2.0, 40.0)), 0) == ()
