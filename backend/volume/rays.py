# SPDX-License-Identifier: GPL-3.0-or-later
"""The rays of a camera's pixels, and where they pass through a box."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..flow.products import Camera
from ..texture.camera import focal_length


class Rays(NamedTuple):
    """Rays, float32 (R, 3) each: where they begin, in metres, and their directions, of unit length."""

    origins: Tensor
    directions: Tensor


def rays_of(camera: Camera, shape: tuple[int, int]) -> Rays:
    """The rays through the middles of a picture's pixels, row by row; shape: rows and columns.

    Those of a camera with a field of view begin at its place, the others on the plane in which it stands.
    """
    height, width = shape
    down, across = np.meshgrid(np.arange(height) + 0.5, np.arange(width) + 0.5, indexing="ij")
    scale = 1 / focal_length(camera.fov, width) if camera.fov else camera.width / width
    x, y = (across.ravel() - width / 2) * scale, (height / 2 - down.ravel()) * scale
    level = np.zeros_like(x)
    if camera.fov:
        begins, ways = np.zeros((len(x), 3)), np.stack([x, y, level - 1], axis=1)
    else:
        begins, ways = np.stack([x, y, level], axis=1), np.tile([0.0, 0.0, -1.0], (len(x), 1))
    turn, place = camera.matrix[:3, :3], camera.matrix[:3, 3]
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return Rays(*(torch.from_numpy(part.astype(np.float32)) for part in (begins @ turn.T + place, ways @ turn.T)))


def through_box(rays: Rays, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays enter the box from `low` to `high`, (3,) each, and leave it: distances, float32 (R,) each.

    Nothing behind a ray's beginning counts: the entry is at least 0. A ray that misses has its exit before its entry.
    """
    ways = torch.where(rays.directions.abs() < 1e-12, 1e-12, rays.directions)
    one, other = (low - rays.origins) / ways, (high - rays.origins) / ways
    entry = torch.minimum(one, other).amax(dim=1).clamp_min(0)
    return entry, torch.maximum(one, other).amin(dim=1)
