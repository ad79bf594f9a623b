# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of any shape as squares, and the cameras that see those."""

from dataclasses import replace

import numpy as np

from ..flow.products import Camera, Picture
from .camera import field_of_view, focal_length


def squared(picture: Picture) -> Picture:
    """A view in the middle of a square; what is beside it there is as its outermost pixels."""
    height, width, _ = picture.shape
    across, down = max(height - width, 0), max(width - height, 0)
    return np.pad(picture, ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0)), mode="edge")


def of_square(camera: Camera, height: int, width: int) -> Camera:
    """The camera that sees the square around a view of this size."""
    side = max(height, width)
    fov = field_of_view(focal_length(camera.fov, width), side) if camera.fov else 0.0
    return replace(camera, fov=fov, width=camera.width * side / width)
