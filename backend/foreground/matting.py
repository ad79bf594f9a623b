# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft edges and clean colours: how much of the object each pixel along the outline holds, and of what colour.

Along an edge a pixel's colour is C = a F + (1 - a) B (Porter and Duff, 1984). B is the ground's colour nearby, F the
object's nearby, where it differs most from the ground; C lies on the line between them and its place there is a.
The ground's share is then taken out of C, so that no rim of the old background stays.
"""

from collections.abc import Callable

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Picture
from ..raster.blur import box_mean
from .neighbourhood import box_peak, eroded, grown, spread

_EDGE = 1.5  # pixels of the picture that an edge takes to each side
_CLEAN = (0.1, 0.9)  # coverage below and above is noise
_CONTRAST = (0.08, 0.3)  # sRGB distance of F and B: too little to tell a mixture, and enough


def matte(
    colours: Float32Array, body: Float32Array, scale: float, slack: float, tick: Callable[[], None]
) -> Float32Array:
    """Give the object soft edges and its own colours, float32 (H, W, 4) in [0, 1], straight alpha.

    colours: float32 (H, W, 3), sRGB in [0, 1]. body: float32 (H, W), about 1 in the object and 0 outside. scale: how
    many pixels one pixel of the picture takes here. slack: by how many pixels the outline may be off. tick: called
    between the parts of the work.
    """
    inside = body > 0.5
    reach = int(np.ceil(_EDGE * max(scale, 1.0) + slack))
    ground = ~grown(inside, reach)
    # Where the square leaves no room for sure ground, what is outside of the outline has to do.
    behind = spread(colours, np.where(ground, 1, np.where(inside, 0, 1e-3)).astype(np.float32))
    tick()
    away = np.linalg.norm(colours - behind, axis=-1)
    # The purest of the object's pixels speak for their neighbours: those that differ most from the ground.
    purity = (away / np.maximum(box_peak(away, reach), 1e-3)) ** 4
    tick()
    own = spread(colours, np.where(inside, np.maximum(purity, 1e-3), 0).astype(np.float32))
    tick()
    own = np.where(eroded(inside, reach)[..., None], colours, box_mean(own, 1, beyond="edge"))
    tick()

    difference = own - behind
    squared = np.sum(difference**2, axis=-1)
    told = _ramp(np.sqrt(squared), _CONTRAST)
    share = np.sum((colours - behind) * difference, axis=-1) / np.maximum(squared, 1e-6)
    share = np.clip(body + (np.clip(share, 0, 1) - body) * told, 0, 1)
    alpha = np.where(eroded(inside, reach), 1.0, np.where(ground, 0.0, _ramp(share, _CLEAN))).astype(np.float32)

    tick()
    pure = np.clip(behind + (colours - behind) / np.maximum(share, 0.05)[..., None], 0, 1)
    clean = own + (pure - own) * alpha[..., None]
    return np.concatenate([np.where(alpha[..., None] < 1, clean, colours), alpha[..., None]], axis=-1)


def bleed(picture: Picture, tick: Callable[[], None]) -> Picture:
    """Carry the object's colours on into the fully transparent pixels around it, so that no filter finds a fringe.

    tick: called halfway.
    """
    hidden = picture[..., 3] == 0
    weights = picture[..., 3].astype(np.float32) / np.float32(255)
    carried = spread(picture[..., :3].astype(np.float32), weights)
    tick()
    result = picture.copy()
    result[hidden, :3] = np.rint(np.clip(carried[hidden], 0, 255)).astype(np.uint8)
    return result


def _ramp(values: Float32Array, between: tuple[float, float]) -> Float32Array:
    low, high = between
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
