# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut the object out of a picture: by the picture's own alpha, or by its plain background.

The silhouette is found on a version of at most 1024 pixels. The cut-out's colours and soft edges come from the
picture's own pixels, at the cut-out's size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..errors import UserError
from ..flow.products import Crop, Cutout, Picture, Report
from ..raster.components import components, without_small
from ..raster.resample import Pixels, Window, resample, shrink
from ..raster.ticks import Poll
from . import background, matting, pixel_art, silhouette, transparency
from .background import NOT_PLAIN
from .look import look, read_weights
from .network import WEIGHTS
from .oklab import oklab
from .plausibility import doubts
from .silhouette import Silhouette

MARGIN = 1.2
"""The crop's side over the object's longer side.

Hi3DGen's networks were trained on objects framed like this. Both engines use it, so that a normal map fits either; and
inflation needs some room around the outline.
"""

_SILHOUETTE_SIDE = 512  # pixels of the longer side of the version that the silhouette is found on
_BACKGROUND_SIDE = 96  # pixels of each side of the version that the background is estimated from
_ROUND = 0.08  # of the shorter side: the largest round corner of a window
_STRAY = 1e-3  # of the largest part's area: a speck that does not set the frame
_LONGEST = 4  # times as long as wide: such strips say nothing to a network that has seen squares
_LEAST_SIDE = 16  # pixels; a smaller picture shows too little of its background
_STRAY_SIDE = 1024  # pixels of the longer side of the version that specks are found on
_STEPS = 6
_STRIP = 1 << 24  # bytes of the picture that are read between two reports
_BAND = 128  # rows of a result that are made between two reports


def cut_out(
    picture: Picture, size: int, report: Report, notes: list[str] | None = None, strokes: Picture | None = None
) -> Cutout:
    """Cut the object out of a picture and centre it in a square of size x size pixels.

    picture: uint8 (H, W, 4), sRGB; its alpha is straight, or is made so (see `transparency`). If some of its pixels are
    at most half opaque, its alpha is used. If none are, or only those of round corners or of noise, alpha separates
    nothing (a layer at 99 %, a soft edge from resizing, a window): the picture counts as opaque, and the object is what
    differs from the background. The object's bounding box (alpha over one half, without far specks) is centred in a
    square of `MARGIN` times its longer side, which may reach past the picture. Fully transparent pixels around the
    object take its colours. notes: to it is added what may be wrong, as sentences for the artist. strokes: uint8
    (h, w, 4) over the picture, of any size: bright where an artist has marked the object, dark at what is none of it,
    transparent elsewhere. They correct what would be found without them.

    Raises UserError if the picture is empty, faint or too small, if its background is not plain, or if nothing stands
    out from it. What `report` raises passes through.
    """
    report(0, _STEPS)
    solid = _solid(picture, partial(report, 0, _STEPS))
    noise = transparency.is_noise(solid)
    if noise:
        picture = transparency.revealed(picture)
    opaque = noise or _is_window(solid)
    if strokes is None and not opaque:
        return _finished(_by_alpha(picture, solid, size, partial(report, 4, _STEPS)), report, notes)
    marks = None if strokes is None else _Marks(strokes, None if opaque else solid)
    return _finished(_by_colours(picture, size, report, [] if notes is None else notes, marks), report, notes)


@dataclass(frozen=True)
class _Marks:
    """An artist's strokes, uint8 (h, w, 4), and the object that they correct, bool (H, W), if the picture says it."""

    strokes: Picture
    solid: BoolArray | None


def cut_out_by_alpha(picture: Picture, size: int, report: Report, notes: list[str] | None = None) -> Cutout:
    """Do as `cut_out` for a picture whose alpha is a mask of the object, which may fill the picture."""
    report(0, _STEPS)
    solid = _solid(picture, partial(report, 0, _STEPS))
    return _finished(_by_alpha(picture, solid, size, partial(report, 4, _STEPS)), report, notes)


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
    report(5, _STEPS)
    cutout = Cutout(matting.bleed(cutout.rgba, partial(report, 5, _STEPS)), cutout.crop)
    report(_STEPS, _STEPS)
    return cutout


