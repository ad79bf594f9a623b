# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell openings, through which the background shows, from parts of the object in the background's colour.

An eye lies in the middle of a face; the opening of a letter, a handle or a grid lies between narrow strokes. So a patch
in the background's colour is an opening if the object is narrow around it, or if it is large and edged all around. An
outline that was drawn is the other way round: what it encloses is the object, white paper or not. A network may
open a patch; it keeps a large one shut only if it is sure and the object is not broad around it.
"""

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array
from ..raster.components import border, components
from ..raster.morphology import contrast, dilated, eroded
from ..raster.pull_push import fill
from ..raster.vectors import length

_RATHER_OPEN = 0.5  # by the network: below, a patch is open
_SURELY_OBJECT = 0.95  # above, a large one is a part
_SURELY_INKED = 0.97  # by the network: no opening between strokes
_BROAD = 0.5  # of what is inked: a smaller hole
_LARGE = 0.015  # of the object's area
_EDGED = 2.6  # a large opening's rim differs from the ground by this factor more than the opening itself
_NARROW = 0.25  # of the surroundings of an opening are not the object's
_LIKE_GROUND = 0.03  # Oklab: more than the tolerance, as an opening may lie in shadow
_EDGE = 0.02  # Oklab lightness, over five pixels: more than a gradient changes
_MOSTLY = 0.7  # of an opening's outline lies on edges
_MOST_OUTLINED = 6  # large areas that a drawing encloses; a grid has more
_DRAWN = 0.06  # Oklab: deviation of the colours of a drawn outline
_DARK = 0.45  # Oklab lightness: a drawn outline is darker
_MOSTLY_HOLLOW = 1.5  # times an outline's own area that it encloses


def openings(
    body: BoolArray, lab: Float32Array, behind: Float32Array, likely: Float64Array, tolerance: float
) -> BoolArray:
    """Return the body, bool (H, W), with parts in the background's colour filled and openings open.

    lab, behind: Oklab colours of the picture and of its background alone, float32 (H, W, 3). likely: how likely a pixel
    is the object's by the network, float64 (H, W); one half says nothing. tolerance: how far a colour may be from the
    background and be its own.
    """
    away = length(lab - behind)
    inked = body & (away > tolerance + _LIKE_GROUND)
    if _is_drawn(inked, enclosed := _filled(inked), lab):
        return enclosed
    filled = _filled(body)
    ground = ~filled
    # What the ground would look like behind the object, its shadows included.
    around = fill(lab, (ground & ~dilated(filled, 2)).astype(np.float32)) if ground.any() else behind
    away = np.minimum(length(lab - around), away)
    steps = contrast(lab[..., 0], 2)
    result = filled.copy()
    parts = components(filled & ~body)
    for label in range(1, parts.count + 1):
        window, hole = _around(parts.labels == label)
        large = parts.areas[label] > _LARGE * filled.sum()
        seen = _outlined(hole, steps[window]) if large else _between_strokes(hole, body[window])
        if seen or likely[window][hole].mean() < _RATHER_OPEN:
            result[window] &= ~hole
    parts = components(body & ~inked)
    for label in 1 + np.flatnonzero(parts.areas[1:] <= _LARGE * filled.sum()):
        window, hole = _around(parts.labels == label)
        unsure = likely[window][hole].mean() < _SURELY_INKED
        if unsure and np.median(away[window][hole]) < tolerance and _between_strokes(hole, inked[window]):
            result[window] &= ~hole
    plain = body & (away < tolerance + _LIKE_GROUND)
    parts = components(eroded(plain, 1))
    for label in 1 + np.flatnonzero(parts.areas[1:] > _LARGE * filled.sum()):
        window, hole = _around(parts.labels == label)
        mean, seen = float(likely[window][hole].mean()), _edged(hole, away[window])
        # In a broad ring there is a hole, however like paper within an outline it looks to the network.
        broad = hole.sum() < _BROAD * inked.sum()
        if mean < _RATHER_OPEN or (seen and (broad or mean < _SURELY_OBJECT)):
            result[window] &= ~(dilated(hole, 1) & plain[window])
    return result


def _filled(body: BoolArray) -> BoolArray:
    """Return a body, bool (H, W), with all that it encloses."""
    outside = components(~body)
    return ~outside.mask(outside.touched(border(body.shape)))


def _around(region: BoolArray) -> tuple[tuple[slice, slice], BoolArray]:
    """Return a window some times as wide as a region, bool (H, W), and the region in it."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    wide = 4 * (min(np.ptp(rows), np.ptp(columns)) + 3)
    window = tuple(slice(max(0, line[0] - wide), line[-1] + wide + 1) for line in (rows, columns))
    return (window[0], window[1]), region[window]


def _outlined(hole: BoolArray, steps: Float32Array) -> bool:
    """Whether most of a hole's outline is an edge of the picture, however faint, and not amidst a gradient."""
    outline = dilated(hole, 1) & ~hole
    return bool((steps[outline] > _EDGE).mean() > _MOSTLY)


def _edged(hole: BoolArray, away: Float32Array) -> bool:
    """Whether a hole is edged all around: its rim is far from the ground's colour everywhere."""
    rim = away[dilated(hole, 4) & ~dilated(hole, 2)]
    return bool(len(rim) and np.quantile(rim, 0.05) > _EDGED * np.quantile(away[hole], 0.9))


def _between_strokes(hole: BoolArray, body: BoolArray) -> bool:
    """Whether the body around a hole is narrow: beyond it, not farther than the hole is wide, it ends again."""
    half = 1
    while eroded(hole, half).any():
        half += 1
    near = dilated(hole, 2)
    beyond = dilated(near, 2 * half + 4) & ~near
    return bool((beyond & ~body).sum() > _NARROW * beyond.sum())


def _is_drawn(body: BoolArray, filled: BoolArray, lab: Float32Array) -> bool:
    """Whether the body is a drawn outline: strokes of one dark colour that enclose more than they cover."""
    inside = lab[eroded(body, 1)]
    if (filled & ~body).sum() < _MOSTLY_HOLLOW * body.sum() or not len(inside):
        return False
    holes = components(eroded(filled & ~body, 1))
    few = (holes.areas[1:] > _LARGE * filled.sum()).sum() <= _MOST_OUTLINED
    return bool(few and np.median(inside[:, 0]) < _DARK and inside.std(axis=0).max() < _DRAWN)
