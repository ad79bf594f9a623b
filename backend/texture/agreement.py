# SPDX-License-Identifier: GPL-3.0-or-later
"""What a normal map may be believed about a surface whose own normals are known.

A surface is right in the whole and a map in its detail (Nehab et al., "Efficiently combining positions and normals for
precise 3D geometry", SIGGRAPH 2005). How far the map is right shows where the two can be compared: what remains of
their difference in long waves is the map's error, since a surface does not lean. If it is small, the map is right as a
whole, and counts. If not, only what is finer counts, as long as the surface would not have to move by more than it may
be wrong by. Both are decided where they happen: a map can be right in one part of an object.
"""

import numpy as np

from ..arrays import BoolArray, Float64Array
from ..raster.blur import box_blur
from ..raster.vectors import unit

_SCALES = (1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256)  # of the side: standard deviations of blurs
_LEAN = np.radians(3.0)  # how much both may differ in the longest waves until the map counts by half
_MOST = np.radians(15.0)  # the most that a pixel counts in that: edges that the surface rounds off do not lean
_WRONG = 1 / 1024  # of the side: how far the surface may lie beside the truth


def agreed(own: Float64Array, shown: Float64Array, known: BoolArray) -> Float64Array:
    """The normals that a surface and a normal map agree upon, unit, float64 (S, S, 3); `own` where nothing is known.

    own, shown: float64 (S, S, 3), unit, the surface's normals and the map's at the same pixels. known: bool (S, S),
    where both are. The difference of both is split into waves, and of those between two scales comes as much as the
    coarser scale allows: a difference that is left when it is blurred by s pixels moves the surface by s times as much.
    """
    result = own.copy()
    rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return result
    side = len(known)
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside = known[part].astype(np.float64)
    difference = (shown[part] - own[part]) * inside[..., None]
    whole = 1 / (1 + (_lean(difference, inside, _SCALES[0] * side) / _LEAN) ** 4)
    lefts = [_mean(difference, inside, scale * side) for scale in _SCALES]
    shares: list[Float64Array] = []
    for scale, left in zip(_SCALES, lefts, strict=True):
        amount = _size(left, inside, 2 * scale * side)
        shares.append(whole + (1 - whole) / (1 + (scale * amount / _WRONG) ** 2))
    taken = shares[0] * lefts[0]
    for share, left, finer in zip(shares, lefts, (*lefts[1:], difference), strict=True):
        taken += share * (finer - left)
    result[part] += taken * inside[..., None]
    return unit(result)


def _lean(difference: Float64Array, inside: Float64Array, deviation: float) -> Float64Array:
    """How far apart both are in long waves, in radians, float64 (H, W, 1); no pixel counts for more than `_MOST`."""
    length = np.linalg.norm(difference, axis=2, keepdims=True)
    bounded = difference * (_MOST / np.maximum(length, _MOST))
    return _size(_mean(bounded, inside, deviation), inside, 2 * deviation)


def _size(image: Float64Array, inside: Float64Array, deviation: float) -> Float64Array:
    """The root mean square of vectors around each pixel, float64 (H, W, 1)."""
    return np.sqrt(_mean((image**2).sum(axis=2, keepdims=True), inside, deviation))


def _mean(image: Float64Array, inside: Float64Array, deviation: float) -> Float64Array:
    """A blur over what is inside alone; image: float64 (H, W, C), 0 outside."""
    weight = np.maximum(box_blur(inside, deviation, beyond="zero"), 1e-9)[..., None]
    return box_blur(image * inside[..., None], deviation, beyond="zero") / weight
