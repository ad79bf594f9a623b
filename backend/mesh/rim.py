# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the background off the mesh's rim, where few pixels are stretched over much surface.

The outermost pixels of a silhouette mix the object's colours with what lay behind it, and a front projection draws them
over the whole depth of the rim. So what lies near the outline takes its colour from a little further inside.
"""

import numpy as np

from ..arrays import Float32Array

BLUR_PASSES = 3
FAR_ENOUGH = 0.97  # of the blurred coverage; along a straight edge about three pixels inside
STEP = 0.5  # pixels
STEPS = 8


def inset(uv: Float32Array, alpha: Float32Array) -> Float32Array:
    """Move what lies within about three pixels of the outline inwards.

    uv: float32 (V, 2) in the cut-out's frame, v upward. alpha: float32 (S, S) in [0, 1]. Thin parts move to their
    middle line and no further. Returns uv of the same shape.
    """
    size = alpha.shape[0]
    blurred = _blur(alpha)
    slope = np.stack([np.gradient(blurred, axis=1), np.gradient(blurred, axis=0)], axis=-1)
    x, y = uv[:, 0] * size - 0.5, (1.0 - uv[:, 1]) * size - 0.5
    near = np.flatnonzero(_sample(blurred, x, y) < FAR_ENOUGH)
    for _ in range(STEPS):
        direction = _sample(slope, x[near], y[near])
        length = np.hypot(direction[:, 0], direction[:, 1])
        here = _sample(blurred, x[near], y[near])
        stride = np.where(here < FAR_ENOUGH, STEP / np.maximum(length, 1e-3), 0.0)  # a flat slope is the middle line
        x[near] += direction[:, 0] * stride
        y[near] += direction[:, 1] * stride
    return np.stack([(x + 0.5) / size, 1.0 - (y + 0.5) / size], axis=-1).astype(np.float32)


def _blur(alpha: Float32Array) -> Float32Array:
    """Coverage averaged over 3 x 3 pixels, three times over: nearly a Gaussian of 1.4 pixels."""
    blurred = alpha.astype(np.float32)
    for _ in range(BLUR_PASSES):
        for axis in (0, 1):
            padded = np.pad(blurred, [(1, 1) if axis == side else (0, 0) for side in (0, 1)])
            before, after = np.delete(padded, [-1, -2], axis), np.delete(padded, [0, 1], axis)
            blurred = (before + blurred + after) / np.float32(3.0)
    return blurred


def _sample(field: Float32Array, x: Float32Array, y: Float32Array) -> Float32Array:
    """Bilinear values of a field (S, S) or (S, S, C) at pixel positions."""
    size = field.shape[0]
    x, y = np.clip(x, 0.0, size - 1.001), np.clip(y, 0.0, size - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    right, down = (x - column)[..., None], (y - row)[..., None]
    channels = field.reshape(size, size, -1)
    upper = channels[row, column] * (1.0 - right) + channels[row, column + 1] * right
    lower = channels[row + 1, column] * (1.0 - right) + channels[row + 1, column + 1] * right
    return np.squeeze(upper * (1.0 - down) + lower * down, axis=-1 if field.ndim == 2 else ())
