# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine's foreground: what the picture's own transparency leaves, or what stands before a plain background.

The background is judged on a view of at most 1024 pixels; the cut is made, and its edges softened, at the size that is
asked for, from the picture's own pixels.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import numpy as np

from ..arrays import BoolArray
from ..errors import UserError
from ..flow.products import Crop, Cutout, Picture, Report
from ..raster.resample import Pixels, resample, shrink
from . import background, matting, silhouette
from .colour import oklab

MARGIN = 1.2
"""The square's side over the object's longer side. Hi3DGen's networks learned from objects framed like this, so both
engines see the same cut-out and a normal map fits either; and inflation needs some room around the outline."""

_VIEW = 1024  # pixels of the longer side that the silhouette is found on
_GLANCE = 96  # pixels of each side that the background is judged on
_LEAST_SIDE = 16  # pixels; a smaller border tells nothing
_STEPS = 6
_STRIP = 1 << 24  # bytes of the picture that are looked at between two reports
_BAND = 128  # rows of a result that are made between two reports


def cut_out(picture: Picture, size: int, report: Report) -> Cutout:
    """Cut the object out of a picture and centre it in a square of size x size pixels.

    picture: uint8 (H, W, 4), sRGB, straight alpha. Its alpha is taken as it is where it separates something: where some
    pixels are more than half covered and others are not. Where all are, alpha says nothing of an object (a picture
    saved at 99 %, a soft edge that a resized layer got), so that it counts as opaque and the background decides. The
    object's bounding box (alpha over a half) is centred in a square `MARGIN` times its longer side, which may reach
    past the picture. Fully transparent pixels around the object carry its colours on.

    Raises UserError where the picture is empty, too small, or has no background that tells itself from an object;
    what `report` raises passes through.
    """
    report(0, _STEPS)
    solid = _solid(picture, partial(report, 0, _STEPS))
    if solid.all():
        cutout = _by_background(picture, size, report)
    else:
        cutout = _by_alpha(picture, solid, size, partial(report, 4, _STEPS))
    report(5, _STEPS)
    cutout = Cutout(matting.bleed(cutout.rgba, partial(report, 5, _STEPS)), cutout.crop)
    report(_STEPS, _STEPS)
    return cutout


def _solid(picture: Picture, tick: Callable[[], None]) -> BoolArray:
    """Return which pixels are more than half covered, bool (H, W)."""
    solid = np.empty(picture.shape[:2], np.bool_)
    for rows in _strips(picture):
        np.greater(picture[rows, :, 3], 127, out=solid[rows])
        tick()
    return solid


def _by_alpha(picture: Picture, solid: BoolArray, size: int, tick: Callable[[], None]) -> Cutout:
    if not picture[..., 3].any():
        raise UserError(
            "picture-empty",
            "The picture is transparent all over, or its file could not be read.",
            "Choose a picture in which the object is opaque. If it is, save the picture again as PNG.",
        )
    if not solid.any():
        raise UserError(
            "picture-faint",
            "The picture is nowhere more than half opaque, so no object can be told in it.",
            "Make the object opaque, or choose another picture.",
        )
    crop = _square_around(solid, picture)
    return Cutout(_shown(picture, _window(crop), (size, size), tick, fill=0.0), crop)


