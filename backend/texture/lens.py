# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that shows an object at a given place of its picture, by numbers that a person can turn.

Seven numbers are a pinhole camera whose axis goes through the picture's middle: from where it looks (azimuth, elevation
and distance), how it is turned about the way to the object (roll), how wide it sees, and where the object's middle lies
in its picture. The last two are what turns it away from the object. The object has the radius 1 and lies at the origin.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float32Array, Float64Array
from ..flow.products import Camera
from ..mesh.stand import turn_to_z
from .camera import angles_of, field_of_view, focal_length, orbit

_ROUNDS = 6
_FAR = 1e4  # radii
_NEAREST = 1.05  # radii: nothing of the object is behind the camera


@dataclass(frozen=True)
class Lens:
    """A pinhole camera over a picture.

    axes: float64 (3, 3), its right, its up and the way to the viewer, a column each. place: float64 (3,). focal: the
    focal length in pixels. middle: float64 (2,), the column and row of the picture's middle.
    """

    axes: Float64Array
    place: Float64Array
    focal: float
    middle: Float64Array

    def seen(self, points: Float64Array | Float32Array) -> Float64Array | Float32Array:
        """Column, row and depth of points, (N, 3), in their dtype."""
        dtype = points.dtype
        moved = points @ self.axes.astype(dtype) - (self.place @ self.axes).astype(dtype)
        depth = -moved[:, 2]
        scale = self.focal / np.where(depth > 0, depth, np.inf).astype(dtype)
        moved[:, 0] = self.middle[0] + moved[:, 0] * scale
        moved[:, 1] = self.middle[1] - moved[:, 1] * scale
        moved[:, 2] = depth
        return moved

    def camera(self, centre: Float64Array, radius: float) -> Camera:
        """The camera itself, of an object with this middle, float64 (3,), and radius; the inverse of `lens_of`."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes
        matrix[:3, 3] = self.place * radius + centre
        return Camera(matrix, field_of_view(self.focal, 2 * float(self.middle[0])))


@dataclass(frozen=True)
class Pose:
    """From where an object is seen: angles in degrees, the distance in its radii."""

    azimuth: float
    elevation: float
    roll: float = 0.0
    distance: float = 2.5


def lens_at(pose: Pose, focal: float, at: Float64Array, shape: tuple[int, int]) -> Lens:
    """The camera of a pose that shows the object's middle at a column and row, float64 (2,), of a picture."""
    around = orbit(pose.azimuth, pose.elevation, 1.0, 0.0).matrix[:3, :3]
    turn = np.radians(pose.roll)
    rolled = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    middle = np.array([shape[1] / 2, shape[0] / 2])
    axes = around @ rolled @ off_axis((at - middle) / focal)
    return Lens(axes, pose.distance * around[:, 2], focal, middle)


def lens_of(camera: Camera, centre: Float64Array, radius: float, shape: tuple[int, int]) -> Lens:
    """A camera over a picture of this many rows and columns, in the space of an object, which has the radius 1 there.

    camera: in the axes and the unit of centre, float64 (3,), and radius.
    """
    turn, (height, width) = camera.matrix[:3, :3], shape
    place = (camera.matrix[:3, 3] - centre) / radius
    if camera.fov:
        focal = focal_length(camera.fov, width)
    else:  # from so far away that the rays are parallel
        place = place + _FAR * turn[:, 2]
        focal = _FAR * width * radius / camera.width
    return Lens(turn, place, focal, np.array([width / 2, height / 2]))


def pose_of(lens: Lens) -> Pose:
    """From where a camera sees the object, whose middle lies in front of it: what `lens_at` makes it of."""
    azimuth, elevation = angles_of(lens.place)
    around = orbit(azimuth, elevation, 1.0, 0.0).matrix[:3, :3]
    at = lens.seen(np.zeros((1, 3)))[0, :2]
    rolled = around.T @ lens.axes @ off_axis((at - lens.middle) / lens.focal).T
    return Pose(
        azimuth, elevation, float(np.degrees(np.arctan2(rolled[1, 0], rolled[0, 0]))), float(np.linalg.norm(lens.place))
    )


def off_axis(place: Float64Array) -> Float64Array:
    """The shortest rotation, (3, 3), from a camera's axes to those of one that looks at what it sees at a place.

    place: float64 (2,), right and down of its axis, in focal lengths.
    """
    back = np.array([-place[0], place[1], 1.0])
    return turn_to_z(back / np.linalg.norm(back))


def centred(outer: Float64Array, pose: Pose, box: Float64Array) -> Lens:
    """The camera of a pose that looks at the object's middle, over a picture cut out so that the object fills a box.

    outer: float64 (H, 3), the object's outermost points. box: float64 (2, 2), least and greatest column and row. The
    box's middle is met, and the sum of its sides.
    """
    axes = orbit(pose.azimuth, pose.elevation, 1.0, 0.0).matrix[:3, :3]
    lens = Lens(axes, pose.distance * axes[:, 2], 1.0, np.zeros(2))
    low, high = _box(lens, outer)
    focal = float(np.ptp(box, axis=0).sum() / (high - low).sum())
    return replace(lens, focal=focal, middle=box.mean(axis=0) - focal * (low + high) / 2)


def framed(
    outer: Float64Array, pose: Pose, box: Float64Array, shape: tuple[int, int], focal: float | None = None
) -> tuple[Pose, Lens]:
    """The camera of a pose that shows an object in a box of its picture: its pose, and itself.

    outer: float64 (H, 3), the object's outermost points. box: float64 (2, 2), least and greatest column and row. focal:
    the focal length in pixels, with which the distance is found; without it the pose's distance stays, and the focal
    length is found. The box's middle is met, and the sum of its sides.
    """
    at, size = box.mean(axis=0), float(np.ptp(box, axis=0).sum())
    wide = focal or size / 4 * pose.distance
    distance = pose.distance if focal is None else max(focal * 4 / size, _NEAREST)
    lens = lens_at(replace(pose, distance=distance), wide, at, shape)
    for _ in range(_ROUNDS):
        low, high = _box(lens, outer)
        ratio = float((high - low).sum()) / size
        at = at + (box.mean(axis=0) - (low + high) / 2)
        if focal is None:
            wide /= ratio
        else:
            distance = max(distance * ratio, _NEAREST)
        lens = lens_at(replace(pose, distance=distance), wide, at, shape)
    return replace(pose, distance=distance), lens


def _box(lens: Lens, points: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The least and the greatest column and row at which points are seen, float64 (2,) each."""
    seen = lens.seen(points)[:, :2]
    return seen.min(axis=0), seen.max(axis=0)
