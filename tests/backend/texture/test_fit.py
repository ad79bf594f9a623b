# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a picture is found from any mesh of what it shows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.flow.products import Crop, Mesh
from backend.texture.cloud import Cloud, scatter
from backend.texture.fit import POINTS, Candidate, aimed, angle_between, fit, framed_at
from backend.texture.lens import Pose, centred, framed, lens_at, pose_of
from backend.texture.likeness import LEAST, Target, likeness, outlines, target
from backend.texture.simplex import minimised
from tests.backend.texture.photographs import box, camera_at, joined, photographed, thing
from tests.backend.texture.shapes import nothing

SIDE = 160
FOV = 40.0
AIM = (0.1, -0.05, 0.5)  # beside the middle, so that it does not lie in the picture's
angles = st.tuples(st.floats(-180, 180), st.floats(-85, 85), st.floats(-30, 30), st.floats(2, 8))


def shown(azimuth: float, elevation: float, mesh: Mesh | None = None) -> Target:
    """The picture of a mesh, of the thing if none is given, from a direction."""
    camera = camera_at(azimuth, elevation, 2.6, FOV, AIM)
    _, normal_map = photographed(mesh or thing(), camera, (SIDE, SIDE))
    return target(normal_map.alpha, normal_map.normals, Crop(0, 0, SIDE, SIDE, SIDE))


def cloud_of(mesh: Mesh) -> Cloud:
    return scatter(mesh.vertices, mesh.triangles, POINTS)


THING = cloud_of(thing())


def error(found: Candidate, azimuth: float, elevation: float, cloud: Cloud) -> float:
    """By how many degrees a camera is seen from the middle beside the true one."""
    place = camera_at(azimuth, elevation, 2.6, FOV, AIM).matrix[:3, 3] - cloud.centre
    around = np.degrees(np.arctan2(place[0], -place[1]))
    above = np.degrees(np.arcsin(place[2] / np.linalg.norm(place)))
    return angle_between(found.pose, Pose(float(around), float(above)))


@pytest.mark.parametrize(("azimuth", "elevation"), [(25, 20), (-130, 5), (100, 55)])
def test_the_camera_of_a_picture_is_found(azimuth: float, elevation: float) -> None:
    cloud = cloud_of(thing())
    best = fit(cloud, shown(azimuth, elevation), nothing)[0]
    assert error(best, azimuth, elevation, cloud) < 5
    assert best.likeness.outline > 0.7
    assert abs(best.pose.roll) < 4


def test_a_camera_that_sees_next_to_nothing_sees_no_outline() -> None:
    narrow = lens_at(Pose(90.0, 0.0, 0.0, 2.0), 1e13, np.array([SIDE / 2, SIDE / 2]), (SIDE, SIDE))
    assert outlines(THING, narrow, shown(90, 0)) == (0.0, 0.0)


def test_other_units_another_place_and_other_triangles_are_the_same_mesh() -> None:
    mesh = thing()
    loose = mesh.vertices[mesh.triangles].reshape(-1, 3) * 1000 + np.array([3e4, -7e4, 1e4], np.float32)
    turned = np.arange(len(loose), dtype=np.int32).reshape(-1, 3)
    turned[::2] = turned[::2, ::-1]  # wound at random
    cloud, wanted = cloud_of(Mesh(loose, turned, np.zeros((len(loose), 2), np.float32))), shown(25, 20)
    best = fit(cloud, wanted, nothing, start=Pose(35, 10))[0]
    assert error(best, 25, 20, scaled_down(cloud)) < 5


def scaled_down(cloud: Cloud) -> Cloud:
    return replace(cloud, centre=(cloud.centre - np.array([3e4, -7e4, 1e4])) / 1000)


def test_a_picture_of_something_else_has_another_outline() -> None:
    ladder = [box((-0.4, -0.05, 0.25 * step), (0.4, 0.05, 0.25 * step + 0.08)) for step in range(4)]
    other = joined([*ladder, box((-0.45, -0.05, 0), (-0.4, 0.05, 1)), box((0.4, -0.05, 0), (0.45, 0.05, 1))])
    best = fit(cloud_of(thing()), shown(20, 10, other), nothing)[0]
    assert best.likeness.outline < LEAST


