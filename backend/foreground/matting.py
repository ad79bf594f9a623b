# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft edges and clean colours: how much of the object each pixel along the outline holds, and of what colour.

Along an edge a pixel's colour is C = a F + (1 - a) B (Porter and Duff, 1984). B is the ground's colour nearby, F the
object's nearby, where it differs most from the ground; C lies on the line between them and its place there is a.
The ground's share is then taken out of C, so that no rim of the old background stays.
"""

import numpy as np

from ..stage_types import Floats, Picture
from .neighbourhood import box_mean, box_peak, eroded, grown

_EDGE = 1.5  # pixels of the picture that an edge takes to each side
_CLEAN = (0.1, 0.9)  # coverage below and above is noise
_CONTRAST = (0.03, 0.12)  # sRGB distance of F and B: too little to tell a mixture, and enough


def matte(colours: Floats, body: Floats, scale: float, slack: float) -> Floats:
    """Give the object soft edges and its own colours, float32 (H, W, 4) in [0, 1], straight alpha.

    colours: float32 (H, W, 3), sRGB in [0, 1]. body: float32 (H, W), about 1 in the object and 0 outside. scale: how
    many pixels one pixel of the photograph takes here. slack: by how many pixels the outline may be off.
    """
    inside = body > 0.5
    reach = int(np.ceil(_EDGE * max(scale, 1.0) + slack))
    ground = ~grown(inside, reach)
    behind = spread(colours, ground.astype(np.float32))
    away = np.linalg.norm(colours - behind, axis=-1)
    # The purest of the object's pixels speak for their neighbours: those that differ most from the ground.
    purity = (away / np.maximum(box_peak(away, reach), 1e-3)) ** 4
    own = spread(colours, np.where(inside, np.maximum(purity, 1e-3), 0).astype(np.float32))
    own = np.where(eroded(inside, reach)[..., None], colours, box_mean(own, 1))

    difference = own - behind
    squared = np.sum(difference**2, axis=-1)
    share = np.sum((colours - behind) * difference, axis=-1) / np.maximum(squared, 1e-6)
    share = _ramp(share, _CLEAN)
    told = _ramp(np.sqrt(squared), _CONTRAST)
    alpha = np.clip(body + (share - body) * told, 0, 1)
    alpha = np.where(eroded(inside, reach), 1.0, np.where(ground, 0.0, alpha)).astype(np.float32)

    pure = np.clip(behind + (colours - behind) / np.maximum(alpha, 0.05)[..., None], 0, 1)
    clean = own + (pure - own) * alpha[..., None]
    return np.concatenate([np.where(alpha[..., None] < 1, clean, colours), alpha[..., None]], axis=-1)


def bleed(picture: Picture) -> Picture:
    """Carry the object's colours on into the fully transparent pixels around it, so that no filter finds a fringe."""
    hidden = picture[..., 3] == 0
    weights = picture[..., 3].astype(np.float32) / np.float32(255)
    carried = spread(picture[..., :3].astype(np.float32), weights)
    result = picture.copy()
    result[hidden, :3] = np.rint(np.clip(carried[hidden], 0, 255)).astype(np.uint8)
    return result


def spread(colours: Floats, weights: Floats) -> Floats:
    """Fill an image from the pixels that count, float32 (H, W, C), each place from the nearest of them.

    colours: float32 (H, W, C); weights: float32 (H, W) in [0, 1]. Means over blocks of 2, 4, 8, ... pixels are taken
    until one block holds everything, and fill what is missing on the way back (pull-push; Gortler et al., The
    Lumigraph, 1996). Without any weight the result is 0.
    """
    height, width = weights.shape
    known = weights[..., None]
    if height == width == 1:
        return np.where(known > 0, colours, np.float32(0))
    odd = ((0, height % 2), (0, width % 2), (0, 0))
    blocks = (-(-height // 2), 2, -(-width // 2), 2, -1)
    mass = np.pad(known, odd).reshape(blocks).sum(axis=(1, 3))
    tinted = np.pad(colours * known, odd).reshape(blocks).sum(axis=(1, 3))
    coarse = spread(tinted / np.maximum(mass, 1e-12), np.minimum(mass[..., 0], 1))
    fine = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[:height, :width]
    return fine + (colours - fine) * known


def _ramp(values: Floats, between: tuple[float, float]) -> Floats:
    low, high = between
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
