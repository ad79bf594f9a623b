# SPDX-License-Identifier: GPL-3.0-or-later
"""Matting: how much of each pixel along the outline the object covers, and the object's own colour there.

Along an edge a pixel's colour is C = a F + (1 - a) B (Porter and Duff, 1984). B is the background's colour nearby, F
the colour of the nearby object pixels that differ most from the background. C lies between B and F, at the fraction a.
The background's share is then taken out of C, so that no fringe of it is left.
"""

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Picture
from ..raster.blur import box_mean
from ..raster.morphology import dilated, eroded
from ..raster.pull_push import fill
from ..raster.ticks import Poll
from ..raster.vectors import by_column, dot, length

_EDGE = 1.5  # pixels of the picture to each side of the outline that an edge may take
_CLEAN = (0.1, 0.9)  # alpha below becomes 0 and above becomes 1: the rest is noise
_CONTRAST = (0.08, 0.3)  # sRGB distance of F and B: up to the first a is not measured, from the second it is


def matte(colours: Float32Array, body: Float32Array, scale: float, slack: float, poll: Poll) -> Float32Array:
    """Return the object with soft edges and its own colours, float32 (H, W, 4) in [0, 1], straight alpha.

    colours: float32 (H, W, 3), sRGB in [0, 1]. body: float32 (H, W), about 1 in the object and 0 outside. scale: how
    many pixels of the result one pixel of the picture takes. slack: by how many pixels the outline may be off. poll:
    called between the parts of the work.
    """
    inside = body > 0.5
    reach = int(np.ceil(_EDGE * max(scale, 1.0) + slack))
    ground = ~dilated(inside, reach)
    # If no pixel is surely background, the colours right outside the outline have to do.
    behind = fill(colours, np.where(ground, 1, np.where(inside, 0, 1e-3)).astype(np.float32))
    poll()
    away = length(colours - behind)
    # The object's pixels count the more, the more they differ from the background compared with their neighbours.
    purity = (away / np.maximum(dilated(away, reach), 1e-3)) ** 4
    poll()
    own = fill(colours, np.where(inside, np.maximum(purity, 1e-3), 0).astype(np.float32))
    poll()
    own = np.where(eroded(inside, reach)[..., None], colours, box_mean(own, 1, beyond="edge"))
    poll()

    difference = own - behind
    squared = dot(difference, difference)
    trust = _ramp(np.sqrt(squared), _CONTRAST)
    share = dot(colours - behind, difference) / np.maximum(squared, 1e-6)
    share = np.clip(body + (np.clip(share, 0, 1) - body) * trust, 0, 1)
    alpha = np.where(eroded(inside, reach), 1.0, np.where(ground, 0.0, _ramp(share, _CLEAN))).astype(np.float32)

    poll()
    pure = np.clip(behind + by_column(np.divide, colours - behind, np.maximum(share, 0.05)), 0, 1)
    clean = own + by_column(np.multiply, pure - own, alpha)
    return np.concatenate([np.where(alpha[..., None] < 1, clean, colours), alpha[..., None]], axis=-1)


def bleed(picture: Picture, poll: Poll) -> Picture:
    """Fill fully transparent pixels with the object's nearest colours, so that filtering shows no fringe.

    picture: uint8 (H, W, 4), straight alpha. poll: called halfway. Returns the same shape.
    """
    hidden = picture[..., 3] == 0
    weights = picture[..., 3].astype(np.float32) / np.float32(255)
    carried = fill(picture[..., :3].astype(np.float32), weights)
    poll()
    result = picture.copy()
    result[hidden, :3] = np.rint(np.clip(carried[hidden], 0, 255)).astype(np.uint8)
    return result


def _ramp(values: Float32Array, between: tuple[float, float]) -> Float32Array:
    """Rise linearly from 0 at the first of two values to 1 at the second."""
    low, high = between
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
