# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pixels are the object: what the background does not explain, and no way of background leads to.

A pixel is background where its colour is the background's within what grain and compression do along the border, and
where it hangs together with the border. Object pixels of the background's colour are safe inside the outline; ways
into the object that are only a pixel wide are closed. A soft shadow under the object is background in a darker shade:
it is told by its colour, which lies on the background's ray in Oklab, and by having no edge.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..errors import UserError
from ..raster.blur import box_mean
from ..raster.components import border, components, drop_specks
from ..raster.resample import resample
from .neighbourhood import box_peak, eroded, grown, spread

_BLURS = (0, 1, 2, 4)  # radii in pixels, tried until grain is below what must be told apart
_TELLING = 0.04  # Oklab: what must be told apart
_SURE = 0.01  # Oklab: even background without grain is known no better than this
_OPEN = 80  # ground is open where it spreads to all sides by this part of the picture
_BLOCK = 16  # pixels
_RINGING = 0.12  # of the contrast nearby: what JPEG's blocks of 8 pixels carry over an edge
_RINGING_REACH = 7
_LEAST_OBJECT = 5e-4  # of the picture
_SPECK = 5e-3  # of the largest part
_HOLE = 0.015  # of the object: smaller patches of the background's colour inside of it are its own, such as eyes
_STEP = 2.6  # what differs from the background more around a patch than within it, by this, is a hole's edge
_SHADES = (0.45, 1.02)  # of the background's length in Oklab: down to a tenth of its light
_FOOT = 0.75  # of the object's height: shadows are looked for below
_TINT = 0.025  # Oklab: how far off the ray a shadow may be
_SLOPE = 9.0  # Oklab lightness over the picture's longer side: steeper is an edge


@dataclass(frozen=True)
class Silhouette:
    """The object's pixels, bool (H, W), and by how many pixels the grain of the picture blurs their outline."""

    body: BoolArray
    slack: int


def outline(lab: Float32Array, field: Float32Array, tick: Callable[[], None]) -> Silhouette:
    """Tell the object's pixels from the background's.

    lab: the picture's Oklab colours, float32 (H, W, 3); field: the background's, as it would be without the object.
    tick: called between the parts of the work.

    Raises UserError where nothing stands out, or nothing is left of the background.
    """
    excess, doubt, slack = _misfit(lab, field, tick)
    field = _lit(lab, field, excess < doubt)
    tick()
    excess, tolerance, slack = _misfit(lab, field, tick)
    ringing = _RINGING * box_peak(excess, _RINGING_REACH)
    tick()
    ground = _reached(excess < np.maximum(tolerance, ringing))
    tick()
    ground = _with_shadow(lab, field, ground, tick)
    tick()
    body = drop_specks(~ground, _SPECK * components(~ground, diagonal=True).areas[1:].max(initial=0))
    tick()
    # Inside the outline no open ground corrects the field.
    body &= ~_holes(body, excess, np.maximum(1.5 * doubt, ringing))
    if body.mean() < _LEAST_OBJECT:
        raise UserError(
            "nothing-on-background",
            "Nothing in the picture stands out from its background.",
            "Choose a picture that shows an object, or cut the object out so that everything around it is transparent.",
        )
    return Silhouette(body, slack)


def _misfit(lab: Float32Array, field: Float32Array, tick: Callable[[], None]) -> tuple[Float32Array, float, int]:
    """Return how far each pixel is from the background, (H, W), how far background may be, and the blur it took."""
    frame = border(lab.shape[:2])
    difference = lab - field
    excess, tolerance, radius = np.linalg.norm(difference, axis=-1), np.inf, 0
    for radius in _BLURS:
        if radius:
            excess = np.linalg.norm(box_mean(difference, radius, beyond="edge"), axis=-1)
        tick()
        along_border = excess[frame]
        # Grain is spread like the length of a normal vector: nine tenths lie within 2.5 deviations, all within 3.5.
        tolerance = _SURE + 1.4 * float(np.quantile(along_border[along_border < 3 * _TELLING], 0.9))
        if tolerance < _TELLING:
            break
    return excess, tolerance, radius


def _lit(lab: Float32Array, field: Float32Array, plain: BoolArray) -> Float32Array:
    """Add to the field what lamps do to the background that no polynomial follows, seen where ground is open."""
    height, width = plain.shape
    parts = components(eroded(plain, max(height, width) // _OPEN))
    # Blocks too small for grain to survive, too large for an edge to be followed.
    shape = (max(1, height // _BLOCK), max(1, width // _BLOCK))
    whole = (0.0, 0.0, float(width), float(height))
    open_ground = parts.chosen(parts.touched(border(plain.shape))).astype(np.float32)
    share = np.clip(resample(open_ground, whole, shape), 0, 1)
    misfit = resample((lab - field) * open_ground[..., None], whole, shape) / np.maximum(share, 0.5)[..., None]
    known = (share > 0.5).astype(np.float32)
    coarse = box_mean(spread(misfit, known), 1, beyond="edge")
    return field + resample(coarse, (0.0, 0.0, float(shape[1]), float(shape[0])), (height, width))


def _reached(plain: BoolArray) -> BoolArray:
    """Return the pixels of `plain` that hang together with the border by ways of three pixels' width."""
    core = eroded(plain, 1)
    parts = components(core)
    return grown(parts.chosen(parts.touched(border(plain.shape))), 1) & plain


def _with_shadow(lab: Float32Array, field: Float32Array, ground: BoolArray, tick: Callable[[], None]) -> BoolArray:
    """Return the ground with the soft shadows that the object throws on it around its foot."""
    squared = np.maximum(np.sum(field * field, axis=-1), 0.01)
    shade = np.sum(lab * field, axis=-1) / squared
    tint = np.linalg.norm(lab - shade[..., None] * field, axis=-1)
    tick()
    lightness = box_mean(lab[..., 0], 1, beyond="edge")
    slope = np.hypot(*np.gradient(lightness)) * max(lab.shape)
    even = (shade > _SHADES[0]) & (shade < _SHADES[1]) & (tint < _TINT) & (slope < _SLOPE)
    rows = np.flatnonzero((~ground).any(axis=1))
    foot = np.zeros_like(ground)
    foot[int(_FOOT * rows.max(initial=0) + (1 - _FOOT) * rows.min(initial=0)) :] = True
    return _reached((even & foot) | ground)


def _holes(body: BoolArray, excess: Float32Array, tolerance: Float32Array) -> BoolArray:
    """Return where the background shows through the object: large patches of it with an edge all around."""
    holes = np.zeros_like(body)
    plain = body & (excess < tolerance)
    parts = components(eroded(plain, 1))
    for label in 1 + np.flatnonzero(parts.areas[1:] > _HOLE * body.sum()):
        patch = parts.labels == label
        rim = excess[grown(patch, 4) & ~grown(patch, 2)]
        if np.quantile(rim, 0.05) > _STEP * np.quantile(excess[patch], 0.9):
            holes |= grown(patch, 1) & plain
    return holes
