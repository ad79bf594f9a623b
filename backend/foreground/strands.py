# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair, fur and threads that stick out: a mesh of them is splinters and beads, so they are left out as a whole.

What ends freely and is thin tells them from nets, spokes and handles, whose lines lead from one part to another.
"""

import numpy as np

from ..arrays import BoolArray
from ..raster.components import components
from ..raster.morphology import dilated, eroded

_THIN = 2  # pixels: squares of twice this and one do not fit into a strand
_LEAST_LENGTH = 8  # pixels, of a strand
_LEAST = 12  # strands of one part that end freely, to be hair and not whiskers or aerials
_TUFT = 0.015  # of the object's size: half as thick as the thickest tuft
_MOST = 0.4  # of the object's area: with more in strands, the strands are the object
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # from above, clockwise


def without_strands(body: BoolArray) -> BoolArray:
    """Drop strands, with the tufts that they grow from, if a part has many; bool (H, W), some 500 pixels across."""
    parts, tips = components(body, diagonal=True), _tips(body)
    numbers = np.bincount(parts.labels[tips], minlength=parts.count + 1)
    hairy = parts.mask(numbers >= _LEAST) & body  # letters have tips, too, but each a few
    if not hairy.any():
        return body
    rows, columns = (np.flatnonzero(hairy.any(axis=axis)) for axis in (1, 0))
    size = np.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1)
    core = _opened(body, max(_THIN, round(_TUFT * size)))
    tufts = components(hairy & ~core, diagonal=True)
    gone = tufts.mask(tufts.touched(dilated(tips & hairy, 1))) & hairy
    gone |= parts.mask(~parts.touched(core)) & body  # strands that the cut has torn off
    return body & ~gone if gone.sum() < _MOST * hairy.sum() else body


def _opened(body: BoolArray, radius: int) -> BoolArray:
    return dilated(eroded(body, radius), radius)


def _tips(body: BoolArray) -> BoolArray:
    """Return where strands end freely, bool (H, W)."""
    core = _opened(body, _THIN)
    thin = components(body & ~core, diagonal=True)
    strands = thin.mask(thin.areas >= _LEAST_LENGTH) & body & ~core
    lines = _thinned(strands | core, core)
    return lines & ~core & (sum(_neighbours(lines)) == 1)


def _thinned(body: BoolArray, core: BoolArray) -> BoolArray:
    """Thin all but the core to lines of one pixel (Zhang and Suen, 1984)."""
    lines = body
    for _ in range(_THIN + 1):
        for first in (True, False):
            around = _neighbours(lines)
            up, right, down, left = around[0], around[2], around[4], around[6]
            if first:
                ends = ~(up & right & down) & ~(right & down & left)
            else:
                ends = ~(up & right & left) & ~(up & down & left)
            number = np.sum(around, axis=0)
            steps = np.sum([~one & other for one, other in zip(around, (*around[1:], around[0]), strict=True)], axis=0)
            lines = lines & ~(ends & (number >= 2) & (number <= 6) & (steps == 1) & ~core)
    return lines


def _neighbours(mask: BoolArray) -> list[BoolArray]:
    """Return the mask's eight neighbours of each pixel, from above, clockwise; outside, nothing is set."""
    height, width = mask.shape
    padded = np.pad(mask, 1)
    return [padded[1 + down : 1 + down + height, 1 + right : 1 + right + width] for down, right in _AROUND]
