# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sheet network sees of a normal map, at the lattice's points."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...flow.products import Crop, NormalMap
from ...geometry import integration, network
from ...geometry.features import MARGIN, SIDE, see
from ...raster.layers import Weights
from ...raster.matmul import by_einsum
from ...raster.pull_push import fill
from ...raster.resample import crop_normals, resample
from ...raster.ticks import Poll
from .body import Guess
from .pose import Pose, limited

_LOG = logging.getLogger(__name__)
TYPICAL = 0.65
"""The quantile at which bodies are about as thick as true ones on the mean: the median of what is skewed is less."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the cut-out's pixels: its first column and row, and its size."""

    left: int
    top: int
    height: int
    width: int


def guess(weights: Weights, normal_map: NormalMap, window: Window, quantile: float, poll: Poll) -> tuple[Guess, Pose]:
    """Run the network on the object's own square, so that a body's depth does not depend on the cut-out's size.

    Products are sums in numpy's own order, not BLAS', so that the body is the same with any number of threads.
    quantile: of the thickness, see `network.predict`. The front is always that of the typical one.
    """
    square = _square(normal_map)
    clean = integration.clean(normal_map.normals, normal_map.alpha > 0).astype(np.float32)
    small = crop_normals(NormalMap(clean, normal_map.alpha), square, SIDE, multiply=by_einsum)
    inside = small.alpha > min(0.5, 0.5 * float(small.alpha.max()))
    planes = see(small.normals, inside, poll)
    typical = network.predict(weights, planes, TYPICAL, by_einsum, poll)
    chosen = typical if quantile == TYPICAL else network.predict(weights, planes, quantile, by_einsum, poll)
    depths = [typical.front, typical.front - typical.back, chosen.front - chosen.back]
    images = fill(np.dstack(depths), inside.astype(np.float32))
    scale = SIDE / square.side
    part = ((window.left - square.left) * scale, (window.top - square.top) * scale)
    place = (*part, window.width * scale, window.height * scale)
    found = resample(images, place, (window.height, window.width), multiply=by_einsum)
    half = square.side / 2
    front, *thickness = np.moveaxis(found.astype(np.float64) * half, -1, 0)
    pose = Pose(
        limited(typical.nearness, half),
        square.left + half - 0.5 - window.left,
        square.top + half - 0.5 - window.top,
        typical.up.astype(np.float64),
        typical.doubt,
    )
    return Guess(front, *(np.maximum(depth, 1e-3) for depth in thickness)), pose


def _square(normal_map: NormalMap) -> Crop:
    """Return the square about the object that the network sees, in the map's pixels."""
    side = len(normal_map.alpha)
    rows, columns = (np.flatnonzero((normal_map.alpha > 0.5).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    longer = MARGIN * float(max(bottom - top, right - left))
    return Crop((left + right - longer) / 2, (top + bottom - longer) / 2, longer, side, side)


@cache
def read_weights(path: Path) -> Weights | None:
    """Read the weights, once in this process; None, and a line in the log, if they cannot be read."""
    try:
        return network.load(path)
    except (OSError, ValueError) as error:
        _LOG.warning("Bodies are inflated outlines, because the sheet network's weights cannot be read: %s", error)
        return None
