# SPDX-License-Identifier: GPL-3.0-or-later
"""A made view comes onto the surface: where nothing has been seen so far, and where the view sees it well."""

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Camera
from ..raster.colour import linear_to_srgb, srgb_to_linear
from ..raster.pull_push import fill
from ..raster.ticks import Poll
from ..texture.bake import SQUARE, View, sample, without_rim
from ..texture.gutter import bordered
from .planning import tolerance
from .rendering import look_at
from .surface import Surface
from .texels import Texels, seen_by

_WELL = float(np.cos(np.radians(65.0)) ** 4)
"""The cosine's fourth power from which on a view counts, more and more."""
_SURE = 0.02  # the weight from which on a pixel counts as seen
_UNDER = 0.01  # the weight of what was guessed, beside the cosine's fourth power


def bake(
    surface: Surface,
    texels: Texels,
    camera: Camera,
    made: Float32Array,
    poll: Poll,
    usable: Float32Array | None = None,
) -> int:
    """Bring a view, float32 (N, N, 3), sRGB in [0, 1], onto the texels; returns how many it changed.

    What has been seen with `bake.SQUARE` stays as it is; what has been seen less well is a mean, and what was guessed
    goes. usable: float32 (N, N) in [0, 1], how far each pixel of the view counts; all do without it.
    """
    size = len(made)
    seen = look_at(surface, camera, size, poll)
    kept = without_rim(seen.triangles >= 0).astype(np.float32)
    kept = kept if usable is None else kept * usable
    view = View(seen.depths, kept, tolerance(surface, camera, size))
    places, weights = seen_by(surface, texels.points, texels.normals, camera, view, poll)
    gain = np.maximum(weights - _WELL, 0) * np.maximum(1 - texels.seen / SQUARE, 0)
    at = np.flatnonzero(gain > 0)
    colours = srgb_to_linear(sample(made, places[at, 0], places[at, 1]))
    share = gain[at] / (gain[at] + texels.seen[at] + _UNDER)
    texels.colours[at] += share[:, None] * (colours - texels.colours[at])
    texels.seen[at] += gain[at]
    return len(at)


def drawn(texels: Texels, poll: Poll, guessed: float = 1.0) -> Float32Array:
    """The image of the texels, float32 (S, S, 4): colours, sRGB in [0, 1], and how well each has been seen.

    Pixels that show nothing of the surface go on from those beside. guessed: in (0, 1], how far a pixel counts that
    nothing has shown; the less, the wider are the gaps over which what has been seen goes on.
    """
    flat = np.zeros((texels.size**2, 4), np.float32)
    flat[texels.pixels, :3] = linear_to_srgb(np.clip(texels.colours, 0, 1))
    flat[texels.pixels, 3] = texels.seen
    covered = np.zeros(texels.size**2, np.float32)
    covered[texels.pixels] = np.maximum(guessed, np.minimum(texels.seen / _SURE, 1))
    shape = (texels.size, texels.size)
    covered = covered.reshape(shape)
    return bordered(fill(flat.reshape(*shape, 4), covered, poll), covered > 0)