def test_a_known_field_of_view_stays() -> None:
    focal = SIDE / 2 / np.tan(np.radians(FOV) / 2)
    best = fit(cloud_of(thing()), shown(25, 20), nothing, start=Pose(20, 25), focal=focal)[0]
    assert best.lens.focal == pytest.approx(focal)
    assert best.pose.distance * cloud_of(thing()).radius == pytest.approx(2.6, rel=0.1)


def test_a_search_can_be_ended() -> None:
    def poll() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        aimed(cloud_of(thing()), shown(0, 0), Pose(0, 0), poll)


def test_nothing_in_common_is_no_likeness() -> None:
    cloud, wanted = cloud_of(thing()), shown(0, 0)
    beside = lens_at(Pose(0, 0), 100.0, np.array([5000.0, 0]), wanted.shape)
    assert likeness(cloud, beside, wanted).whole == 0
    assert framed_at(cloud, wanted, Pose(0, 0)).likeness.whole > 0.5


@given(angles)
@settings(max_examples=25, deadline=None)
def test_a_framed_object_fills_its_box(numbers: tuple[float, float, float, float]) -> None:
    pose, cloud = Pose(*numbers), THING
    sides = np.array([[30.0, 60.0], [110.0, 130.0]])
    for focal in (None, 300.0):
        placed, lens = framed(cloud.outer, pose, sides, (SIDE, SIDE), focal)
        assert_fills(lens.seen(cloud.outer)[:, :2], sides, 0.02)
        assert np.linalg.norm(lens.place) == pytest.approx(placed.distance)
    assert_fills(centred(cloud.outer, pose, sides).seen(cloud.outer)[:, :2], sides, 1e-9)


def assert_fills(seen: Float64Array, sides: Float64Array, tolerance: float) -> None:
    """The box around what is seen has the middle and the size of a box, up to a part of its size."""
    size = np.ptp(sides, axis=0).sum()
    low, high = seen.min(axis=0), seen.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, sides.mean(axis=0), atol=tolerance * size + 1e-9)
    assert (high - low).sum() == pytest.approx(size, rel=tolerance + 1e-9)


@given(angles, st.floats(20, 140), st.floats(20, 140))
@settings(max_examples=50, deadline=None)
def test_a_lens_sees_the_middle_at_its_place(
    numbers: tuple[float, float, float, float], column: float, row: float
) -> None:
    lens = lens_at(Pose(*numbers), 120.0, np.array([column, row]), (SIDE, SIDE))
    np.testing.assert_allclose(lens.seen(np.zeros((1, 3)))[0, :2], [column, row], atol=1e-6)
    np.testing.assert_allclose(lens.axes.T @ lens.axes, np.eye(3), atol=1e-9)
    assert np.linalg.det(lens.axes) > 0
    pose = pose_of(lens)
    np.testing.assert_allclose([pose.elevation, pose.roll, pose.distance], numbers[1:], atol=1e-6)
    assert (pose.azimuth - numbers[0] + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 500))
@settings(max_examples=40, deadline=None)
def test_points_lie_on_the_surface(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.normal(size=(12, 3)).astype(np.float32)
    vertices[:, 2] = vertices[:, 0] - 2 * vertices[:, 1] + 3  # all in one plane
    triangles = rng.permuted(np.tile(np.arange(12, dtype=np.int32), (20, 1)), axis=1)[:, :3]
    cloud = scatter(vertices, triangles, count)
    assert len(cloud.points) == count
    x, y, z = (cloud.points.astype(np.float64) * cloud.radius + cloud.centre).T
    np.testing.assert_allclose(z, x - 2 * y + 3, atol=1e-4)
    assert np.abs(cloud.points).max() <= 1 + 1e-6
    np.testing.assert_allclose(np.linalg.norm(cloud.normals, axis=1), 1, atol=1e-5)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_the_simplex_goes_down_to_the_least_value(best: list[float]) -> None:
    aim = np.array(best)
    found = minimised(lambda place: float(((place - aim) ** 2).sum()), np.zeros(len(aim)), np.ones(len(aim)), 400)
    np.testing.assert_allclose(found, aim, atol=0.05)
