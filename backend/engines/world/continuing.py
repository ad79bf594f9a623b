# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a sphere, continued over all of it: smooth colours, without weights and without invention.

The light of what is unknown solves Laplace's equation on the sphere, with what is known as its border: the smoothest
surface through it, in which no place is brighter or darker than all of the border. Light flows more easily along a
parallel than along a meridian (`ALONG`): so the sky goes on as sky all around, the ground as ground, and the zenith and
the nadir are the mean of what lies around them. With cells of equal angles, (H, 2 H), the flow between two neighbours
in a row is ALONG / cos(elevation), between two in a column cos(elevation of their border), and 0 through a pole.

From coarse to fine, each level begins with the one before it and is smoothed by conjugate gradients, the finer the
fewer times (cascadic multigrid: Bornemann & Deuflhard, Numerische Mathematik 75, 1996).
"""

import numpy as np

from ...arrays import BoolArray, Float32Array
from ...flow.products import Panorama, Report
from ...raster.ticks import Poll
from .placing import Placed
from .sphere import elevations

ALONG = 16.0
"""How many times more easily light flows along a parallel than along a meridian."""
_COARSEST = 8  # rows
_STEPS = {8: 200, 16: 120, 32: 90, 64: 70, 128: 50, 256: 32, 512: 16, 1024: 10}  # by rows
_LEAST_STEPS = 6
_EXACT = 1e-12  # of the first residual's energy: single precision holds no less


def continued(placed: Placed, *, report: Report) -> Panorama:
    """A panorama that is the placed picture where that is known, and smooth elsewhere; no part of it pinches."""
    levels = [(placed.light, placed.known)]
    while len(levels[-1][0]) > _COARSEST:
        levels.append(_coarser(*levels[-1]))
    levels.reverse()
    of = sum(light.size * _steps(light) for light, _ in levels)
    done = 0

    def poll() -> None:
        report(done, of)

    found = np.broadcast_to(_mean(*levels[0]), levels[0][0].shape)
    for light, known in levels:
        if len(light) > len(found):
            found = _finer(found)
        found = np.where(known[..., None], light, found)
        for channel in range(3) if not known.all() else ():
            found[..., channel] = _smoothed(found[..., channel], known, _steps(light), poll)
            done += light[..., 0].size * _steps(light)
    report(of, of)
    return Panorama(np.maximum(found, 0, dtype=np.float32))


def _steps(light: Float32Array) -> int:
    return _STEPS.get(len(light), _LEAST_STEPS)


def _mean(light: Float32Array, known: BoolArray) -> Float32Array:
    return light[known].mean(axis=0)


def _coarser(light: Float32Array, known: BoolArray) -> tuple[Float32Array, BoolArray]:
    """The means of blocks of 2 x 2 pixels, as far as those are known, and where any of a block is."""
    height, width = known.shape
    blocks = (height // 2, 2, width // 2, 2)
    count = known.reshape(blocks).sum(axis=(1, 3), dtype=np.float32)
    sums = (light * known[..., None]).reshape(*blocks, 3).sum(axis=(1, 3))
    return sums / np.maximum(count, 1)[..., None], count > 0


def _finer(image: Float32Array) -> Float32Array:
    """A panorama (H, 2 H, 3) with twice as many rows and columns, bilinearly; beyond a pole it goes on behind it."""
    half = image.shape[1] // 2
    above, below = np.roll(image[:1], half, axis=1), np.roll(image[-1:], half, axis=1)
    tall = np.concatenate([above, image, below])
    near, quarter = np.float32(0.75), np.float32(0.25)
    rows = np.stack([near * image + quarter * tall[:-2], near * image + quarter * tall[2:]], axis=1)
    rows = rows.reshape(2 * len(image), *image.shape[1:])
    left, right = np.roll(rows, 1, axis=1), np.roll(rows, -1, axis=1)
    columns = np.stack([near * rows + quarter * left, near * rows + quarter * right], axis=2)
    return columns.reshape(len(rows), 2 * image.shape[1], 3)


def _smoothed(start: Float32Array, known: BoolArray, steps: int, poll: Poll) -> Float32Array:
    """One channel, float32 (H, 2 H), nearer to the solution: so many steps of conjugate gradients.

    What is known stays. Preconditioned by the matrix's diagonal.
    """
    height = len(start)
    along = (ALONG / np.cos(elevations(height)))[:, None].astype(np.float32)
    between = np.zeros((height + 1, 1), np.float32)  # of each row and the one above it; nothing flows through a pole
    between[1:-1, 0] = np.cos(np.pi * (0.5 - np.arange(1, height) / height))
    diagonal = 2 * along + between[:-1] + between[1:]
    free = ~known

    def applied(image: Float32Array) -> Float32Array:
        out = diagonal * image
        flow = along * image
        out[:, 1:] -= flow[:, :-1]
        out[:, 0] -= flow[:, -1]
        out[:, :-1] -= flow[:, 1:]
        out[:, -1] -= flow[:, 0]
        out[1:] -= between[1:-1] * image[:-1]
        out[:-1] -= between[1:-1] * image[1:]
        out *= free
        return out

    image = start.copy()
    residual = -applied(image)
    direction = residual / diagonal
    energy = _dot(residual, direction)
    solved = energy * _EXACT
    for _ in range(steps):
        poll()
        if energy <= solved:
            break
        moved = applied(direction)
        length = np.float32(energy / _dot(direction, moved))
        image += length * direction
        residual -= length * moved
        step = residual / diagonal
        before, energy = energy, _dot(residual, step)
        direction *= np.float32(energy / before)
        direction += step
    return image


def _dot(one: Float32Array, other: Float32Array) -> float:
    """The inner product of two images, summed in double precision."""
    return float((one * other).sum(dtype=np.float64))
