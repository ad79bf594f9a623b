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
_LEAN = np.radians(5.0)  # how much both may differ in the longest waves until the map counts by half
_WRONG = 1 / 512  # of the side: how far the surface may lie beside the truth


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
    whole, taken, before, coarser = None, 0.0, 0.0, None
    for scale in _SCALES:
        left = _mean(difference, inside, scale * side)
        amount = np.sqrt(_mean((left**2).sum(axis=2, keepdims=True), inside, 2 * scale * side))
        whole = 1 / (1 + (amount / _LEAN) ** 4) if whole is None else whole
        share = whole + (1 - whole) / (1 + (scale * amount / _WRONG) ** 2)
        taken = taken + (share if coarser is None else coarser) * (left - before)
        before, coarser = left, share
    taken = taken + coarser * (difference - before)
    result[part] += taken * inside[..., None]
    return unit(result)


def _mean(image: Float64Array, inside: Float64Array, deviation: float) -> Float64Array:
    """A blur over what is inside alone; image: float64 (H, W, C), 0 outside."""
    weight = np.maximum(box_blur(inside, deviation, beyond="zero"), 1e-9)[..., None]
    return box_blur(image * inside[..., None], deviation, beyond="zero") / weight
