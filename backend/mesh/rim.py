# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the background's colours off the mesh's rim, where few pixels are stretched over much surface.

The outermost pixels of a silhouette mix the object's colours with the background's, and a projection from the front
draws them over the whole depth of the rim. So vertices near the outline take their colour from a little further inside.
"""

import numpy as np

from ..arrays import Float32Array
from ..raster.blur import box_blur

_BLUR = 1.4  # pixels: the standard deviation
_FAR_ENOUGH = 0.97  # of the blurred alpha; along a straight edge about three pixels inside
_STEP = 0.5  # pixels
_STEPS = 8


def inset(uv: Float32Array, alpha: Float32Array) -> Float32Array:
    """Move points within about three pixels of the outline inwards; in thin parts, to the middle line at most.

    uv: float32 (V, 2) in the cut-out's frame, v upward. alpha: float32 (S, S) in [0, 1]. Returns float32 (V, 2).
    """
    size = alpha.shape[0]
    blurred = box_blur(alpha, _BLUR, beyond="zero")
    slope = np.stack([np.gradient(blurred, axis=1), np.gradient(blurred, axis=0)], axis=-1)
    x, y = uv[:, 0] * size - 0.5, (1.0 - uv[:, 1]) * size - 0.5
    near = np.flatnonzero(_sample(blurred, x, y) < _FAR_ENOUGH)
    for _ in range(_STEPS):
        direction = _sample(slope, x[near], y[near])
        length = np.hypot(direction[:, 0], direction[:, 1])
        here = _sample(blurred, x[near], y[near])
        stride = np.where(here < _FAR_ENOUGH, _STEP / np.maximum(length, 1e-3), 0.0)  # 0 on the middle line
        x[near] += direction[:, 0] * stride
        y[near] += direction[:, 1] * stride
    return np.stack([(x + 0.5) / size, 1.0 - (y + 0.5) / size], axis=-1).astype(np.float32)


def _sample(field: Float32Array, x: Float32Array, y: Float32Array) -> Float32Array:
    """Return bilinear values of a field (S, S) or (S, S, C) at pixel positions, (N,) or (N, C)."""
    size = field.shape[0]
    x, y = np.clip(x, 0.0, size - 1.001), np.clip(y, 0.0, size - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    right, down = (x - column)[..., None], (y - row)[..., None]
    channels = field.reshape(size, size, -1)
    upper = channels[row, column] * (1.0 - right) + channels[row, column + 1] * right
    lower = channels[row + 1, column] * (1.0 - right) + channels[row + 1, column + 1] * right
    return np.squeeze(upper * (1.0 - down) + lower * down, axis=-1 if field.ndim == 2 else ())
