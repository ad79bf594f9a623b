# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out of a picture by its colours: before a plain background, or by what a network says, or by strokes.

The object is found on a small version of the picture. The cut-out's colours and soft edges come from the picture's own
pixels, at the cut-out's size.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..arrays import Float32Array
from ..errors import UserError
from ..flow.products import Cutout, Picture, Report
from ..raster.layers import Weights
from ..raster.oklab import oklab
from ..raster.resample import resample
from ..raster.ticks import Poll
from . import background, matting, silhouette
from .background import not_plain
from .faint import raised
from .framing import resampled, resampled_large, square_around, whole, window
from .look import look
from .silhouette import Silhouette

STEPS = 6
"""Of cutting out; colours take the first five."""

_SILHOUETTE_SIDE = 512  # pixels of the longer side of the version that the silhouette is found on
_BACKGROUND_SIDE = 96  # pixels of each side of the version that the background is estimated from
_LONGEST = 4  # times as long as wide: such strips say nothing to a network that has seen squares
_LEAST_SIDE = 16  # pixels; a smaller picture shows too little of its background


@dataclass(frozen=True)
class Correction:
    """An artist's strokes, uint8 (h, w, 4), and whether the picture's alpha says what they correct."""

    strokes: Picture
    known: bool


def by_colours(
    picture: Picture,
    size: int,
    report: Report,
    notes: list[str],
    correction: Correction | None,
    weights: Weights | None,
) -> Cutout:
    """Return the cut-out, size x size, of a picture, uint8 (H, W, 4), whose alpha is not looked at.

    notes: to it is added what may be wrong. weights: of the network that helps, if any. Raises UserError as
    `cut_out.cut_out` does.
    """
    height, width = picture.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        raise UserError(
            "picture-too-small",
            f"The picture is only {width} x {height} pixels, too small to tell an object from its background.",
            "Choose a larger picture, or cut the object out so that everything around it is transparent.",
        )
    shrunk = min(1.0, _SILHOUETTE_SIDE / max(height, width))
    shape = (max(2, round(height * shrunk)), max(2, round(width * shrunk)))  # a slope takes two pixels
    known = None
    if correction is not None and correction.known:
        alpha = resampled_large(picture, whole(picture.shape), shape, partial(report, 0, STEPS), fill=None)[..., 3]
        known = (alpha / np.float32(255)).astype(np.float32)
        picture = np.dstack([picture[..., :3], np.full((height, width), 255, np.uint8)])  # what is hidden may be marked
    small = resampled_large(picture, whole(picture.shape), shape, partial(report, 0, STEPS), fill=None)
    report(1, STEPS)
    poll = partial(report, 1, STEPS)
    lab = oklab(small)
    poll()
    if correction is None:
        found = _found(small, lab, _likely(small, weights, poll), weights, poll)
    else:
        found = _corrected(small, lab, weights, correction.strokes, known, poll)
    notes.extend(found.notes)
    report(3, STEPS)

    crop = square_around(found.body, picture)
    colours = resampled_large(picture, window(crop), (size, size), partial(report, 3, STEPS), fill=None)
    report(4, STEPS)
    poll = partial(report, 4, STEPS)
    scale = np.array([shape[1] / width, shape[0] / height] * 2)
    left, top, across, down = np.array(window(crop)) * scale
    at = (left, top, across, down)
    body = resampled(found.body.astype(np.float32), at, (size, size), poll, fill=None)
    in_picture = resampled(np.ones(shape, np.float32), at, (size, size), poll, fill=0.0)
    rgba = matting.matte(
        colours[..., :3].astype(np.float32) / np.float32(255),
        body,
        scale=size / crop.side,
        slack=found.slack * size / across,
        poll=poll,
    )
    # `body` repeats its outermost pixels past the picture's border; there the object ends.
    rgba[..., 3] = np.minimum(rgba[..., 3], np.clip(in_picture, 0, 1))
    return Cutout(np.rint(rgba * 255).astype(np.uint8), crop)


def _found(
    small: Picture, lab: Float32Array, likely: Float32Array | None, weights: Weights | None, poll: Poll
) -> Silhouette:
    """Find the object's pixels in a small picture, uint8 (h, w, 4). likely: what the network says of it."""
    found = _by_itself(small, lab, likely, poll)
    if likely is None or not found.faint:
        return found
    # Where the object ends is still seen in the picture itself: raised, JPEG's marks and soft shadows are edges too. So
    # is grain: where nothing was found, the network would see things in it.
    with suppress(UserError):
        return _by_itself(small, lab, _likely(raised(small), weights, poll), poll)
    return found


def _corrected(
    small: Picture,
    lab: Float32Array,
    weights: Weights | None,
    strokes: Picture,
    known: Float32Array | None,
    poll: Poll,
) -> Silhouette:
    """Find the object's pixels by strokes. known: how much of each the object covers without them, float32 (h, w)."""
    shape = (lab.shape[0], lab.shape[1])
    before = known
    if before is None:
        likely = _likely(small, weights, poll)
        try:
            before = _found(small, lab, likely, weights, poll).body.astype(np.float32)
        except UserError:
            before = np.full(shape, 0.5, np.float32) if likely is None else likely
    drawn = resampled(strokes, whole(strokes.shape), shape, poll, fill=None).astype(np.float32) / np.float32(255)
    seeds = drawn[..., 3] * (2 * drawn[..., :3].mean(axis=2) - 1)
    return silhouette.corrected(lab, before, seeds, poll)


def _likely(small: Picture, weights: Weights | None, poll: Poll) -> Float32Array | None:
    """Return what the network says of a small picture, float32 (h, w) in [0, 1]; None if it cannot say anything."""
    shape = small.shape[:2]
    if weights is None or max(shape) > _LONGEST * min(shape):
        return None
    return look(weights, small, poll)


def _by_itself(small: Picture, lab: Float32Array, likely: Float32Array | None, poll: Poll) -> Silhouette:
    """Find the object's pixels by colours if the background is plain, else by what the network says."""
    height, width = lab.shape[:2]
    smallest = (min(_BACKGROUND_SIDE, height), min(_BACKGROUND_SIDE, width))
    try:
        plain = background.estimate(oklab(resample(small, whole(lab.shape), smallest)))
        poll()
        return silhouette.find(lab, plain.over(background.centres(width), background.centres(height)), likely, poll)
    except UserError as error:
        if likely is None or error.code != not_plain().code:
            raise
        return silhouette.guess(lab, likely, poll)
