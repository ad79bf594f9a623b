# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine's normals: a small network looks at the picture twice, from afar and from near.

From afar it sees the whole and judges large forms best; from near it sees detail but loses its bearings. So low
frequencies are taken from the one look and high ones from the other. Each look is taken at the picture and at its
mirror image, on two threads, and averaged. Where the weights are missing or damaged, the outline alone has to do
(`outline`).
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, partial
from pathlib import Path
from threading import Event

import numpy as np

from ...arrays import Float32Array
from ...errors import Cancelled
from ...flow.products import Crop, Cutout, NormalMap, Report
from ...normals import outline
from ...normals.features import inflate, look
from ...normals.network import WEIGHTS, Tick, Weights, load, predict
from ...normals.products import fastest
from ...raster.blur import gaussian_blur
from ...raster.resample import crop_normals, crop_resize
from ...raster.vectors import TO_VIEWER, unit

_AFAR = 128  # pixels of the square's side
_NEAR = 384  # at most
_JOIN = 3.0  # pixels of the look from afar: the standard deviation of the blur that parts low from high frequencies
_STEPS = 20
_PATIENCE = 0.02  # seconds between two reports
_LOG = logging.getLogger(__name__)


Task = Callable[[Tick], Float32Array]


def estimate(cutout: Cutout, report: Report) -> NormalMap:
    """Estimate the cut-out's normals from its colours and its outline.

    Returns unit normals everywhere, none facing away, (0, 0, 1) away from the object. Raises UserError "empty-cutout"
    where no pixel is covered by more than one half; what `report` raises passes through.
    """
    weights = shipped(WEIGHTS)
    if weights is None or not (cutout.alpha > 0.5).any():
        return outline.estimate(cutout, report)
    size = len(cutout.rgba)
    near = min(_NEAR, -(-size // weights.multiple) * weights.multiple)
    afar = min(_AFAR, near)
    coarse = seen(weights, cutout, afar, partial(report, 1, _STEPS))
    if near == afar:
        joined = coarse
    else:
        fine = seen(weights, cutout, near, partial(report, 4, _STEPS))
        joined = join(_resized(coarse, near), fine, _JOIN * near / afar, partial(report, 17, _STEPS))
    report(18, _STEPS)
    result = _facing(_resized(joined, size).normals, cutout.alpha)
    report(_STEPS, _STEPS)
    return NormalMap(result, cutout.alpha, cutout.crop)


@cache
def shipped(path: Path) -> Weights | None:
    """Read the weights once; None, and a sentence in the log, where they cannot be read."""
    try:
        return load(path)
    except (OSError, ValueError) as error:
        _LOG.warning("The normals come from the outline alone, because the network's weights cannot be read: %s", error)
        return None


def seen(weights: Weights, cutout: Cutout, size: int, tick: Tick) -> NormalMap:
    """Run the network on the cut-out shown in size x size pixels, a multiple of `Weights.multiple`."""
    rgba = crop_resize(cutout.rgba, 0, 0, len(cutout.rgba), size)
    tick()
    pictures = look(np.stack([rgba, rgba[:, ::-1]]))
    inflated = inflate(pictures[..., 3])
    tick()
    product = fastest()
    one, mirrored = _side_by_side(
        lambda tick: predict(weights, pictures[0], inflated[0], product, tick),
        lambda tick: predict(weights, pictures[1], inflated[1], product, tick),
        tick,
    )
    back = mirrored[:, ::-1] * np.array([-1, 1, 1], np.float32)
    return NormalMap(unit(unit(one) + unit(back)), pictures[0, ..., 3])


def _side_by_side(one: Task, other: Task, tick: Tick) -> tuple[Float32Array, Float32Array]:
    """Do two things on two threads, calling `tick` meanwhile; what it raises ends both."""
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(task, check) for task in (one, other)]
        try:
            while wait(futures, _PATIENCE).not_done:
                tick()
        finally:
            stop.set()
        return futures[0].result(), futures[1].result()


def join(low: NormalMap, high: NormalMap, deviation: float, tick: Tick) -> NormalMap:
    """Take low frequencies from one map and high ones from another of the same size.

    What a Gaussian blur of the standard deviation, in pixels, makes of `high` is replaced by what it makes of `low`;
    pixels count by their coverage, so that nothing bleeds in from outside.
    """
    difference = low.normals - high.normals
    weights = np.concatenate([difference * high.alpha[..., None], high.alpha[..., None]], axis=2)
    blurred = gaussian_blur(weights, deviation, fastest(), tick)
    change = blurred[..., :3] / np.maximum(blurred[..., 3:], np.float32(1e-4))
    return NormalMap(unit((high.normals + change).astype(np.float32, copy=False)), high.alpha)


def _resized(normal_map: NormalMap, size: int) -> NormalMap:
    side = normal_map.alpha.shape[0]
    return normal_map if side == size else crop_normals(normal_map, Crop(0, 0, side, side, side), size)


def _facing(normals: Float32Array, alpha: Float32Array) -> Float32Array:
    """Turn what faces away into the picture's plane, and what is not covered to the viewer."""
    normals = normals.copy()
    normals[..., 2] = np.maximum(normals[..., 2], 0)
    normals[alpha <= 0] = TO_VIEWER
    return unit(normals, TO_VIEWER, least=1e-3)
