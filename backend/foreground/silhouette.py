# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the object's pixels before a plain background.

A pixel is background if its colour is the background's, within the noise that grain and compression leave along the
border, and if it is connected to the border. So pixels of the background's colour inside the outline stay with the
object; background that leads into the object must be three pixels wide to count. A soft shadow under the object is
background in a darker shade: its colour lies on the background's ray in Oklab, and it has no edge.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..errors import UserError
from ..raster.blur import box_mean
from ..raster.components import border, components, without_small
from ..raster.morphology import dilated, eroded
from ..raster.pull_push import fill
from ..raster.resample import resample
from ..raster.ticks import Poll
from .background import not_plain

_BLURS = (0, 1, 2, 4)  # radii in pixels, tried until grain is weaker than `_DISTINCT`
_DISTINCT = 0.04  # Oklab: a difference that must be noticed
_GRAINIEST = 0.12  # Oklab: along the border, what differs more is no grain
_SURE = 0.01  # Oklab: the tolerance for a background without grain
_OPEN = 80  # a pixel is open ground if the ground reaches 1/80 of the picture to all sides of it
_BLOCK = 16  # pixels a side of the blocks that the light is corrected by
_RINGING = 0.12  # of the contrast nearby: the noise beside an edge from JPEG's blocks of 8 pixels
_RINGING_REACH = 7
_LEAST_OBJECT = 5e-4  # of the picture
_MOST_BORDER = 0.5  # of the border's pixels, at most of them of the object
_SPECK = 5e-3  # of the largest component's area
_HOLE = 0.015  # of the object's area: smaller patches of the background's colour belong to it, such as eyes
_STEP = 2.6  # a hole's rim differs from the background by this factor more than the hole itself
_SHADES = (0.45, 1.02)  # a shadow's length in Oklab over the background's: down to a tenth of its light
_FOOT = 0.75  # of the object's height from the top: shadows are searched below
_TINT = 0.025  # Oklab: how far from the background's ray a shadow may be
_SLOPE = 9.0  # change of Oklab lightness, per longer side of the picture, from which it is an edge


@dataclass(frozen=True)
class Silhouette:
    """The object's pixels.

    body: bool (H, W). slack: by how many pixels the outline may be off, because grain had to be blurred away.
    """

    body: BoolArray
    slack: int


def find(lab: Float32Array, behind: Float32Array, poll: Poll) -> Silhouette:
    """Find the object's pixels.

    lab: the picture's Oklab colours, float32 (H, W, 3). behind: those of the background alone, float32 (H, W, 3). poll:
    called between the parts of the work.

    Raises UserError if nothing stands out from the background, or if that is too rough to be seen as one, as dither is.
    """
    excess, doubt, _ = _misfit(lab, behind, poll)
    behind = _with_lighting(lab, behind, excess < doubt)
    poll()
    excess, tolerance, slack = _misfit(lab, behind, poll)
    ringing = _RINGING * dilated(excess, _RINGING_REACH)
    poll()
    ground = _connected_to_border(excess < np.maximum(tolerance, ringing))
    poll()
    ground = _with_shadow(lab, behind, ground, poll)
    poll()
    body = without_small(~ground, _SPECK * components(~ground, diagonal=True).areas[1:].max(initial=0))
    poll()
    # The first, larger tolerance: inside the outline no open ground corrects the background's lighting.
    body &= ~_holes(body, excess, np.maximum(1.5 * doubt, ringing))
    if body.mean() < _LEAST_OBJECT:
        raise UserError(
            "nothing-on-background",
            "Nothing in the picture stands out from its background.",
            "Choose a picture that shows an object, or cut the object out so that everything around it is transparent.",
        )
    if body[border(body.shape)].mean() > _MOST_BORDER:
        raise not_plain()
    return Silhouette(body, slack)


