# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras around an object, and the pixels at which they see its points.

z is up, and the picture's own camera stands at -y. A camera's azimuth grows counter-clockwise seen from above: at 90
degrees it stands at +x.
"""

import numpy as np

from ..arrays import Float64Array
from ..errors import UserError
from ..flow.products import Camera

_ANGLES = (0.01, 170.0)  # degrees, the least and the greatest
_METRES = (1e-6, 1e6)  # the least and the greatest width of a parallel projection; no camera stands farther away


def orbit(azimuth: float, elevation: float, distance: float, fov: float) -> Camera:
    """A camera on a sphere around the origin, which it looks at; angles in degrees, the distance in metres.

    It stands at distance * (sin a cos e, -cos a cos e, sin e). Its right is (cos a, sin a, 0), at the poles as well.
    """
    a, e = np.radians(azimuth), np.radians(elevation)
    right = np.array([np.cos(a), np.sin(a), 0.0])
    back = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    matrix[:3, 3] = distance * back
    return Camera(matrix, fov)


def is_rigid(matrix: Float64Array) -> bool:
    """Whether a matrix, float64 (4, 4), turns and moves alone: its axes are of length 1, square and right-handed."""
    turn = matrix[:3, :3]
    finite = bool(np.isfinite(matrix).all())
    return finite and np.abs(turn.T @ turn - np.eye(3)).max() < 1e-3 and float(np.linalg.det(turn)) > 0


def sees(camera: Camera) -> bool:
    """Whether numbers from outside are a camera's: rigid, not endlessly far away, its angle or its width in bounds."""
    if not (is_rigid(camera.matrix) and np.isfinite([camera.fov, camera.width]).all()):
        return False
    number, (least, most) = (camera.fov, _ANGLES) if camera.fov else (camera.width, _METRES)
    return least <= number <= most and bool(np.abs(camera.matrix[:3, 3]).max() <= _METRES[1])


def check_camera(camera: Camera) -> None:
    """Raises UserError "bad-camera" if a camera that a request brings is none."""
    if not sees(camera):
        sentence = (
            "The camera that was given is none: it is scaled or sheared, or it is too far away, too wide or too narrow."
        )
        raise UserError("bad-camera", sentence, "Give a camera without scale, with a field of view below 170 degrees.")


def angles_of(way: Float64Array) -> tuple[float, float]:
    """The azimuth and the elevation, in degrees, at which `orbit` has a camera that lies this way, float64 (3,)."""
    azimuth, elevation = np.arctan2(way[0], -way[1]), np.arctan2(way[2], np.hypot(way[0], way[1]))
    return float(np.degrees(azimuth)), float(np.degrees(elevation))


def focal_length(fov: float, width: float) -> float:
    """The focal length, in pixels, of a picture of this width that shows a field of view, in degrees, above 0."""
    return float(width / 2 / np.tan(np.radians(fov) / 2))


def field_of_view(focal: float, width: float) -> float:
    """The field of view, in degrees, across a picture of this width; the inverse of `focal_length`."""
    return float(2 * np.degrees(np.arctan(width / 2 / focal)))


def distance_to(filled: float, fov: float) -> float:
    """How far from an object a camera stands, in metres, to which its metre fills so much of the picture's side.

    filled: in (0, 1]. fov: in degrees. Meant is what lies in the plane through the object's middle.
    """
    return focal_length(fov, 1.0) / filled


def pixels(
    points: Float64Array, camera: Camera, shape: tuple[int, int], offset: tuple[float, float] = (0.0, 0.0)
) -> Float64Array:
    """Where a camera sees points, float64 (N, 3): column, row and depth, in pixels and metres.

    points: float64 (N, 3). shape: the picture's rows and columns. offset: by how many pixels right and down the
    picture's middle is moved. Row i, column j has its centre at (j + 1/2, i + 1/2). The depth is the distance along the
    viewing axis, not along the ray. The field of view is that of the width.
    """
    seen = (points - camera.matrix[:3, 3]) @ camera.matrix[:3, :3]
    depth = -seen[:, 2]
    height, width = shape
    scale = focal_length(camera.fov, width) / depth if camera.fov else width / camera.width
    column = width / 2 + offset[0] + seen[:, 0] * scale
    row = height / 2 + offset[1] - seen[:, 1] * scale
    return np.stack([column, row, depth], axis=1)
