# SPDX-License-Identifier: GPL-3.0-or-later
"""The UVs that a mesh brings: whether an image can be painted into them, and how large it has to be."""

import numpy as np

from ..arrays import Float32Array, Float64Array
from ..raster.ticks import Poll
from ..raster.triangles import batches
from .atlas import SIZES, Atlas
from .charts import signed_areas

_SIDE = 512  # pixels along the side in which overlaps are looked for
_WITHIN = 1e-4  # UVs may reach so far out of the image
_OVERLAP = 0.005  # of the covered pixels
_INSIDE = 0.05  # of a barycentric weight: nearer to an edge it is not an overlap
_FLAT = 0.02  # of the surface may have no area in the image


def usable(uv: Float32Array, on_surface: Float64Array, poll: Poll) -> bool:
    """Whether each place of an image within UVs shows one place of the surface, and nearly all of it has a place.

    uv: float32 (T, 3, 2). on_surface: float64 (T,), the triangles' areas.
    """
    if not np.isfinite(uv).all() or uv.min() < -_WITHIN or uv.max() > 1 + _WITHIN:
        return False
    flat = np.abs(signed_areas(uv.astype(np.float64))) < 1e-12
    if on_surface[flat].sum() > _FLAT * on_surface.sum():
        return False
    count = np.zeros(_SIDE**2, np.int64)
    screen = np.concatenate([uv.astype(np.float64) * _SIDE, np.zeros((*uv.shape[:2], 1))], axis=2)
    for pixel, _, _, weights in batches(screen, (_SIDE, _SIDE), poll):
        count += np.bincount(pixel[weights.min(axis=1) > _INSIDE], minlength=_SIDE**2)
    return bool((count > 1).sum() <= _OVERLAP * max((count > 0).sum(), 1))


def kept(uv: Float32Array, on_surface: Float64Array, most: int, scale: float) -> Atlas:
    """The mesh's own layout, in the least image that has about the picture's scale.

    uv: float32 (T, 3, 2). on_surface: float64 (T,), the triangles' areas in pixels of the cut-out. most: the image's
    side at most. scale: the picture's pixels in one of the cut-out.
    """
    filled = max(float(np.abs(signed_areas(uv.astype(np.float64))).sum()), 1e-9)
    needed = scale * float(np.sqrt(on_surface.sum() / filled))
    size = next((size for size in SIZES if needed <= size <= most), most)
    return Atlas(size, min(scale, scale * size / needed), np.clip(uv, 0, 1), np.zeros(len(uv), np.int64))
