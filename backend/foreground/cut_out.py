# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut the object out of a picture: by the picture's own alpha, or by its colours."""

from functools import partial

import numpy as np

from ..arrays import BoolArray
from ..errors import UserError
from ..flow.products import Cutout, Picture, Report
from ..raster.frame import same_frame
from ..raster.ticks import Poll
from . import matting, transparency
from .by_alpha import by_alpha
from .by_colours import STEPS, Correction, by_colours
from .framing import strips
from .look import read_weights
from .network import WEIGHTS
from .plausibility import doubts

_ROUND = 0.08  # of the shorter side: the largest round corner of a window


def cut_out(
    picture: Picture,
    size: int,
    report: Report,
    notes: list[str] | None = None,
    strokes: Picture | None = None,
    *,
    guided: bool = True,
) -> Cutout:
    """Cut the object out of a picture and centre it in a square of size x size pixels.

    picture: uint8 (H, W, 4), sRGB; its alpha is straight, or is made so (see `transparency`). If some of its pixels are
    at most half opaque, its alpha is used. If none are, or only those of round corners or of noise, alpha separates
    nothing (a layer at 99 %, a soft edge from resizing, a window): the picture counts as opaque, and the object is what
    differs from the background, or what the network finds. The object's bounding box (alpha over one half, without far
    specks) is centred in a square of `framing.MARGIN` times its longer side, which may reach past the picture. Fully
    transparent pixels around the object take its colours. notes: to it is added what may be wrong, as sentences for the
    artist. strokes: uint8 (h, w, 4) over the picture, of any size: bright where an artist has marked the object, dark
    at what is none of it, transparent elsewhere. They correct what would be found without them. guided: whether the
    network helps; without it one can measure what it is worth.

    Raises UserError if the picture is empty, faint or too small, if its background is not plain and the network not
    sure, if nothing stands out from it, or if strokes have another shape or leave no object. What `report` raises
    passes through.
    """
    report(0, STEPS)
    solid = _solid(picture, partial(report, 0, STEPS))
    noise = transparency.is_noise(solid)
    if noise:
        picture = transparency.revealed(picture)
    opaque = noise or _is_window(solid)
    if strokes is None and not opaque:
        return _finished(by_alpha(picture, solid, size, partial(report, 4, STEPS)), report, notes)
    correction = None
    if strokes is not None:
        if not same_frame(strokes.shape, picture.shape):
            raise UserError(
                "bad-strokes",
                f"The strokes ({strokes.shape[1]} x {strokes.shape[0]}) do not have the shape of the picture "
                f"({picture.shape[1]} x {picture.shape[0]}).",
                "Draw them over the same picture, at any resolution.",
            )
        correction = Correction(strokes, known=not opaque)
    weights = read_weights(WEIGHTS) if guided else None
    noted: list[str] = [] if notes is None else notes
    return _finished(by_colours(picture, size, report, noted, correction, weights), report, notes)


def cut_out_by_alpha(picture: Picture, size: int, report: Report, notes: list[str] | None = None) -> Cutout:
    """Do as `cut_out` for a picture whose alpha is a mask of the object, which may fill the picture."""
    report(0, STEPS)
    solid = _solid(picture, partial(report, 0, STEPS))
    return _finished(by_alpha(picture, solid, size, partial(report, 4, STEPS)), report, notes)


def is_opaque(picture: Picture) -> bool:
    """Whether a picture's alpha separates nothing: all is more than half opaque, but for round corners, or noise."""
    solid = picture[..., 3] > 127
    return _is_window(solid) or transparency.is_noise(solid)


def _is_window(solid: BoolArray) -> bool:
    """Whether only pixels near the corners are not solid, bool (H, W)."""
    if solid.all():
        return True
    height, width = solid.shape
    reach = int(_ROUND * min(height, width))
    rows, columns = np.arange(height), np.arange(width)
    across = np.minimum(columns, width - 1 - columns) < reach
    down = np.minimum(rows, height - 1 - rows) < reach
    return bool(reach and solid[~down].all() and solid[:, ~across].all())


def _finished(cutout: Cutout, report: Report, notes: list[str] | None) -> Cutout:
    if notes is not None:
        notes.extend(doubts(cutout.alpha > 0.5))
    report(5, STEPS)
    cutout = Cutout(matting.bleed(cutout.rgba, partial(report, 5, STEPS)), cutout.crop)
    report(STEPS, STEPS)
    return cutout


def _solid(picture: Picture, poll: Poll) -> BoolArray:
    """Return which pixels are more than half opaque, bool (H, W)."""
    solid = np.empty(picture.shape[:2], np.bool_)
    for rows in strips(picture):
        np.greater(picture[rows, :, 3], 127, out=solid[rows])
        poll()
    return solid
