# SPDX-License-Identifier: GPL-3.0-or-later
"""How good cut-outs are: the intersection over union with the true outlines, and whether what is wrong was doubted."""

from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, UInt8Array
from ...errors import UserError
from ...flow.products import Picture
from ...foreground.cut_out import cut_out
from ...raster.masks import overlap
from ...raster.resample import crop_resize, paste_back

_SIDE = 512  # pixels of the cut-outs
PANEL = 256
"""The side of each of the two pictures in `shown`, in pixels."""


@dataclass(frozen=True)
class Score:
    """One picture's cut-out.

    overlap: the intersection over union in the picture, in [0, 1]; NaN if it was refused. doubted: whether a note says
    what may be wrong, or the picture was refused. found: bool (H, W).
    """

    overlap: float
    doubted: bool
    found: BoolArray


def judge(picture: Picture, body: BoolArray, *, guided: bool = True) -> Score:
    """Cut a picture out, guided by the network or by colours alone, and compare it with the object, bool (H, W)."""
    notes: list[str] = []
    try:
        cutout = cut_out(picture, _SIDE, lambda _, __: None, notes, guided=guided)
    except UserError:
        return Score(float("nan"), doubted=True, found=np.zeros_like(body))
    found = paste_back(cutout.rgba[..., 3:].astype(np.float32), cutout.crop)[..., 0] > 127
    return Score(overlap(found, body), doubted=bool(notes), found=found)


def shown(picture: Picture, body: BoolArray, score: Score) -> UInt8Array:
    """Show a picture beside itself without what was cut away: blue is too much, red is lost.

    Returns uint8 (PANEL, 2 PANEL, 3), over white.
    """
    colours = picture[..., :3]
    cut = np.where(score.found[..., None], colours, 255)
    cut[score.found & ~body] = (60, 90, 255)
    cut[body & ~score.found] = (255, 60, 60)
    height, width = body.shape
    side = max(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    panels = (colours, cut.astype(np.uint8))
    return np.concatenate([crop_resize(panel, left, top, side, PANEL, fill=255) for panel in panels], axis=1)
