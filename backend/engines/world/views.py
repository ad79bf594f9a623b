# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat views around the sphere that are painted one after the other, from the known to the unknown, and blended in.

Eight views around the horizon, each of 90 degrees, overlap by half; the last of them closes the seam behind. One view
above and one below hold the poles, where a panorama itself is too distorted to be painted on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import Float32Array, UInt8Array
from ...flow.products import Panorama
from ...raster.colour import linear_to_srgb, srgb_to_linear
from ...raster.ticks import Poll
from .matching import matched
from .placing import Placed
from .sphere import View, bilinear, directions, looked_up, seen_at, ways_of

VIEWS = (
    *(View(yaw, 0.0, 90.0) for yaw in (0.0, 45.0, -45.0, 90.0, -90.0, 135.0, -135.0, 180.0)),
    *(View(0.0, pitch, 110.0) for pitch in (90.0, -90.0)),
)
KNOWN = 0.99
"""Of certainty: what is less certain is painted, that is, what fades into a continuation, too."""
_MARGIN = 0.08  # of a view's side: so far its weight grows from 0 at its border to 1
_COARSE = 32  # pixels along the sides of a view at which it is counted how much of it is known
_LEAST = 1e-3  # of a view: less that is unknown is nothing to paint
_ROWS = 64  # of the panorama, that are worked out at once


@dataclass(frozen=True)
class Canvas:
    """A panorama on its way; both of its arrays change while views are blended in.

    base: float32 (H, 2 H, 3), what stands where nothing is painted. light: the same, and what has been painted so far.
    certainty: float32 (H, 2 H) in [0, 1], 1 where the picture is.
    """

    base: Float32Array
    light: Float32Array
    certainty: Float32Array

    def known_of(self, view: View) -> float:
        """How much of a view is known, in [0, 1]."""
        return float(looked_up(self.certainty[..., None], ways_of(view, (_COARSE, _COARSE))).mean())


def canvas_of(placed: Placed, panorama: Panorama) -> Canvas:
    """The picture at its place, before a continuation that covers the rest until it is painted."""
    return Canvas(panorama.light, panorama.light.copy(), placed.known.astype(np.float32))


def unknown_of(canvas: Canvas, views: Sequence[View]) -> list[View]:
    """Those of the views in which there is anything to paint."""
    return [view for view in views if canvas.known_of(view) < 1 - _LEAST]


def next_of(canvas: Canvas, views: Sequence[View]) -> View:
    """The view of which most is known; of those of which about as much is known the first."""
    return max(views, key=lambda view: round(canvas.known_of(view), 2))


def seen(canvas: Canvas, view: View, side: int) -> tuple[UInt8Array, UInt8Array]:
    """A view as it is now, uint8 (side, side, 3), sRGB, and what is to be painted in it, uint8 (side, side), 255."""
    ways = ways_of(view, (side, side))
    tones = linear_to_srgb(looked_up(canvas.light, ways).clip(0, 1))
    certain = looked_up(canvas.certainty[..., None], ways)[..., 0]
    return np.rint(255 * tones).astype(np.uint8), np.where(certain < KNOWN, 255, 0).astype(np.uint8)


def blend(canvas: Canvas, view: View, painted: UInt8Array, poll: Poll) -> None:
    """Put a painted view, uint8 (side, side, 3), sRGB, into the canvas, where that is not certain yet.

    It is matched to what was known there, so that no edge shows where what is painted begins. Its weight falls to 0
    towards its own border, where the next view takes over.
    """
    side = len(painted)
    ways = ways_of(view, (side, side))
    light = srgb_to_linear(painted.astype(np.float32) / 255)
    certain = looked_up(canvas.certainty[..., None], ways)[..., 0] >= KNOWN
    light = matched(light, looked_up(canvas.light, ways), certain.astype(np.float32), poll)
    height = len(canvas.light)
    for top in range(0, height, _ROWS):
        poll()
        band = slice(top, top + _ROWS)
        column, row = seen_at(view, directions(height, band), (side, side))
        inside = (column > 0) & (column < side) & (row > 0) & (row < side)
        column, row = column[inside], row[inside]
        away = np.minimum.reduce([column, side - column, row, side - row]) / (_MARGIN * side)
        away = away.clip(0, 1)
        weight = away * away * (3 - 2 * away) * (1 - canvas.certainty[band][inside])
        change = weight[:, None] * (bilinear(light, column, row) - canvas.base[band][inside])
        canvas.light[band][inside] = np.maximum(canvas.light[band][inside] + change, 0)  # rounding may go below
        canvas.certainty[band][inside] += weight
