# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sheet network sees of a normal map, at the lattice's points."""

import logging
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from ...arrays import BoolArray, Float32Array
from ...flow.products import Crop, NormalMap
from ...geometry import integration, network
from ...geometry.features import MARGIN, SIDE, see
from ...raster.layers import Weights, resized
from ...raster.matmul import by_einsum
from ...raster.resample import resample
from ...raster.ticks import Poll
from .body import Guess
from .pose import Pose, limited

_LOG = logging.getLogger(__name__)
TYPICAL = 0.65
"""The quantile at which bodies are about as thick as true ones on the mean: the median of what is skewed is less."""

_moved = partial(resample, multiply=by_einsum)


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
    alpha = _moved(normal_map.alpha, (square.left, square.top, square.side, square.side), (SIDE, SIDE), fill=0.0)
    clean = integration.clean(normal_map.normals, normal_map.alpha > 0).astype(np.float32)
    weighted = clean * normal_map.alpha[..., None]
    normals = _moved(weighted, (square.left, square.top, square.side, square.side), (SIDE, SIDE), fill=0.0)
    inside = alpha > min(0.5, 0.5 * float(alpha.max()))
    planes = see(normals, inside, poll)
    typical = network.predict(weights, planes, TYPICAL, by_einsum, poll)
    chosen = typical if quantile == TYPICAL else network.predict(weights, planes, quantile, by_einsum, poll)
    depths = [typical.front, typical.front - typical.back, chosen.front - chosen.back]
    images = _filled(np.dstack(depths), inside)
    scale = SIDE / square.side
    part = ((window.left - square.left) * scale, (window.top - square.top) * scale)
    found = _moved(images, (*part, window.width * scale, window.height * scale), (window.height, window.width))
    front, *thickness = np.moveaxis(found.astype(np.float64) * (square.side / 2), -1, 0)
    half = square.side / 2
    pose = Pose(
        limited(typical.nearness, half),
        square.left + half - 0.5 - window.left,
        square.top + half - 0.5 - window.top,
        typical.up.astype(np.float64),
    )
    return Guess(front, *(np.maximum(depth, 1e-3) for depth in thickness)), pose


def _square(normal_map: NormalMap) -> Crop:
    """Return the square about the object that the network sees, in the map's pixels."""
    side = len(normal_map.alpha)
    rows, columns = (np.flatnonzero((normal_map.alpha > 0.5).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    longer = MARGIN * float(max(bottom - top, right - left))
    return Crop((left + right - longer) / 2, (top + bottom - longer) / 2, longer, side, side)


def _filled(images: Float32Array, known: BoolArray) -> Float32Array:
    """Continue images, (S, S, C), to where they are not known: from coarser and coarser means of what is."""
    if known.all() or len(known) % 2:
        return np.where(known[..., None], images, images[known].mean(axis=0))
    half = len(known) // 2
    weights = known.reshape(half, 2, half, 2).sum(axis=(1, 3)).astype(np.float32)
    sums = (images * known[..., None]).reshape(half, 2, half, 2, -1).sum(axis=(1, 3))
    coarse = _filled(sums / np.maximum(weights, 1)[..., None], weights > 0)
    return np.where(known[..., None], images, resized(coarse, 2 * half, 2 * half))


@cache
def read_weights(path: Path) -> Weights | None:
    """Read the weights, once in this process; None, and a line in the log, if they cannot be read."""
    try:
        return network.load(path)
    except (OSError, ValueError) as error:
        _LOG.warning("Bodies are inflated outlines, because the sheet network's weights cannot be read: %s", error)
        return None
