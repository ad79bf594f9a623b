# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a normal map belongs to an outline: beside it, a body's normals point outwards.

A map made for DirectX has its green upside down, and some data sets have red to the left. Either shows along the
outline: on that axis the normals point inwards, and on the other one outwards. A map of another view, or one whose
channels are swapped, points anywhere.
"""

from dataclasses import replace

import numpy as np

from ..arrays import Float32Array, Float64Array
from ..errors import UserError
from ..flow.products import NormalMap
from ..raster.blur import box_blur

# Of 33 true maps (24 rendered objects, 9 measured ones) the least fit of an axis is -0.16 and the next one 0.33, at
# 512 pixels; the least of the better axes is 0.67, the least tilt 0.66. With red and green swapped, the better axis has
# at most 0.27.
_BESIDE = 0.006  # of the cut-out's side: the standard deviation of the blur that says what is beside the outline
_INWARDS = -0.45  # a fit up to this is clear
_OUTWARDS = 0.2  # a fit of the other axis above this says that the rest of the map is right
_UNRELATED = 0.3  # both fits nearer to 0 than this: the map knows nothing of the outline
_TILTED = 0.2  # less tilt is a flat thing's, whose outline says nothing
_STEEP = 0.5  # the tilt from which a body is round at its outline, and no relief on a tile


def made_plausible(normal_map: NormalMap) -> tuple[NormalMap, tuple[str, ...]]:
    """Return the map with red or green turned round if that clearly makes it fit its outline, and notes for the artist.

    Raises UserError "bad-normal-map" if the map fits the outline in no way.
    """
    (x, y), tilt = fit(normal_map.normals, normal_map.alpha)
    if tilt < _TILTED:
        return normal_map, ()
    if y <= _INWARDS and x > _OUTWARDS:
        return _times(normal_map, (1, -1, 1)), (
            "The normal map's green pointed down, as DirectX has it. It was flipped.",
        )
    if x <= _INWARDS and y > _OUTWARDS:
        return _times(normal_map, (-1, 1, 1)), ("The normal map's red pointed to the left. It was flipped.",)
    if x <= _INWARDS and y <= _INWARDS:
        sentence = "The normals along the outline point inwards, as in a bowl that is seen from above."
        return normal_map, (f"{sentence} If it is none, flip the red and the green of the normal map.",)
    if tilt > _STEEP and (min(x, y) <= _INWARDS or max(abs(x), abs(y)) < _UNRELATED):
        sentence = "The normal map does not fit the picture: its normals do not point outwards along the outline."
        advice = "Give a map of the same view whose red is right, green is up, blue is to the viewer."
        raise UserError("bad-normal-map", sentence, advice)
    return normal_map, ()


def fit(normals: Float32Array, alpha: Float32Array) -> tuple[tuple[float, float], float]:
    """Return how far normals point outwards beside an outline, along x and along y, and how much they tilt there.

    normals: float32 (H, W, 3), unit. alpha: float32 (H, W). The fits are correlations with the outward direction in the
    picture's plane, in [-1, 1]: 1 is a ball, 0 what knows nothing of the outline, -1 a ball with that axis flipped. The
    tilt is the root mean square of the normals' part in the plane, without its mean, so that a flat thing that leans
    has none.
    """
    blurred = box_blur(alpha.astype(np.float64), max(1.0, _BESIDE * len(alpha)), beyond="zero")
    down, right = np.gradient(blurred)
    outwards = np.stack([-right, down], axis=-1)
    slope = np.hypot(right, down)
    beside = (slope > 1e-6) & (alpha > 0.99)
    weights = slope[beside]
    if weights.sum() == 0:
        return (0.0, 0.0), 0.0
    weights /= weights.sum()
    directions = outwards[beside] / slope[beside][:, None]
    tilts = normals[beside][:, :2].astype(np.float64)
    tilts -= weights @ tilts
    x, y = (
        weights
        @ (tilts * directions)
        / np.sqrt(np.maximum(_power(tilts, weights) * _power(directions, weights), 1e-12))
    )
    return (float(x), float(y)), float(np.sqrt(_power(tilts, weights).sum()))


def _power(vectors: Float64Array, weights: Float64Array) -> Float64Array:
    """Return the weighted mean squares of vectors, (N, 2), by axis."""
    return weights @ vectors**2


def _times(normal_map: NormalMap, signs: tuple[int, int, int]) -> NormalMap:
    return replace(normal_map, normals=normal_map.normals * np.array(signs, np.float32))