def _solid(picture: Picture, poll: Poll) -> BoolArray:
    """Return which pixels are more than half opaque, bool (H, W)."""
    solid = np.empty(picture.shape[:2], np.bool_)
    for rows in _strips(picture):
        np.greater(picture[rows, :, 3], 127, out=solid[rows])
        poll()
    return solid


def _by_alpha(picture: Picture, solid: BoolArray, size: int, poll: Poll) -> Cutout:
    if not picture[..., 3].any():
        raise UserError(
            "picture-empty",
            "The picture is transparent all over, or its file could not be read.",
            "Choose a picture in which the object is opaque. If it is, save the picture again as PNG.",
        )
    if not solid.any():
        raise UserError(
            "picture-faint",
            "No part of the picture is more than half opaque, so no object can be found in it.",
            "Make the object opaque, or choose another picture.",
        )
    crop = _square_around(_without_strays(solid), picture)
    picture = transparency.straight(picture, poll)
    side = pixel_art.pixel_side(picture, poll)
    window = (crop.left / side, crop.top / side, crop.side / side, crop.side / side)
    rgba = _resampled_large(picture[::side, ::side], window, (size, size), poll, fill=0.0)
    return Cutout(transparency.object_alone(rgba, size * side / crop.side), crop)


def _without_strays(solid: BoolArray) -> BoolArray:
    """Return the solid pixels, bool (h, w), without specks, at a size at which their parts are found quickly."""
    step = -(-max(solid.shape) // _STRAY_SIDE)
    if step > 1:
        height, width = (-(-side // step) * step for side in solid.shape)
        padded = np.pad(solid, ((0, height - solid.shape[0]), (0, width - solid.shape[1])))
        blocks = padded.reshape(height // step, step, width // step, step).any(axis=(1, 3))
    else:
        blocks = solid
    kept = without_small(blocks, _STRAY * components(blocks, diagonal=True).areas[1:].max())
    if kept.sum() == blocks.sum():
        return solid
    return solid & np.repeat(np.repeat(kept, step, axis=0), step, axis=1)[: solid.shape[0], : solid.shape[1]]


def _by_colours(picture: Picture, size: int, report: Report, notes: list[str], marks: _Marks | None) -> Cutout:
    height, width = picture.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        raise UserError(
            "picture-too-small",
            f"The picture is only {width} x {height} pixels, too small to tell an object from its background.",
            "Choose a larger picture, or cut the object out so that everything around it is transparent.",
        )
    if marks is not None and marks.solid is not None:  # what is transparent may be marked as the object's
        picture = np.dstack([picture[..., :3], np.full((height, width), 255, np.uint8)])
    shrunk = min(1.0, _SILHOUETTE_SIDE / max(height, width))
    shape = (max(2, round(height * shrunk)), max(2, round(width * shrunk)))  # a slope takes two pixels
    small = _resampled_large(picture, (0, 0, width, height), shape, partial(report, 0, _STEPS), fill=None)
    report(1, _STEPS)
    found = _silhouette(small, partial(report, 1, _STEPS), marks)
    notes.extend(found.notes)
    report(3, _STEPS)

    crop = _square_around(found.body, picture)
    colours = _resampled_large(picture, _window(crop), (size, size), partial(report, 3, _STEPS), fill=None)
    report(4, _STEPS)
    poll = partial(report, 4, _STEPS)
    scale = np.array([shape[1] / width, shape[0] / height] * 2)
    left, top, across, down = np.array(_window(crop)) * scale
    at = (left, top, across, down)
    body = _resampled(found.body.astype(np.float32), at, (size, size), poll, fill=None)
    in_picture = _resampled(np.ones(shape, np.float32), at, (size, size), poll, fill=0.0)
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


def _silhouette(small: Picture, poll: Poll, marks: _Marks | None) -> Silhouette:
    """Find the object's pixels in a small picture, uint8 (h, w, 4)."""
    lab = oklab(small)
    poll()
    weights = read_weights(WEIGHTS) if max(lab.shape[:2]) <= _LONGEST * min(lab.shape[:2]) else None
    likely = None if weights is None else look(weights, small, poll)
    if marks is None:
        return _without_marks(small, lab, likely, poll)
    shape = (lab.shape[0], lab.shape[1])
    if marks.solid is not None:
        before = _resampled(marks.solid.astype(np.float32), _whole(marks.solid.shape), shape, poll, fill=None)
    else:
        try:
            before = _without_marks(small, lab, likely, poll).body.astype(np.float32)
        except UserError:
            before = np.full(shape, 0.5, np.float32) if likely is None else likely
    strokes = _resampled(marks.strokes, _whole(marks.strokes.shape), shape, poll, fill=None).astype(np.float32) / 255
    seeds = strokes[..., 3] * (2 * strokes[..., :3].mean(axis=2) - 1)
    return silhouette.marked(lab, np.clip(before, 0, 1), seeds, poll)


def _without_marks(small: Picture, lab: Float32Array, likely: Float32Array | None, poll: Poll) -> Silhouette:
    """Find the object's pixels by colours if the background is plain, else by what the network says."""
    height, width = lab.shape[:2]
    smallest = (min(_BACKGROUND_SIDE, height), min(_BACKGROUND_SIDE, width))
    try:
        plain = background.estimate(oklab(resample(small, _whole(lab.shape), smallest)))
        poll()
        return silhouette.find(lab, plain.over(background.centres(width), background.centres(height)), likely, poll)
    except UserError as error:
        if likely is None or error.code != NOT_PLAIN:
            raise
        return silhouette.guess(lab, likely, poll)


def _whole(shape: tuple[int, ...]) -> Window:
    return 0, 0, shape[1], shape[0]


def _square_around(body: BoolArray, picture: Picture) -> Crop:
    """Return the square around the body, bool (h, w), which shows the whole picture at any size."""
    height, width = picture.shape[:2]
    across, down = np.flatnonzero(body.any(axis=0)), np.flatnonzero(body.any(axis=1))
    scale_x, scale_y = width / body.shape[1], height / body.shape[0]
    left, right = across[0] * scale_x, (across[-1] + 1) * scale_x
    top, bottom = down[0] * scale_y, (down[-1] + 1) * scale_y
    side = MARGIN * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side, width, height)


def _window(crop: Crop) -> Window:
    return crop.left, crop.top, crop.side, crop.side


def _resampled_large(
    picture: Picture, window: Window, shape: tuple[int, int], poll: Poll, *, fill: float | None
) -> Picture:
    """Do as `resample` for a picture of any size: a large one is averaged over blocks first."""
    left, top, width, height = window
    factor = int(min(width / shape[1], height / shape[0], 2 * 16) / 2)
    if factor < 2:
        return _resampled(picture, window, shape, poll, fill=fill)
    # The kernel reaches so many pixels past the window.
    reach = 3 * max(width / shape[1], height / shape[0])
    first_x, first_y = (int(np.clip(start - reach, 0, None)) for start in (left, top))
    part = picture[first_y : int(np.ceil(top + height + reach)), first_x : int(np.ceil(left + width + reach))]
    small: list[Picture] = []
    for rows in _strips(part, factor):
        small.append(shrink(part[rows], factor))
        poll()
    at = ((left - first_x) / factor, (top - first_y) / factor, width / factor, height / factor)
    return _resampled(np.concatenate(small), at, shape, poll, fill=fill)


def _resampled(pixels: Pixels, window: Window, shape: tuple[int, int], poll: Poll, *, fill: float | None) -> Pixels:
    """Do as `resample`, in bands of rows, and call `poll` after each."""
    left, top, width, height = window
    bands: list[Pixels] = []
    for first in range(0, shape[0], _BAND):
        rows = min(_BAND, shape[0] - first)
        band = (left, top + height * (first / shape[0]), width, height * (rows / shape[0]))
        bands.append(resample(pixels, band, (rows, shape[1]), fill=fill))
        poll()
    return cast("Pixels", np.concatenate(bands))


def _strips(picture: Picture, multiple: int = 1) -> Iterator[slice]:
    """Yield the picture's rows in strips of about `_STRIP` bytes, each a multiple of `multiple` rows."""
    rows = max(1, _STRIP // max(1, picture.shape[1] * 4 * multiple)) * multiple
    return (slice(first, first + rows) for first in range(0, len(picture), rows))
