# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of any shape as squares, and the cameras that see those."""

import numpy as np

from ..flow.products import Camera, Picture
from .camera import field_of_view, focal_length
from .lens import off_axis


def squared(picture: Picture) -> Picture:
    """A view in the middle of a square; what is beside it there is as its outermost pixels.

    If that is not to a whole pixel, one more lies below or to the right of the view, which `of_square` knows.
    """
    height, width, _ = picture.shape
    across, down = max(height - width, 0), max(width - height, 0)
    return np.pad(picture, ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0)), mode="edge")


def of_square(camera: Camera, height: int, width: int) -> Camera:
    """The camera that sees the square around a view of this size.

    If one pixel more lies on one side of the view, the square's middle is half a pixel from the view's. A parallel
    projection moves by that; a camera with a field of view turns, which at 40 degrees is the same to 0.1 pixel.
    """
    side, half = max(height, width), (height - width) % 2 / 2
    right, down = (half, 0.0) if height > width else (0.0, half)  # in pixels
    if not camera.fov:
        step = np.eye(4)
        step[:2, 3] = np.array([right, -down]) * camera.width / width
        return Camera(camera.matrix @ step, 0.0, camera.width * side / width)
    focal = focal_length(camera.fov, width)
    turn = np.eye(4)
    turn[:3, :3] = off_axis(np.array([right, down]) / focal).T
    return Camera(camera.matrix @ turn, field_of_view(focal, side), camera.width * side / width)
