# SPDX-License-Identifier: GPL-3.0-or-later
"""A made view gets the brightness and the tint of what is already known of the surface.

For each channel a factor and an offset are fitted where the view shows what was seen before, by least squares in which
pixels that do not fit count less (Huber, Robust Estimation of a Location Parameter, 1964). The fit is held to what is
expected, no change at all if nothing else is known, the more so the fewer pixels there are.
"""

import numpy as np

from ..arrays import Float32Array, Float64Array

_ROUNDS = 10
_CLOSE = 0.05  # the difference, sRGB in [0, 1], from which on a pixel counts less
_HOLD = 50.0  # pixels that stand for no change
_FACTORS = (0.5, 2.0)
NO_CHANGE = np.array([[1.0, 0.0]] * 3)


def matched(made: Float32Array, known: Float32Array, trust: Float32Array) -> Float32Array:
    """The view `made`, float32 (H, W, 3), sRGB in [0, 1], in the brightness and tint of `known`, alike.

    trust: float32 (H, W), at least 0, how far a pixel of `known` can be trusted.
    """
    return tuned(made, tune(made, known, trust))


def tune(
    made: Float32Array, known: Float32Array, trust: Float32Array, expected: Float64Array = NO_CHANGE
) -> Float64Array:
    """What brings a view to the brightness and tint of `known`: each channel's factor and offset, float64 (3, 2).

    expected: what the fit is held to, alike, such as what another view of the same network needed.
    """
    at = trust > 0
    weights = trust[at].astype(np.float64)
    pairs = zip(made[at].astype(np.float64).T, known[at].astype(np.float64).T, expected, strict=True)
    return np.array([_line(x, y, weights, usual) for x, y, usual in pairs])


def tuned(made: Float32Array, lines: Float64Array) -> Float32Array:
    """A view, float32 (H, W, 3), with `tune` applied, in [0, 1]."""
    factors, offsets = lines.T.astype(np.float32)
    return np.clip(made * factors + offsets, 0, 1)


def _line(x: Float64Array, y: Float64Array, weights: Float64Array, usual: Float64Array) -> tuple[float, float]:
    """The factor and the offset that lead from x to y, (N,)."""
    factor, offset = (float(number) for number in usual)
    hold = _HOLD * np.array([1 / 12, 1.0])  # of even tones the variance is 1 / 12
    for _ in range(_ROUNDS):
        off = np.abs(factor * x + offset - y)
        share = weights * np.minimum(1.0, _CLOSE / np.maximum(off, 1e-12))
        rows = np.stack([x, np.ones_like(x)])
        left = (rows * share) @ rows.T + np.diag(hold)
        factor, offset = (float(v) for v in np.linalg.solve(left, rows @ (share * y) + hold * usual))
        factor = float(np.clip(factor, *_FACTORS))
    return factor, offset
