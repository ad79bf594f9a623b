# SPDX-License-Identifier: GPL-3.0-or-later
"""At which height a body is cut so that it stands: the lowest at which its flat sole carries it safely."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..mesh.check import signed_volume
from .balance import tilt, tilt_of_sole
from .cut import Cut, cut_above, uncut

SAFE = 10.0
"""Degrees that a body may be tilted before it tips over, at least, to stand safely."""
DEEPEST = 0.1
"""Of the height: more is not cut off. Sentences say a tenth."""
_LOWEST = 1e-4  # of the height: a cut below shows nothing
_STEPS = 48
_HALVINGS = 8
_TRIES = 4
_WINDOW = 1e-4  # of the height: so far a cut may move, to be clear of vertices


class _Above(NamedTuple):
    """The sums over whole triangles that tell volume and centre of what is above any height, see `_balance`."""

    determinant: float
    lift: float
    by_determinant: Float64Array
    by_lift: Float64Array


def foot(
    vertices: Float64Array, triangles: Int64Array, safe: float = SAFE, deepest: float = DEEPEST
) -> tuple[float, float] | None:
    """Return at which height to cut a closed body, and by how many degrees it may be tilted then.

    vertices: float64 (V, 3), z up. triangles: int64 (T, 3), outward. safe: the least tilt in degrees. deepest: the
    share of the height that may be cut off; None if that is not enough. No vertex is at the height.
    """
    z = vertices[:, 2]
    bottom, tall = float(z.min()), float(np.ptp(z))
    corners = vertices[triangles] - [0, 0, bottom]
    low = corners[..., 2].min(axis=1) <= deepest * tall
    above, crossed = _above(corners[~low]), corners[low]

    def at(height: float) -> float:
        return _balance(above, crossed, height)

    steps = np.geomspace(_LOWEST, deepest, _STEPS) * tall
    number = next((number for number, height in enumerate(steps) if at(height) >= safe), None)
    if number is None:
        return None
    short, enough = (steps[number - 1] if number else 0.0), steps[number]
    for _ in range(_HALVINGS):
        middle = (short + enough) / 2
        short, enough = (short, middle) if at(middle) >= safe else (middle, enough)
    height = clear(z - bottom, float(enough), _WINDOW * tall)
    return bottom + height, at(height)


def clear(heights: Float64Array, wanted: float, window: float) -> float:
    """Return a height from `wanted` to `window` above it in the middle of the widest gap between heights (N,)."""
    within = heights[(heights > wanted) & (heights < wanted + window)]
    edges = np.concatenate([[wanted], np.sort(within), [wanted + window]])
    widest = int(np.diff(edges).argmax())
    return float(edges[widest] + edges[widest + 1]) / 2


def with_foot(vertices: Float64Array, triangles: Int64Array, safe: float = SAFE) -> Cut | None:
    """Cut a closed body, outward or inside out, so that it stands; None if no cut is enough. See `foot`.

    One that stands safely stays as it is.
    """
    if signed_volume(vertices, triangles) < 0:
        cut = with_foot(vertices, triangles[:, ::-1], safe)
        return cut and replace(cut, triangles=cut.triangles[:, ::-1], weights=cut.weights[:, ::-1, ::-1])
    if tilt(vertices, triangles) >= safe:
        return uncut(vertices, triangles)
    found = foot(vertices, triangles, safe)
    heights = tries(vertices, found[0]) if found else ()
    return next(filter(None, (cut_above(vertices, triangles, height) for height in heights)), None)


def tries(vertices: Float64Array, height: float) -> Iterator[float]:
    """Yield the heights at which to cut, one after the other until the cut can be closed: `height`, and a little more.

    Through a corner that touches another one a cut cannot be closed; a little above it can. vertices: float64 (V, 3);
    none is at a height.
    """
    tall = float(np.ptp(vertices[:, 2]))
    for _ in range(_TRIES):
        yield height
        height = clear(vertices[:, 2], height + _WINDOW * tall, _WINDOW * tall)


def _above(corners: Float64Array) -> _Above:
    """Sum over triangles (T, 3, 3)."""
    a, b, c = np.moveaxis(corners, 1, 0)
    determinants = np.einsum("ti,ti->t", a, np.cross(b, c))
    lifts = np.cross(b - a, c - a)[:, 2]
    sums = a + b + c
    return _Above(float(determinants.sum()), float(lifts.sum()), determinants @ sums, lifts @ sums)


def _balance(above: _Above, crossed: Float64Array, height: float) -> float:
    """Return by how many degrees what is above a height may be tilted on its flat sole; 0 if nothing is.

    above: the sums of triangles that are higher. crossed: the others, (T, 3, 3). With the origin in the plane, the cap
    adds nothing to the volume, sum of det(a, b, c) / 6 over triangles, nor to the first moment.
    """
    upper, sole = _upper_parts(crossed, height)
    if len(sole) < 3:
        return 0.0
    rest = _above(upper)
    total, lift, by_total, by_lift = (one + other for one, other in zip(above, rest, strict=True))
    volume = total - height * lift
    moment = by_total - height * by_lift + np.array([0, 0, height]) * volume
    if not abs(volume) > 0:
        return 0.0
    centre = moment / (4 * volume) - [0, 0, height]
    return tilt_of_sole(sole, centre) if centre[2] > 0 else 0.0


def _upper_parts(corners: Float64Array, height: float) -> tuple[Float64Array, Float64Array]:
    """Return what of triangles (T, 3, 3) is above a height, as triangles, and where they cross it, (N, 2)."""
    upper = corners[..., 2] > height
    count = upper.sum(axis=1)
    first = np.where(count == 1, upper.argmax(axis=1), (~upper).argmax(axis=1))
    order = (first[:, None] + np.arange(3)) % 3
    ordered = np.take_along_axis(corners, order[..., None], axis=1)
    one, two = ordered[count == 1], ordered[count == 2]

    def crossing(pieces: Float64Array, to: int) -> Float64Array:
        start, end = pieces[:, 0], pieces[:, to]
        share = (height - start[:, 2]) / (end[:, 2] - start[:, 2])
        return start + share[:, None] * (end - start)

    tips = np.stack([one[:, 0], crossing(one, 1), crossing(one, 2)], axis=1)
    out, back = crossing(two, 1), crossing(two, 2)
    rests = [np.stack([out, two[:, 1], two[:, 2]], axis=1), np.stack([out, two[:, 2], back], axis=1)]
    sole = np.concatenate([tips[:, 1, :2], tips[:, 2, :2], out[:, :2], back[:, :2]])
    return np.concatenate([corners[count == 3], tips, *rests]), sole
