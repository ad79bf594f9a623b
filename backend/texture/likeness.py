# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike a small view of a mesh and a picture are: their outlines, and their normals where both show something.

The likeness is half the intersection over union of the outlines and half the mean cosine between the normals. It tells
directions apart, but not objects: all that is round is much alike. How well the outlines run along each other tells
objects apart (Cheng et al., Boundary IoU, CVPR 2021): the intersection over union of what lies along them.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int32Array
from ..flow.products import Crop
from ..raster.morphology import dilated, eroded
from ..raster.resample import resample
from ..raster.vectors import TO_VIEWER, unit
from .bake import without_rim
from .cloud import Cloud
from .lens import Lens

SIDE = 64
"""Pixels along the side of the small views."""
LEAST = 0.38
"""Of what lies along two outlines: if less agrees, they are of two objects. docs/surface.md says why."""
_ROOM = 1.12  # the window's side over the object's longer one
_COVERED = 0.25  # of a pixel: a view of points shows a pixel of which as much is covered
_BAND = 2  # pixels inside of an outline that lie along it, in a view of `SIDE`
_LEAKS = 0.15  # radii: what lies so far behind a neighbouring pixel is seen through a hole between points


@dataclass(frozen=True)
class Target:
    """What a picture shows, as a small view.

    mask: bool (S, S). known: bool (S, S), what lies within the picture. normals: float32 (S, S, 3), x right, y up, z to
    the viewer. box: float64 (2, 2), the least and the greatest column and row of the outline, in the picture's pixels.
    window: left, top and side of the view, in the picture's pixels. shape: the picture's rows and columns.
    """

    mask: BoolArray
    known: BoolArray
    normals: Float32Array
    box: Float64Array
    window: tuple[float, float, float]
    shape: tuple[int, int]


def target(alpha: Float32Array, normals: Float32Array, crop: Crop, side: int = SIDE) -> Target:
    """The small view of a cut-out.

    alpha: float32 (S, S) in [0, 1], above 0.5 somewhere. normals: float32 (S, S, 3), unit. crop: which square of the
    picture both show.
    """
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(axis=0))
    low = np.array([columns[0], rows[0]], np.float64)
    high = np.array([columns[-1] + 1, rows[-1] + 1], np.float64)
    wide = _ROOM * float((high - low).max())
    left, top = (low + high - wide) / 2
    window = (left, top, wide, wide)
    covered = resample(alpha, window, (side, side), fill=0.0)
    facing = resample(normals * alpha[..., None], window, (side, side), fill=0.0)
    scale = crop.side / alpha.shape[0]
    corner = np.array([crop.left, crop.top])
    window = (crop.left + scale * left, crop.top + scale * top, scale * wide)
    across, down = (start + (np.arange(side) + 0.5) * window[2] / side for start in window[:2])
    known = ((down > 0) & (down < crop.picture_height))[:, None] & (across > 0) & (across < crop.picture_width)
    return Target(
        _closed(covered > _COVERED) & known,
        known,
        unit(facing, TO_VIEWER, least=1e-3),
        np.stack([corner + scale * low, corner + scale * high]),
        window,
        (crop.picture_height, crop.picture_width),
    )


@dataclass(frozen=True)
class Likeness:
    """How alike a view and a picture are, 0 to 1: as a whole, and along their outlines."""

    whole: float
    outline: float


def likeness(cloud: Cloud, lens: Lens, wanted: Target) -> Likeness:
    """How alike the view of a surface through a lens and a picture are."""
    mask, shown, normals = _view(cloud, lens, wanted)
    mask &= wanted.known
    shown &= mask & wanted.mask
    if not shown.any():
        return Likeness(0.0, 0.0)
    cosine = float((normals[shown] * wanted.normals[shown]).sum(axis=1).mean())
    whole = 0.5 * _over_union(mask, wanted.mask) + 0.5 * cosine
    return Likeness(max(whole, 0.0), _over_union(_along(mask), _along(wanted.mask)))


def outlines(cloud: Cloud, lens: Lens, wanted: Target) -> tuple[float, float]:
    """How alike the outlines of the view of a surface and of a picture are, 0 to 1: as areas, and along their edges."""
    pixel, _, _ = _shown(cloud, lens, wanted)
    mask = np.zeros(wanted.mask.shape, np.bool_)
    mask.reshape(-1)[pixel] = True
    mask = _closed(mask) & wanted.known
    return _over_union(mask, wanted.mask), _over_union(_along(mask), _along(wanted.mask))


def _over_union(one: BoolArray, other: BoolArray) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _along(mask: BoolArray) -> BoolArray:
    """The pixels of a mask, bool (H, W), that lie along its outline."""
    return mask & ~without_rim(mask, round(_BAND * len(mask) / SIDE))


def _closed(mask: BoolArray) -> BoolArray:
    """The mask, bool (H, W), without holes and gaps of a pixel."""
    padded = np.pad(mask, 1)
    return eroded(dilated(padded, 1), 1)[1:-1, 1:-1] | mask


def _view(cloud: Cloud, lens: Lens, wanted: Target) -> tuple[BoolArray, BoolArray, Float32Array]:
    """The outline, bool (S, S), the pixels whose surface is known, bool (S, S), and its normals, float32 (S, S, 3)."""
    side = len(wanted.mask)
    pixel, inside, places = _shown(cloud, lens, wanted)
    depth = places[inside, 2]
    order = np.argsort(-depth)
    nearest = np.full(side * side, -1, np.int64)
    nearest[pixel[order]] = np.flatnonzero(inside)[order]  # the last one stays: the nearest
    there = nearest >= 0
    depths = np.full(side * side, np.inf, np.float32)
    depths[there] = places[nearest[there], 2]
    depths = depths.reshape(side, side)
    outline = there.reshape(side, side)
    shown = outline & (np.where(outline, depths, 0) < _least_around(depths) + _LEAKS)
    normals = np.zeros((side, side, 3), np.float32)
    at = nearest.reshape(side, side)[shown]
    own = cloud.normals[at] @ lens.axes.astype(np.float32)
    rays = cloud.points[at] - lens.place.astype(np.float32)
    away = (cloud.normals[at] * rays).sum(axis=1) > 0
    own[away] *= -1
    normals[shown] = own
    return _closed(outline), shown, normals


def _shown(cloud: Cloud, lens: Lens, wanted: Target) -> tuple[Int32Array, BoolArray, Float32Array]:
    """The pixels that show points, int32 (P,), which points these are, bool (N,), and where all are seen, (N, 3)."""
    side = len(wanted.mask)
    left, top, wide = wanted.window
    places = lens.seen(cloud.points)
    column, row = ((places[:, axis] - start) * (side / wide) for axis, start in ((0, left), (1, top)))
    # Before they are whole: a camera that sees a thousandth of a degree has places beyond all integers.
    inside = (column >= 0) & (column < side) & (row >= 0) & (row < side) & (places[:, 2] > 0)
    pixel = row[inside].astype(np.int32) * side + column[inside].astype(np.int32)
    return pixel, inside, places.astype(np.float32, copy=False)


def _least_around(depths: Float32Array) -> Float32Array:
    """The least of each pixel and its eight neighbours, float32 (H, W)."""
    padded = np.pad(depths, 1, mode="edge")
    lines = np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
    return np.minimum(np.minimum(lines[:, :-2], lines[:, 1:-1]), lines[:, 2:])