def _by_background(picture: Picture, size: int, report: Report) -> Cutout:
    height, width = picture.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        raise UserError(
            "picture-too-small",
            f"The picture is only {width} x {height} pixels, too small to tell an object from its background.",
            "Choose a larger picture, or cut the object out so that everything around it is transparent.",
        )
    shrunk = min(1.0, _VIEW / max(height, width))
    shape = (max(1, round(height * shrunk)), max(1, round(width * shrunk)))
    view = _shown(picture, (0, 0, width, height), shape, partial(report, 0, _STEPS), fill=None)
    report(1, _STEPS)
    glance = (min(_GLANCE, shape[0]), min(_GLANCE, shape[1]))
    small = oklab(resample(view, (0, 0, shape[1], shape[0]), glance))
    report(1, _STEPS)
    field = background.judge(small)
    report(2, _STEPS)
    lab = oklab(view)
    report(2, _STEPS)
    behind = field.over(background.centres(shape[1]), background.centres(shape[0]))
    found = silhouette.outline(lab, behind, partial(report, 2, _STEPS))
    report(3, _STEPS)

    crop = _square_around(found.body, picture)
    colours = _shown(picture, _window(crop), (size, size), partial(report, 3, _STEPS), fill=None)
    report(4, _STEPS)
    tick = partial(report, 4, _STEPS)
    scale = np.array([shape[1] / width, shape[0] / height] * 2)
    left, top, across, down = np.array(_window(crop)) * scale
    at = (left, top, across, down)
    body = _resampled(found.body.astype(np.float32), at, (size, size), tick, fill=None)
    in_picture = _resampled(np.ones(shape, np.float32), at, (size, size), tick, fill=0.0)
    rgba = matting.matte(
        colours[..., :3].astype(np.float32) / np.float32(255),
        body,
        scale=size / crop.side,
        slack=found.slack * size / across,
        tick=tick,
    )
    # An object that touches the border went on past it so far, as its pixels there do.
    rgba[..., 3] = np.minimum(rgba[..., 3], np.clip(in_picture, 0, 1))
    return Cutout(np.rint(rgba * 255).astype(np.uint8), crop)


def _square_around(body: BoolArray, picture: Picture) -> Crop:
    """Centre the square on the body, bool (h, w), whose frame is the whole picture's at any size."""
    height, width = picture.shape[:2]
    across, down = np.flatnonzero(body.any(axis=0)), np.flatnonzero(body.any(axis=1))
    scale_x, scale_y = width / body.shape[1], height / body.shape[0]
    left, right = across[0] * scale_x, (across[-1] + 1) * scale_x
    top, bottom = down[0] * scale_y, (down[-1] + 1) * scale_y
    side = MARGIN * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side, width, height)


def _window(crop: Crop) -> tuple[float, float, float, float]:
    return crop.left, crop.top, crop.side, crop.side


def _shown(
    picture: Picture,
    window: tuple[float, float, float, float],
    shape: tuple[int, int],
    tick: Callable[[], None],
    *,
    fill: float | None,
) -> Picture:
    """Resample a window of a picture that may be giant: its pixels are averaged first, `tick` called strip by strip."""
    left, top, width, height = window
    factor = int(min(width / shape[1], height / shape[0], 2 * 16) / 2)
    if factor < 2:
        return _resampled(picture, window, shape, tick, fill=fill)
    # What the kernel reaches past the window is kept.
    reach = 3 * max(width / shape[1], height / shape[0])
    first_x, first_y = (int(np.clip(start - reach, 0, None)) for start in (left, top))
    part = picture[first_y : int(np.ceil(top + height + reach)), first_x : int(np.ceil(left + width + reach))]
    small: list[Picture] = []
    for rows in _strips(part, factor):
        small.append(shrink(part[rows], factor))
        tick()
    at = ((left - first_x) / factor, (top - first_y) / factor, width / factor, height / factor)
    return _resampled(np.concatenate(small), at, shape, tick, fill=fill)


def _resampled(
    pixels: Pixels,
    window: tuple[float, float, float, float],
    shape: tuple[int, int],
    tick: Callable[[], None],
    *,
    fill: float | None,
) -> Pixels:
    """Do as `resample`, band by band, with `tick` after each."""
    left, top, width, height = window
    bands: list[Pixels] = []
    for first in range(0, shape[0], _BAND):
        rows = min(_BAND, shape[0] - first)
        band = (left, top + height * (first / shape[0]), width, height * (rows / shape[0]))
        bands.append(resample(pixels, band, (rows, shape[1]), fill=fill))
        tick()
    return cast("Pixels", np.concatenate(bands))


def _strips(picture: Picture, multiple: int = 1) -> Iterator[slice]:
    """Yield the picture's rows in strips of `_STRIP` bytes, a multiple of so many rows each."""
    rows = max(1, _STRIP // max(1, picture.shape[1] * 4 * multiple)) * multiple
    return (slice(first, first + rows) for first in range(0, len(picture), rows))
