# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose from which a normal map was drawn is found again."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.engines.hi3dgen.pose import FRONT, Pose, find_pose, project, roll_of
from backend.flow.products import NormalMap
from backend.raster.triangles import nearest

Points = NDArray[np.float32]
Triangles = NDArray[np.int32]


Boxes = Sequence[tuple[tuple[float, float, float], tuple[float, float, float]]]  # middles and half sides


def built(boxes: Boxes) -> tuple[Points, Triangles]:
    """Boxes as one mesh."""
    corners = np.array([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)]) * 2 - 1
    sides = np.array([(0, 4, 6, 2), (1, 3, 7, 5), (0, 1, 5, 4), (2, 6, 7, 3), (0, 2, 3, 1), (4, 5, 7, 6)])
    faces = np.concatenate([sides[:, [0, 1, 2]], sides[:, [0, 2, 3]]])
    points = np.concatenate([np.array(middle) + corners * half for middle, half in boxes])
    triangles = np.concatenate([faces + 8 * number for number in range(len(boxes))])
    return points.astype(np.float32), triangles.astype(np.int32)


def figure() -> tuple[Points, Triangles]:
    """Boxes that look different from every side: a body with a head, a nose, an arm, a foot and a tail."""
    boxes = (
        ((0, 0, 0), (0.12, 0.08, 0.2)),
        ((0, 0, 0.3), (0.1, 0.1, 0.1)),
        ((0, -0.13, 0.3), (0.03, 0.04, 0.03)),
        ((0.2, 0, 0.1), (0.15, 0.03, 0.03)),
        ((0.06, -0.06, -0.22), (0.05, 0.12, 0.04)),
        ((-0.1, 0.1, 0.1), (0.03, 0.03, 0.2)),
    )
    return built(boxes)


def drawn(points: Points, triangles: Triangles, pose: Pose, size: int = 192) -> tuple[NormalMap, Points]:
    """A normal map of flat triangles from a pose, and the points' places in it, (V, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    placed = pose.place((points - (low + high) / 2).astype(np.float64) / (high - low).max())
    placed[:, :2] = placed[:, :2] / np.ptp(placed[:, :2], axis=0).max() * 0.8
    placed[:, :2] += 0.5 - (placed[:, :2].min(axis=0) + placed[:, :2].max(axis=0)) / 2
    screen = placed * [size, -size, -1] + [0, size, 0]
    pixel, triangle, _ = nearest(screen[triangles], (size, size))
    a, b, c = np.moveaxis(points[triangles].astype(np.float64), 1, 0)
    normal = np.cross(b - a, c - a) @ pose.axes.T
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normals, alpha = np.zeros((size * size, 3), np.float32), np.zeros(size * size, np.float32)
    normals[:, 2] = 1
    normals[pixel], alpha[pixel] = normal[triangle], 1
    shown = NormalMap(normals.reshape(size, size, 3), alpha.reshape(size, size))
    return shown, placed[:, :2].astype(np.float32)


def angle(one: Pose, other: Pose) -> float:
    """Degrees by which two poses differ."""
    cosine = (np.trace(one.axes @ other.axes.T) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


@given(azimuth=st.floats(-180, 180), elevation=st.floats(-80, 80), roll=st.floats(-60, 60))
def test_a_poses_axes_are_right_handed(azimuth: float, elevation: float, roll: float) -> None:
    axes = Pose(azimuth, elevation, roll=roll).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1)
    assert axes[1, 2] > 0  # up is up
    shown = np.degrees(np.arctan2(axes[0, 2], axes[1, 2]))
    assert shown == pytest.approx(roll)  # clockwise: what is up lies to the right in the picture


def test_the_front_is_seen_as_normal_maps_are() -> None:
    """Right is x, up is y in the picture and z in the world, and the viewer is at -y."""
    np.testing.assert_allclose(FRONT.axes, [[1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-12)
    np.testing.assert_allclose(Pose(90).axes[2], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(Pose(0, 90).axes[2], [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    "pose",
    [
        Pose(33, 12, 0.0),
        Pose(-70, 25, 0.3),
        Pose(160, 5, 0.5),
        Pose(10, -8, 0.3),
        Pose(-40, 15, 0.3, 18),
        Pose(120, 10, 0.2, -12),
    ],
)
def test_a_pose_is_found_again(pose: Pose) -> None:
    points, triangles = figure()
    shown, places = drawn(points, triangles, pose)
    found = find_pose(points, triangles, shown, roll=0.8 * pose.roll)
    assert angle(found, pose) < 5
    off = np.abs(project(points, shown.alpha, found) - places)
    assert off.mean() < 0.02


@pytest.mark.parametrize("roll", [0, 8, 20, -15])
def test_the_roll_of_a_rolled_chair_is_seen(roll: float) -> None:
    legs = [((x, y, -0.3), (0.04, 0.04, 0.3)) for x in (-0.25, 0.25) for y in (-0.25, 0.25)]
    chair = built([((0, 0, 0), (0.3, 0.3, 0.04)), ((0, 0.28, 0.35), (0.3, 0.03, 0.35)), *legs])
    shown, _ = drawn(*chair, Pose(30, 18, 0.2, roll))
    assert roll_of(shown, lambda: None) == pytest.approx(roll, abs=8)


def test_an_empty_map_has_no_roll() -> None:
    shown, _ = drawn(*figure(), FRONT)
    assert roll_of(NormalMap(shown.normals, np.zeros_like(shown.alpha)), lambda: None) == 0


def test_the_front_is_found_unless_another_pose_is_better() -> None:
    points, triangles = figure()
    corners = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], np.float32)
    octahedron = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1], [5, 2, 1], [5, 3, 2], [5, 4, 3], [5, 1, 4]])
    shown, _ = drawn(corners, octahedron.astype(np.int32), FRONT)
    assert find_pose(corners, octahedron.astype(np.int32), shown) == FRONT
    nothing = NormalMap(shown.normals, np.zeros_like(shown.alpha))
    assert find_pose(points, triangles, nothing) == FRONT


def test_a_projection_fills_the_silhouette() -> None:
    points, _ = figure()
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:90, 30:60] = 1
    for pose in (FRONT, Pose(40, 20, 0.4)):
        uv = project(points, alpha, pose)
        np.testing.assert_allclose(uv.min(axis=0), [0.3, 0.1], atol=1e-6)
        np.testing.assert_allclose(uv.max(axis=0), [0.6, 0.8], atol=1e-6)
    uv = project(points, np.zeros_like(alpha), FRONT)
    np.testing.assert_allclose([uv.min(), uv.max()], [0, 1], atol=1e-6)
    highest, rightmost = points[:, 2].argmax(), points[:, 0].argmax()
    assert uv[highest, 1] == pytest.approx(1)
    assert uv[rightmost, 0] == pytest.approx(1)
