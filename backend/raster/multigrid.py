# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares on the pixel grid: conjugate gradients, preconditioned by a multigrid V-cycle.

All problems have one form. For an image z of unknowns, minimise

    sum over neighbours (i, j) of  w_ij (z_j - z_i - g_ij)^2   +   sum over pixels of  p_i (z_i - t_i)^2

The normal equations are a weighted graph Laplacian plus a positive diagonal. `GridSystem` holds w and p and applies
the matrix with shifted slices; the sums over w g and p t are the right-hand side. Pixels outside the mask have
w = p = 0 and stay 0.

The V-cycle joins blocks of 2 x 2 pixels (aggregation): the coarse weights are the Galerkin sums, halved, because
piecewise constants overstate the energy of a smooth image by two (D. Braess, "Towards algebraic multigrid for elliptic
problems of second order", Computing 55, 1995). The number of iterations then hardly grows with the image, even if
weights differ by orders of magnitude, as they do at the steps of a depth map.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float64Array
from .ticks import Tick

FloatImage = NDArray[np.floating[Any]]

_SMOOTHING = 0.8  # damped Jacobi's optimum on a grid of four neighbours
_COARSEST = 4


@dataclass(frozen=True)
class GridSystem:
    """The matrix of a weighted least-squares problem on an image of (H, W) unknowns.

    right: float (H, W), >= 0, the weight between a pixel and its right neighbour; the last column is 0.
    down: float (H, W), >= 0, the weight between a pixel and the one below it; the last row is 0.
    pin: float (H, W), >= 0, the weight of a pixel's own target.
    """

    right: FloatImage
    down: FloatImage
    pin: FloatImage

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        height, width = self.pin.shape
        return height, width

    @cached_property
    def diagonal(self) -> FloatImage:
        """The matrix's diagonal, (H, W); 0 outside the mask."""
        diagonal = self.pin + self.right + self.down
        diagonal[:, 1:] += self.right[:, :-1]
        diagonal[1:] += self.down[:-1]
        return diagonal

    @cached_property
    def smoother(self) -> FloatImage:
        """Damped Jacobi's factors of the residual, (H, W); 0 outside the mask."""
        return np.divide(_SMOOTHING, self.diagonal, out=np.zeros_like(self.diagonal), where=self.diagonal > 0)

    def apply(self, image: FloatImage) -> FloatImage:
        """Multiply the matrix with an image, (H, W) -> (H, W).

        Works on flat arrays, whose shifts are contiguous; the last column's weights of 0 stop values from wrapping
        around.
        """
        width = self.shape[1]
        z, right, down = image.ravel(), self.right.ravel(), self.down.ravel()
        out = self.diagonal.ravel() * z
        pull = np.empty_like(out)
        for weight, shift in ((right, 1), (down, width)):
            one, other = slice(None, -shift), slice(shift, None)
            out[one] -= np.multiply(weight[one], z[other], out=pull[one])
            out[other] -= np.multiply(weight[one], z[one], out=pull[one])
        return out.reshape(self.shape)

    def divergence(self, right: Float64Array, down: Float64Array) -> Float64Array:
        """Return the right-hand side, float64 (H, W), for given differences between neighbours.

        right, down: float64 (H, W), w g towards the right and the lower neighbour, 0 in the last column and row. The
        caller adds pin * target.
        """
        out = -(right + down)
        out[:, 1:] += right[:, :-1]
        out[1:] += down[:-1]
        return out

    def coarser(self) -> "GridSystem":
        """The same problem on blocks of 2 x 2 pixels; the sides of both are even, see `even`."""
        right, down = self.right, self.down
        return GridSystem(
            right=(right[0::2, 1::2] + right[1::2, 1::2]) / 2,
            down=(down[1::2, 0::2] + down[1::2, 1::2]) / 2,
            pin=self.pin[0::2, 0::2] + self.pin[1::2, 0::2] + self.pin[0::2, 1::2] + self.pin[1::2, 1::2],
        ).even()

    def even(self) -> "GridSystem":
        """The same problem with even sides: a row or a column more outside the mask if need be."""
        past = [(0, side % 2) for side in self.shape]
        if past == [(0, 0), (0, 0)]:
            return self
        return GridSystem(*(np.pad(part, past) for part in (self.right, self.down, self.pin)))


def solve(system: GridSystem, rhs: Float64Array, start: Float64Array, tolerance: float, tick: Tick) -> Float64Array:
    """Solve the system by preconditioned conjugate gradients.

    rhs, start: float64 (H, W), both 0 outside the mask. Ends when the preconditioned residual has fallen to `tolerance`
    times that of the right-hand side (or of the start, if larger), or after 200 iterations. Returns float64 (H, W), 0
    outside the mask.

    A connected part without pins keeps the mean of its start, as conjugate gradients never leave the matrix's range.
    Its right-hand side must sum to zero, as that of `divergence` does.
    """
    levels = _levels(system)
    tick(0.0)
    z = start.copy()
    residual = rhs - system.apply(z)
    step = _precondition(levels, residual)
    tick(0.0)
    direction = step.copy()
    energy = _dot(residual, step)
    # If the right-hand side is 0, or small beside the start's residual, progress is measured by that residual.
    scale = float(np.sqrt(max(_dot(rhs, _precondition(levels, rhs)), energy)))
    done = 0.0
    for _ in range(200):
        remaining = np.sqrt(max(energy, 0.0))
        if not remaining > tolerance * scale:
            break
        done = min(1.0, max(done, float(np.log(remaining / scale) / np.log(tolerance))))
        tick(done)
        image = system.apply(direction)
        length = energy / _dot(direction, image)
        z += length * direction
        residual -= length * image
        step = _precondition(levels, residual)
        before, energy = energy, _dot(residual, step)
        direction *= energy / before
        direction += step
    return z


def _dot(one: Float64Array, other: Float64Array) -> float:
    """Return the inner product of two images. Not by BLAS, whose result depends on the number of its threads."""
    return float(np.einsum("ij,ij->", one, other))


def _levels(system: GridSystem) -> list[GridSystem]:
    """Return the system and its coarser versions, in single precision, which halves the time; all sides are even."""
    levels = [GridSystem(*(part.astype(np.float32) for part in (system.right, system.down, system.pin))).even()]
    while min(levels[-1].shape) > _COARSEST:
        levels.append(levels[-1].coarser())
    return levels


def _precondition(levels: list[GridSystem], residual: Float64Array) -> Float64Array:
    """Run a V-cycle on the residual, scaled to single precision's range."""
    scale = float(np.abs(residual).max(initial=0.0))
    if scale == 0.0:
        return residual.copy()
    height, width = residual.shape
    scaled = np.zeros(levels[0].shape, np.float32)
    scaled[:height, :width] = residual / scale
    step = _cycle(levels, 0, scaled)
    step *= levels[0].diagonal > 0
    return step[:height, :width].astype(np.float64) * scale


def _cycle(levels: list[GridSystem], level: int, residual: FloatImage) -> FloatImage:
    """Solve levels[level] z = residual approximately, by one V-cycle from 0; a symmetric, positive operator.

    What stands outside the mask afterwards is of no use, and reaches nothing inside.
    """
    system = levels[level]
    z = residual * system.smoother
    if level + 1 < len(levels):
        height, width = system.shape
        coarse = _cycle(levels, level + 1, _restrict(residual - system.apply(z), levels[level + 1].shape))
        pairs = z.reshape(height // 2, 2, width)  # of rows
        pairs += np.repeat(coarse[: height // 2, : width // 2], 2, axis=1)[:, None]
        left = residual - system.apply(z)
        left *= system.smoother
        z += left
    return z


def _restrict(image: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """Sum an image of even sides over blocks of 2 x 2 pixels; beyond them, up to a shape, it is 0."""
    rows = image[0::2] + image[1::2]
    sums = np.zeros(shape, image.dtype)
    np.add(rows[:, 0::2], rows[:, 1::2], out=sums[: len(rows), : rows.shape[1] // 2])
    return sums
