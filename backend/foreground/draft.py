# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine's foreground: the picture's own transparency, or else what stands before a plain background.

The background is judged on a view of at most 1024 pixels; the cut is made, and its edges softened, at the size that is
asked for, from the picture's own pixels.
"""

from collections.abc import Callable

import numpy as np

from ..errors import UserError
from ..raster.components import Mask
from ..raster.resample import resample, shrink
from ..stage_types import Crop, Cutout, Picture, Report
from . import background, matting, silhouette
from .colour import oklab

MARGIN = 1.2
"""The square's side over the object's longer side. Hi3DGen's networks learned from objects framed like this, so both
engines see the same cut-out and a normal map fits either; and inflation needs some room around the outline."""

_VIEW = 1024  # pixels of the longer side that the silhouette is found on
_GLANCE = 96  # pixels of each side that the background is judged on
_LEAST_SIDE = 16  # pixels; a smaller border tells nothing
_STEPS = 6
_STRIP = 1 << 24  # bytes of the picture that are averaged between two reports


def cut_out(picture: Picture, size: int, report: Report) -> Cutout:
    """Cut the object out of a picture and centre it in a square of size x size pixels.

    picture: uint8 (H, W, 4), sRGB, straight alpha. Its alpha is taken as it is, unless it is 255 everywhere. The
    object's bounding box (alpha over a half) is centred in a square `MARGIN` times its longer side, which may reach
    past the picture. Fully transparent pixels around the object carry its colours on.

    Raises UserError where the picture is empty, too small, or has no background that tells itself from an object;
    what `report` raises passes through.
    """
    report(0, _STEPS)
    if picture[..., 3].min(initial=255) < 255:
        cutout = _by_alpha(picture, size, lambda: report(4, _STEPS))
    else:
        cutout = _by_background(picture, size, report)
    report(5, _STEPS)
    cutout = Cutout(matting.bleed(cutout.rgba), cutout.crop)
    report(_STEPS, _STEPS)
    return cutout


def _by_alpha(picture: Picture, size: int, tick: Callable[[], None]) -> Cutout:
    solid = picture[..., 3] > 127
    if not solid.any():
        raise UserError(
            "picture-empty",
            "The picture is transparent all over.",
            "Choose a picture in which the object is opaque.",
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
    view = _shown(picture, (0, 0, width, height), shape, lambda: report(0, _STEPS), fill=None)
    report(1, _STEPS)
    glance = (min(_GLANCE, shape[0]), min(_GLANCE, shape[1]))
    field = background.judge(oklab(resample(view, (0, 0, shape[1], shape[0]), glance)))
    report(2, _STEPS)
    x, y = background.centres(shape[1]), background.centres(shape[0])
    found = silhouette.outline(oklab(view), field.over(x, y))
    report(3, _STEPS)

    crop = _square_around(found.body, picture)
    colours = _shown(picture, _window(crop), (size, size), lambda: report(3, _STEPS), fill=None)
    report(4, _STEPS)
    scale = np.array([shape[1] / width, shape[0] / height] * 2)
    left, top, across, down = np.array(_window(crop)) * scale
    at = (left, top, across, down)
    body = resample(found.body.astype(np.float32), at, (size, size))
    in_picture = resample(np.ones(shape, np.float32), at, (size, size), fill=0.0)
    rgba = matting.matte(
        colours[..., :3].astype(np.float32) / np.float32(255),
        body,
        scale=size / crop.side,
        slack=found.slack * size / across,
        tick=lambda: report(4, _STEPS),
    )
    # An object that touches the border went on past it so far, as its pixels there do.
    rgba[..., 3] = np.minimum(rgba[..., 3], np.clip(in_picture, 0, 1))
    return Cutout(np.rint(rgba * 255).astype(np.uint8), crop)


def _square_around(body: Mask, picture: Picture) -> Crop:
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
        return resample(picture, window, shape, fill=fill)
    # What the kernel reaches past the window is kept.
    reach = 3 * max(width / shape[1], height / shape[0])
    first_x, first_y = (int(np.clip(start - reach, 0, None)) for start in (left, top))
    part = picture[first_y : int(np.ceil(top + height + reach)), first_x : int(np.ceil(left + width + reach))]
    rows = max(1, _STRIP // (part.shape[1] * 4 * factor)) * factor
    strips: list[Picture] = []
    for first in range(0, len(part), rows):
        strips.append(shrink(part[first : first + rows], factor))
        tick()
    small = ((left - first_x) / factor, (top - first_y) / factor, width / factor, height / factor)
    return resample(np.concatenate(strips), small, shape, fill=fill)
