# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of the small network, the same for training and inference.

Exposure and contrast are removed from the colours: their mean over the object is subtracted, and one standard deviation
scales all three channels. The other inputs are the coverage and, at a quarter of the size, the normals of the inflated
outline (see `raster.poisson`): the network starts from the outline's large forms and learns what the outline does not
show.
"""

import numpy as np

from ..arrays import Float32Array, UInt8Array
from ..raster.vectors import unit

GRID = 4
"""Pixels of the picture to a cell of the inflated outline, along a side."""

_LEAST_CONTRAST = 0.02  # added to the deviation, which is 0 for an object of one colour
_SWEEPS = 1.5  # of the relaxation, times the cells of the longer side


def standardise(rgba: UInt8Array) -> Float32Array:
    """Return the colours without exposure and contrast, and the coverage.

    rgba: uint8 (N, H, W, 4), sRGB, straight alpha. Returns float32 (N, H, W, 4): three colours times coverage, of mean
    0 and deviation of about 1 over the object, then the coverage in [0, 1].
    """
    pixels = rgba.astype(np.float32) * np.float32(1 / 255)
    coverage = pixels[..., 3:]
    total = np.maximum(coverage.sum(axis=(1, 2), keepdims=True), 1e-6)
    mean = (pixels[..., :3] * coverage).sum(axis=(1, 2), keepdims=True) / total
    colours = (pixels[..., :3] - mean) * coverage
    deviation = np.sqrt((colours**2).sum(axis=(1, 2, 3), keepdims=True) / (3 * total))
    pixels[..., :3] = colours / (deviation + np.float32(_LEAST_CONTRAST))
    return pixels


def inflate(coverage: Float32Array) -> Float32Array:
    """Return the inflated outline's normals on a coarse grid.

    coverage: float32 (N, H, W) in [0, 1], H and W multiples of `GRID`. Solves Δu = -1 in cells that are more than half
    covered, with u = 0 elsewhere, by red-black successive over-relaxation (Young, Iterative Solution of Large Linear
    Systems, 1971), with a fixed number of sweeps. Returns float32 (N, H / GRID, W / GRID, 3): (-u_x, -u_y, 2 sqrt(u))
    scaled to unit length, x right, y up, z to the viewer; (0, 0, 1) outside.
    """
    count, height, width = coverage.shape
    cells = coverage.reshape(count, height // GRID, GRID, width // GRID, GRID).mean(axis=(2, 4))
    rows, columns = cells.shape[1:]
    longer = max(rows, columns)
    omega = np.float32(2 / (1 + np.sin(np.pi / (longer + 1))))
    inside = (cells > 0.5) * omega
    chequered = (np.add.outer(np.arange(rows), np.arange(columns)) % 2).astype(np.float32)
    colours = (inside * chequered, inside * (1 - chequered))
    u = np.zeros((count, rows + 2, columns + 2), np.float32)
    middle = u[:, 1:-1, 1:-1]
    for _ in range(int(_SWEEPS * longer)):
        for colour in colours:
            change = u[:, :-2, 1:-1] + u[:, 2:, 1:-1]
            change += u[:, 1:-1, :-2]
            change += u[:, 1:-1, 2:]
            change += 1
            change *= np.float32(0.25)
            change -= middle
            change *= colour
            middle += change
    np.maximum(u, 0, out=u)
    slope_x = (u[:, 1:-1, 2:] - u[:, 1:-1, :-2]) / 2
    slope_y = (u[:, :-2, 1:-1] - u[:, 2:, 1:-1]) / 2
    normals = np.stack([-slope_x, -slope_y, 2 * np.sqrt(middle)], axis=-1).astype(np.float32, copy=False)
    normals[inside == 0] = (0, 0, 1)
    return unit(normals)
