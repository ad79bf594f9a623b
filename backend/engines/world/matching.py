# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pipeline has painted, in the brightness and tint of what was there before.

A pipeline gives back what it was to keep a little changed, and each view has a tint of its own. How bright what is
known was, and how bright it is painted, is averaged around every pixel, weighted by what is known (normalised
convolution: Knutsson & Westin, CVPR 1993). By the quotient over wide surroundings the whole view is multiplied, as an
exposure is; by what is then still missed over narrow ones it is moved next to what is known.
"""

import numpy as np

from ...arrays import Float32Array
from ...raster.blur import gaussian_blur
from ...raster.ticks import Poll

_WIDE, _NARROW = 1 / 8, 1 / 64  # of a view's side: standard deviations
_FAR = np.float32(1e-6)  # of known surroundings: with less the means of all that is known count
_DARK = np.float32(1e-3)  # of white: the quotient of what is darker says nothing
_GAINS = (0.5, 2.0)  # the least and the greatest: beyond that it is no tint but another thing


def matched(painted: Float32Array, before: Float32Array, certain: Float32Array, poll: Poll) -> Float32Array:
    """A painted view, float32 (S, S, 3), linear light in [0, 1], so that it goes on from what is known of it.

    before: float32 (S, S, 3), the view as it was. certain: float32 (S, S), 1 where that is known, else 0. If nothing
    is, the view stays as it is painted.
    """
    known = float(certain.mean())
    if known == 0:
        return painted
    side, weights = len(painted), certain[..., None]
    both = np.dstack([before * weights, painted * weights, weights])
    means = both.mean(axis=(0, 1)) / known
    around = gaussian_blur(both, _WIDE * side, poll=poll) + _FAR * means
    gain = (around[..., :3] + _DARK * around[..., 6:]) / (around[..., 3:6] + _DARK * around[..., 6:])
    light = painted * gain.clip(*_GAINS)
    around = gaussian_blur(np.dstack([(before - light) * weights, weights]), _NARROW * side, poll=poll)
    near = np.minimum(2 * around[..., 3:], 1)  # at a straight border half of what is around is known
    return np.clip(light + near * around[..., :3] / np.maximum(around[..., 3:], _FAR), 0, 1, dtype=np.float32)
