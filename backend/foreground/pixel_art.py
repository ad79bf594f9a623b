# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixel art that was scaled up: squares of one colour each, on a grid.

It is read as the small picture that it was. Its steps are as large as features of a body and would be taken for such:
the small picture, resampled smoothly, has none.
"""

import numpy as np

from ..flow.products import Picture
from ..raster.ticks import Poll

_LEAST_SIDE = 8  # pixels of the small picture's longer side
_LEAST_CHANGES = 5  # lines at which the picture changes, each way: fewer are a box or a cross that somebody drew
_STRIP = 1 << 20  # pixels that are looked at between two polls


def pixel_side(picture: Picture, poll: Poll) -> int:
    """Return the side in pixels of the largest squares of one colour that a picture, uint8 (H, W, 4), consists of.

    1 for all that is not pixel art.
    """
    height, width = picture.shape[:2]
    side = int(np.gcd(height, width))
    whole = np.ascontiguousarray(picture).view(np.uint32)[..., 0]
    down, across = np.zeros(height, np.bool_), np.zeros(width, np.bool_)
    rows = max(2, _STRIP // width)
    for first in range(0, height, rows):
        if side == 1:
            return 1
        poll()
        strip = whole[first : first + rows + 1]  # with the next strip's first row
        down[first + 1 : first + len(strip)] = (strip[1:] != strip[:-1]).any(axis=1)
        across[1:] |= (strip[:, 1:] != strip[:, :-1]).any(axis=0)
        side = int(np.gcd.reduce([side, *np.flatnonzero(down), *np.flatnonzero(across)]))
    if min(down.sum(), across.sum()) < _LEAST_CHANGES or max(height, width) < side * _LEAST_SIDE:
        return 1
    return side
