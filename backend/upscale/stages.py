# SPDX-License-Identifier: GPL-3.0-or-later
"""*Upscale Picture*: what engines share between their cut-out and their normals.

The cut-out comes first, from the picture as it is: its outline is the same with and without. Then the object's colours
become larger, if the cut-out has more pixels than the picture has of it. By an upscaler's weights the picture itself
becomes larger, too, so that the mesh's colours gain as its normals do. A resampler adds nothing that the colours would
show; so the picture stays as it is, and its pixels are resampled once, as ever.
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from ..arrays import UInt8Array
from ..flow.products import Crop, Cutout, Noted, Picture, Report, counting
from ..flow.settings import Setting
from ..flow.stage import Stage
from ..foreground.framing import resampled, whole
from ..foreground.pixel_art import pixel_side
from . import chosen
from .classical import enlarged
from .own_colours import own_colours

UPSCALE = Setting(
    name=chosen.UPSCALE,
    label="Upscale Picture",
    description="Make a small picture larger before the mesh is made of it, with the upscaler that you have chosen in "
    "the preferences. Without one it becomes smoother, and no more detailed",
    default=False,
    advanced=True,
)
MOST_PIXELS = 1 << 26
"""Of the picture after it became larger: 256 MiB."""

LARGE_ENOUGH = "The picture was not upscaled: its object is large enough already."
BY_RESAMPLER = (
    "The picture was enlarged without new detail, as no upscaler is chosen in the preferences or by --upscaler."
)
WITHOUT_LIBRARIES = (
    "The picture was enlarged without new detail: the chosen upscaler needs the engine's "
    "environment, which is not installed here, or is an older one. Install it, or install it again."
)
_STEPS = 12  # of the resampler, about


@dataclass(frozen=True)
class Upscaled:
    """The object's colours, enlarged or to be enlarged.

    colours: uint8 (h, w, 3), sRGB. window: of the picture that they show, in its whole pixels. pixel: how many of the
    picture's pixels one pixel of what was enlarged is: 1 but for pixel art. scale: how many times as many pixels a side
    `colours` have as what was enlarged: 1 if nothing is enlarged yet.
    """

    colours: UInt8Array
    window: tuple[int, int, int, int]
    pixel: int
    scale: int


def upscale(picture: Picture, cutout: Cutout, *, report: Report) -> Upscaled | Noted:
    """Return the object's colours as the chosen upscaler enlarges them; as they are if there is none.

    Their scale is 1, and so is the note that says why, if the picture has pixels enough or no upscaler can run. Raises
    UserError if the chosen file holds no upscaler.
    """
    poll = counting(report, _STEPS)
    pixel = pixel_side(picture, poll)
    colours, window = own_colours(picture, cutout, pixel)
    as_it_is = Upscaled(colours, window, pixel, 1)
    if not _is_small(cutout, pixel):
        return Noted(as_it_is, (LARGE_ENOUGH,))
    path = chosen.chosen_file()
    if path is None or chosen.lacking():
        return Noted(as_it_is, (BY_RESAMPLER if path is None else WITHOUT_LIBRARIES,))
    from .network import enlarge  # noqa: PLC0415 - torch

    made = enlarge(colours, path, report)
    return replace(as_it_is, colours=made, scale=made.shape[1] // colours.shape[1])


def larger_picture(picture: Picture, cutout: Cutout, upscaled: Upscaled, *, report: Report) -> Picture:
    """Return the picture, larger by a whole number, with what an upscaler has made of the object in its place.

    It becomes no larger than the cut-out needs, than the upscaler makes it, and than `MOST_PIXELS` allow. Without an
    upscaler it is the same picture.
    """
    if upscaled.scale == 1:
        return picture
    crop, size = cutout.crop, len(cutout.rgba)
    height, width = picture.shape[:2]
    times = min(upscaled.scale // upscaled.pixel, ceil(size / crop.side), int((MOST_PIXELS / (height * width)) ** 0.5))
    times = max(times, 1)
    poll = counting(report, height * times // 64 + 4)
    shape = (height * times, width * times)
    large = resampled(picture, whole(picture.shape), shape, poll, fill=None) if times > 1 else picture.copy()
    left, top, across, down = upscaled.window
    in_cutout = size / crop.side
    place = ((left - crop.left) * in_cutout, (top - crop.top) * in_cutout, across * in_cutout, down * in_cutout)
    part = (down * times, across * times)
    colours = resampled(upscaled.colours, whole(upscaled.colours.shape), part, poll, fill=None)
    shown = resampled(cutout.alpha, place, part, poll, fill=0.0) > 0
    target = large[top * times : (top + down) * times, left * times : (left + across) * times, :3]
    target[shown] = colours[shown]
    return large


def sharper_cutout(cutout: Cutout, picture: Picture, upscaled: Upscaled, *, report: Report) -> Cutout:
    """Return the cut-out with the enlarged colours, and the same alpha to the bit.

    picture: as `larger_picture` has left it; the crop is in its pixels.
    """
    crop, size = cutout.crop, len(cutout.rgba)
    if not _is_small(cutout, upscaled.pixel):
        return cutout
    left, top, *_ = upscaled.window
    scale = upscaled.scale / upscaled.pixel
    side = crop.side * scale
    square = ((crop.left - left) * scale, (crop.top - top) * scale, side, side)
    poll = counting(report, _STEPS * (1 + size // 128))
    if upscaled.scale == 1:
        colours = enlarged(upscaled.colours, square, size, poll)
    else:
        colours = resampled(upscaled.colours, square, (size, size), poll, fill=None)
    times = picture.shape[1] / crop.picture_width
    moved = Crop(crop.left * times, crop.top * times, crop.side * times, picture.shape[1], picture.shape[0])
    return Cutout(np.dstack([colours, cutout.rgba[..., 3]]), moved)


def _is_small(cutout: Cutout, pixel: int) -> bool:
    """Whether the cut-out has more pixels than the picture has of it."""
    return cutout.crop.side / pixel < len(cutout.rgba)


UPSCALED = (
    Stage("upscaled", "Upscaling the picture", "upscaled", ("picture", "cutout"), (), upscale, switch=UPSCALE.name),
    Stage(
        "larger_picture",
        "Upscaling the picture",
        "picture",
        ("picture", "cutout", "upscaled"),
        (),
        larger_picture,
        switch=UPSCALE.name,
    ),
    Stage(
        "sharper_cutout",
        "Upscaling the picture",
        "cutout",
        ("cutout", "picture", "upscaled"),
        (),
        sharper_cutout,
        switch=UPSCALE.name,
    ),
)
"""The stages, behind the cut-out and before the normals."""