def _misfit(lab: Float32Array, behind: Float32Array, poll: Poll) -> tuple[Float32Array, float, int]:
    """Return each pixel's distance from the background, (H, W), the tolerance for it, and the radius of the blur."""
    frame = border(lab.shape[:2])
    difference = lab - behind
    excess, tolerance, radius = np.linalg.norm(difference, axis=-1), np.inf, 0
    for radius in _BLURS:
        if radius:
            excess = np.linalg.norm(box_mean(difference, radius, beyond="edge"), axis=-1)
        poll()
        along_border = excess[frame]
        grain = along_border[along_border < _GRAINIEST]
        # Grain has the distribution of a normal vector's length: nine tenths lie within 2.5 deviations, all in 3.5.
        # A dithered background has no pixel of its mean colour before it is blurred.
        tolerance = _SURE + 1.4 * (float(np.quantile(grain, 0.9)) if len(grain) else _GRAINIEST)
        if tolerance < _DISTINCT:
            break
    return excess, tolerance, radius


def _with_lighting(lab: Float32Array, behind: Float32Array, plain: BoolArray) -> Float32Array:
    """Correct the background by the mean misfit of blocks of open ground: lighting that no polynomial follows."""
    height, width = plain.shape
    parts = components(eroded(plain, max(height, width) // _OPEN))
    # Blocks are large enough to average grain away and too large to follow an edge.
    shape = (max(1, height // _BLOCK), max(1, width // _BLOCK))
    whole = (0.0, 0.0, float(width), float(height))
    open_ground = parts.mask(parts.touched(border(plain.shape))).astype(np.float32)
    share = np.clip(resample(open_ground, whole, shape), 0, 1)
    misfit = resample((lab - behind) * open_ground[..., None], whole, shape) / np.maximum(share, 0.5)[..., None]
    known = (share > 0.5).astype(np.float32)
    coarse = box_mean(fill(misfit, known), 1, beyond="edge")
    return behind + resample(coarse, (0.0, 0.0, float(shape[1]), float(shape[0])), (height, width))


def _connected_to_border(plain: BoolArray) -> BoolArray:
    """Return the pixels of `plain` that are connected to the border by a path at least three pixels wide."""
    core = eroded(plain, 1)
    parts = components(core)
    return dilated(parts.mask(parts.touched(border(plain.shape))), 1) & plain


def _with_shadow(lab: Float32Array, behind: Float32Array, ground: BoolArray, poll: Poll) -> BoolArray:
    """Add the soft shadows around the object's foot to the ground, bool (H, W)."""
    squared = np.maximum(np.sum(behind * behind, axis=-1), 0.01)
    shade = np.sum(lab * behind, axis=-1) / squared
    tint = np.linalg.norm(lab - shade[..., None] * behind, axis=-1)
    poll()
    lightness = box_mean(lab[..., 0], 1, beyond="edge")
    slope = np.hypot(*np.gradient(lightness)) * max(lab.shape)
    even = (shade > _SHADES[0]) & (shade < _SHADES[1]) & (tint < _TINT) & (slope < _SLOPE)
    rows = np.flatnonzero((~ground).any(axis=1))
    foot = np.zeros_like(ground)
    foot[int(_FOOT * rows.max(initial=0) + (1 - _FOOT) * rows.min(initial=0)) :] = True
    return _connected_to_border((even & foot) | ground)


def _holes(body: BoolArray, excess: Float32Array, tolerance: Float32Array) -> BoolArray:
    """Return the holes through which the background shows, bool (H, W): large patches with an edge all around."""
    holes = np.zeros_like(body)
    plain = body & (excess < tolerance)
    parts = components(eroded(plain, 1))
    for label in 1 + np.flatnonzero(parts.areas[1:] > _HOLE * body.sum()):
        patch = parts.labels == label
        rim = excess[dilated(patch, 4) & ~dilated(patch, 2)]
        if np.quantile(rim, 0.05) > _STEP * np.quantile(excess[patch], 0.9):
            holes |= dilated(patch, 1) & plain
    return holes
