# SPDX-License-Identifier: GPL-3.0-or-later
"""The sphere around a place as an equirectangular picture, and flat views of it.

Axes are Blender's: x right, y ahead, z up. The pixel (row, column) of a panorama (H, 2 H) lies at the elevation
90 - 180 (row + 1/2) / H degrees, and 360 (column + 1/2) / (2 H) - 180 degrees to the right of straight ahead.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import Float32Array
from ...texture.camera import focal_length


@dataclass(frozen=True)
class View:
    """A flat picture that a pinhole camera in the middle of the sphere sees.

    yaw: degrees to the right of straight ahead, pitch: degrees upward, of the way it looks. fov: degrees across its
    width, below 180.
    """

    yaw: float
    pitch: float
    fov: float

    @property
    def axes(self) -> Float32Array:
        """Its right, its up and the way it looks, float32 (3, 3), an axis a row. Its right is level at any pitch."""
        turn, rise = np.radians(self.yaw), np.radians(self.pitch)
        right = np.array([np.cos(turn), -np.sin(turn), 0.0])
        ahead = np.array([np.sin(turn) * np.cos(rise), np.cos(turn) * np.cos(rise), np.sin(rise)])
        return np.stack([right, np.cross(right, ahead), ahead]).astype(np.float32)


def elevations(height: int) -> Float32Array:
    """The elevation of each row of a panorama, float32 (H,), in radians."""
    return (np.pi * (0.5 - (np.arange(height, dtype=np.float32) + np.float32(0.5)) / height)).astype(np.float32)


def directions(height: int, rows: slice) -> Float32Array:
    """Where some rows of a panorama (H, 2 H) look, float32 (rows, 2 H, 3), unit."""
    rise = elevations(height)[rows, None]
    turn = np.pi * ((np.arange(2 * height, dtype=np.float32) + np.float32(0.5)) / height - 1)[None]
    across = np.cos(rise)
    level = [np.sin(turn) * across, np.cos(turn) * across]
    return np.stack([*level, np.broadcast_to(np.sin(rise), level[0].shape)], axis=-1).astype(np.float32)


def solid_angles(height: int) -> Float32Array:
    """The share of the whole sphere that a pixel in each row of a panorama (H, 2 H) covers, float32 (H, 1)."""
    share = np.cos(elevations(height))[:, None]
    return (share / (share.sum() * 2 * height)).astype(np.float32)


def seen_at(view: View, ways: Float32Array, shape: tuple[int, int]) -> tuple[Float32Array, Float32Array]:
    """The column and the row at which a view of that shape (h, w) sees directions (..., 3).

    Both float32 (...,), 0.5 in the middle of the first pixel; NaN behind the camera.
    """
    right, up, ahead = np.moveaxis(ways @ view.axes.T, -1, 0)
    height, width = shape
    scale = focal_length(view.fov, width) / np.where(ahead > 1e-6, ahead, np.float32(np.nan))
    return width / 2 + right * scale, height / 2 - up * scale


def ways_of(view: View, shape: tuple[int, int]) -> Float32Array:
    """Where the pixels of a view of that shape look, float32 (h, w, 3), unit."""
    height, width = shape
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2)[None, :, None]
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None, None]
    right, up, ahead = view.axes
    ways = right * across - up * down + ahead * np.float32(focal_length(view.fov, width))
    return (ways / np.linalg.norm(ways, axis=-1, keepdims=True)).astype(np.float32)


def looked_up(panorama: Float32Array, ways: Float32Array) -> Float32Array:
    """What a panorama (H, 2 H, C) shows in directions (..., 3), float32 (..., C), bilinearly; the seam is closed."""
    height, width = panorama.shape[:2]
    column = (np.arctan2(ways[..., 0], ways[..., 1]) / np.pi + 1) * height
    row = (0.5 - np.arcsin(ways[..., 2].clip(-1, 1)) / np.pi) * height
    return bilinear(np.concatenate([panorama[:, -1:], panorama, panorama[:, :1]], axis=1), column % width + 1, row)


def bilinear(image: Float32Array, columns: Float32Array, rows: Float32Array) -> Float32Array:
    """The values of an image (h, w, C) at places (...,), 0.5 in the middle of the first pixel, float32 (..., C).

    Beyond the outermost pixels' middles their values hold.
    """
    height, width = image.shape[:2]
    x, y = (columns - 0.5).clip(0, width - 1), (rows - 0.5).clip(0, height - 1)
    left, top = x.astype(np.int32), y.astype(np.int32)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    x, y = (x - left)[..., None].astype(np.float32), (y - top)[..., None].astype(np.float32)
    above = image[top, left] * (1 - x) + image[top, right] * x
    return above * (1 - y) + (image[below, left] * (1 - x) + image[below, right] * x) * y
