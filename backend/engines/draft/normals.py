# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate normals with the small network, at three sizes of the picture.

The network judges large forms best in a small picture, and details in a large one. So low frequencies come from two
coarse estimates, averaged, and high ones from a fine one. Each is the average of what the network makes of the picture
and of its mirror image, on two threads. If the weights are missing or damaged, the normals come from the outline alone.
"""

from functools import cache, partial
from pathlib import Path

import numpy as np

from ...arrays import Float32Array
from ...flow.products import Crop, Cutout, NormalMap, Report
from ...normals import outline
from ...normals.features import inflate, standardise
from ...normals.network import WEIGHTS, load, multiple, predict
from ...raster.blur import gaussian_blur
from ...raster.layers import Weights, usable
from ...raster.matmul import fastest
from ...raster.resample import crop_normals, crop_resize
from ...raster.side_by_side import both
from ...raster.ticks import Poll
from ...raster.vectors import TO_VIEWER, by_column, unit

_COARSE = (128, 160)  # pixels of the square's side: of the two looks whose mean has the large forms
_FINE = 384  # at most
_SPLIT = 3.0  # pixels of the first coarse look: deviation of the blur that splits low from high frequencies
_STEPS = 20


def estimate(cutout: Cutout, report: Report) -> NormalMap:
    """Estimate the cut-out's normals from its colours and its outline.

    Returns unit normals everywhere, none facing away, (0, 0, 1) away from the object. Raises UserError "empty-cutout"
    if no pixel has an alpha above one half. What `report` raises passes through.
    """
    weights = read_weights(WEIGHTS)
    if weights is None or not (cutout.alpha > 0.5).any():
        return outline.estimate(cutout, report)
    size = len(cutout.rgba)
    fine_size = min(_FINE, -(-size // multiple(weights)) * multiple(weights))
    first, second = (min(side, fine_size) for side in _COARSE)
    joined = estimate_at(weights, cutout, first, partial(report, 1, _STEPS))
    if fine_size > first:
        other = estimate_at(weights, cutout, second, partial(report, 2, _STEPS))
        same = second == fine_size
        fine = other if same else estimate_at(weights, cutout, fine_size, partial(report, 5, _STEPS))
        both = _resized(joined, fine_size).normals + _resized(other, fine_size).normals
        deviation = _SPLIT * fine_size / first
        joined = join(NormalMap(unit(both), fine.alpha), fine, deviation, partial(report, 17, _STEPS))
    report(18, _STEPS)
    normals = _turned_to_viewer(_resized(joined, size).normals, cutout.alpha)
    report(_STEPS, _STEPS)
    return NormalMap(normals, cutout.alpha, cutout.crop)


@cache
def read_weights(path: Path) -> Weights | None:
    """Read the weights, once in this process; None, and a line in the log, if they cannot be read."""
    return usable(load, path, "The normals come from the outline alone.")


def estimate_at(weights: Weights, cutout: Cutout, size: int, poll: Poll) -> NormalMap:
    """Run the network on the cut-out at size x size pixels, a multiple of `multiple`."""
    rgba = crop_resize(cutout.rgba, 0, 0, len(cutout.rgba), size)
    poll()
    pictures = standardise(np.stack([rgba, rgba[:, ::-1]]))
    inflated = inflate(pictures[..., 3])
    poll()
    multiply = fastest()
    plain, mirrored = both(
        lambda poll: predict(weights, pictures[0], inflated[0], multiply, poll),
        lambda poll: predict(weights, pictures[1], inflated[1], multiply, poll),
        poll,
    )
    mirrored_back = mirrored[:, ::-1] * np.array([-1, 1, 1], np.float32)
    return NormalMap(unit(unit(plain) + unit(mirrored_back)), pictures[0, ..., 3])


def join(low: NormalMap, high: NormalMap, deviation: float, poll: Poll) -> NormalMap:
    """Take low frequencies from one map and high ones from another of the same size.

    A Gaussian blur of the standard deviation, in pixels, splits the frequencies: blurred `high` is replaced by blurred
    `low`. Pixels are weighted by the alpha of `high`, so that nothing bleeds in from outside.
    """
    difference = low.normals - high.normals
    weights = np.dstack([by_column(np.multiply, difference, high.alpha), high.alpha])
    blurred = gaussian_blur(weights, deviation, fastest(), poll)
    change = by_column(np.divide, blurred[..., :3], np.maximum(blurred[..., 3], np.float32(1e-4)))
    return NormalMap(unit((high.normals + change).astype(np.float32, copy=False)), high.alpha)


def _resized(normal_map: NormalMap, size: int) -> NormalMap:
    """Return the map at size x size pixels."""
    side = normal_map.alpha.shape[0]
    return normal_map if side == size else crop_normals(normal_map, Crop(0, 0, side, side, side), size)


def _turned_to_viewer(normals: Float32Array, alpha: Float32Array) -> Float32Array:
    """Turn normals that face away into the picture's plane; (0, 0, 1) where alpha is 0."""
    normals = normals.copy()
    normals[..., 2] = np.maximum(normals[..., 2], 0)
    normals[alpha <= 0] = TO_VIEWER
    return unit(normals, TO_VIEWER, least=1e-3)
