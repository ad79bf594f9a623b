# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sheet network says of a normal map, at the lattice's points."""

from dataclasses import dataclass

import numpy as np

from ...flow.products import NormalMap
from ...geometry.features import SIDE
from ...geometry.look import TYPICAL, answer, look_at
from ...raster.layers import Weights
from ...raster.matmul import fastest
from ...raster.pull_push import fill
from ...raster.resample import resample
from ...raster.ticks import Poll
from .body import Guess
from .pose import Pose, limited

_REAL = 1.1
"""By how much thicker real things are than those that the network learned from (docs/geometry.md)."""
_FLATTENED = 1.1
"""By how much estimated normals, which lean towards the viewer, flatten a body (docs/geometry.md)."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the cut-out's pixels: its first column and row, and its size."""

    left: int
    top: int
    height: int
    width: int


def guess(
    weights: Weights, normal_map: NormalMap, window: Window, quantile: float, poll: Poll, *, estimated: bool
) -> tuple[Guess, Pose]:
    """Return front and thickness at a window's pixels, in pixels, and the camera.

    quantile: of the thickness, see `network.predict`. The front is always that of the typical one. estimated: whether
    the normals are, see `_FLATTENED`.
    """
    square = look_at(normal_map, poll)
    typical = answer(weights, square, TYPICAL, poll)
    chosen = typical if quantile == TYPICAL else answer(weights, square, quantile, poll)
    sheets = [typical.front, typical.front - typical.back, chosen.front - chosen.back]
    images = fill(np.dstack(sheets), square.inside.astype(np.float32))
    crop = square.crop
    scale, half = SIDE / crop.side, crop.side / 2
    part = ((window.left - crop.left) * scale, (window.top - crop.top) * scale)
    place = (*part, window.width * scale, window.height * scale)
    found = resample(images, place, (window.height, window.width), multiply=fastest())
    front, *thickness = np.moveaxis(found.astype(np.float64) * half, -1, 0)
    deeper = _FLATTENED if estimated else 1.0
    middle = half * float(np.median(typical.front[square.inside]))  # stays, so that the lens sees it where it was
    pose = Pose(
        limited(typical.nearness, half),
        crop.left + half - 0.5 - window.left,
        crop.top + half - 0.5 - window.top,
        typical.up.astype(np.float64),
        typical.doubt,
    )
    depths = (np.maximum(_REAL * deeper * each, 1e-3) for each in thickness)
    return Guess(middle + deeper * (front - middle), *depths), pose
