# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of occupied voxels, to show a coarse shape before it has a surface."""

import numpy as np

from ..arrays import Int32Array, UInt8Array
from .vectors import unit

SIDE = 256
_LIGHT = np.array([-0.45, 0.60, 0.66])  # towards the light, upper left and in front: x right, y up, z to the viewer
_DARK, _FAR = 0.35, 0.30  # brightness of a face away from the light, and what the farthest voxel loses
_BEVEL = 0.10  # how much lighter an edge to the light is, and how much darker one away from it
_STEEP = 3  # voxels: a higher step separates two parts and is no slope
_TINT = np.array([0.86, 0.91, 1.00])


def draw_voxels(coords: Int32Array, resolution: int) -> UInt8Array:
    """Draw voxels from the front (-y), in parallel projection on a transparent background.

    coords: int32 (N, 3), x, y, z in [0, resolution), x right, y away, z up. Returns uint8 (S, S, 4), straight alpha,
    row 0 on top; S is the largest multiple of `resolution` up to 256, and at least `resolution`. A voxel is shaded by
    the slope around it and gets darker with its depth; an edge is drawn if the neighbour lies farther back.
    """
    depth = np.full((resolution + 2, resolution + 2), resolution, np.int64)  # rows are z downward, with a border
    x, y, z = np.asarray(coords, np.int64).T
    np.minimum.at(depth, (resolution - z, x + 1), y)
    inner = depth[1:-1, 1:-1]
    there = inner < resolution
    behind = {"top": depth[:-2, 1:-1], "bottom": depth[2:, 1:-1], "left": depth[1:-1, :-2], "right": depth[1:-1, 2:]}
    slope = {side: np.clip(other - inner, -_STEEP, _STEEP) for side, other in behind.items()}
    normal = np.stack(
        [slope["right"] - slope["left"], slope["top"] - slope["bottom"], np.full_like(inner, 2)], axis=2
    ).astype(np.float64)
    light = _DARK + (1.0 - _DARK) * np.clip(unit(normal) @ _LIGHT, 0.0, 1.0)
    nearest, span = inner.min(), max(int(np.ptp(inner[there])), 1) if there.any() else 1
    light -= _FAR * (inner - nearest) / span
    scale = max(SIDE // resolution, 1)
    cells = np.repeat(np.repeat(light, scale, axis=0), scale, axis=1).reshape(resolution, scale, resolution, scale)
    if scale > 1:
        cells[:, 0] += _BEVEL * (slope["top"] > 0)[..., None]
        cells[:, -1] -= _BEVEL * (slope["bottom"] > 0)[..., None]
        cells[..., 0] += _BEVEL * (slope["left"] > 0)[:, None]
        cells[..., -1] -= _BEVEL * (slope["right"] > 0)[:, None]
    alpha = np.repeat(np.repeat(there, scale, axis=0), scale, axis=1)
    grey = cells.reshape(alpha.shape)
    rgba = np.concatenate([np.clip(grey, 0.0, 1.0)[..., None] * _TINT, alpha[..., None]], axis=2)
    rgba[~alpha] = 0.0
    return np.rint(rgba * 255.0).astype(np.uint8)
