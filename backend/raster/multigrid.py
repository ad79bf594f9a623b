# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares on the pixel grid: conjugate gradients, preconditioned by a multigrid V-cycle.

The problems of this engine have one form. For an image z of unknowns, minimise

    sum over neighbours (i, j) of  w_ij (z_j - z_i - g_ij)^2   +   sum over pixels of  p_i (z_i - t_i)^2

whose normal equations are a weighted graph Laplacian with a positive diagonal. `GridSystem` holds w and p and
applies the matrix with shifted slices; the sums over w g and p t are the right-hand side. Pixels outside the mask
have w = p = 0 and stay 0.

The V-cycle joins blocks of 2 x 2 pixels (aggregation): the coarse weights are the Galerkin sums, halved, because
piecewise constants overstate the energy of a smooth image by two (D. Braess, "Towards algebraic multigrid for elliptic
problems of second order", Computing 55, 1995). With it the number of iterations hardly grows with the image, and
weights that differ by orders of magnitude, as at the steps of a depth map, do no harm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float64Array

Image = NDArray[np.floating[Any]]

Progress = Callable[[float], None]
"""Called with the fraction that is done, 0 to 1, several times a second; may raise to end the work."""

_SMOOTHING = 0.8  # damped Jacobi's optimum on a grid of four neighbours
_COARSEST = 4


@dataclass(frozen=True)
class GridSystem:
    """The matrix of a weighted least-squares problem on an image of (H, W) unknowns.

    right: float (H, W), >= 0, the weight between a pixel and its right neighbour; the last column is 0.
    down: float (H, W), >= 0, the weight between a pixel and the one below it; the last row is 0.
    pin: float (H, W), >= 0, how strongly a pixel is held to its own target.
    """

    right: Image
    down: Image
    pin: Image

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        height, width = self.pin.shape
        return height, width

    @cached_property
    def diagonal(self) -> Image:
        """The matrix's diagonal, (H, W); 0 where a pixel is outside."""
        diagonal = self.pin + self.right + self.down
        diagonal[:, 1:] += self.right[:, :-1]
        diagonal[1:] += self.down[:-1]
        return diagonal

    @cached_property
    def inverse_diagonal(self) -> Image:
        """1 / diagonal, 0 where the diagonal is 0; (H, W)."""
        inside = self.diagonal > 0
        return np.divide(1.0, self.diagonal, out=np.zeros_like(self.diagonal), where=inside)

    def apply(self, image: Image) -> Image:
        """Multiply the matrix with an image, (H, W) -> (H, W).

        It works on flat arrays, whose shifts are contiguous: the zero last column stops what would wrap around.
        """
        width = self.shape[1]
        z, right, down = image.ravel(), self.right.ravel(), self.down.ravel()
        out = self.diagonal.ravel() * z
        for weight, shift in ((right, 1), (down, width)):
            out[:-shift] -= weight[:-shift] * z[shift:]
            out[shift:] -= weight[:-shift] * z[:-shift]
        return out.reshape(self.shape)

    def divergence(self, right: Float64Array, down: Float64Array) -> Float64Array:
        """The right-hand side of wanted differences.

        right, down: float64 (H, W), w * (wanted z_neighbour - z) towards the right and the lower neighbour, 0 in the
        last column and row. Returns float64 (H, W); add pin * target to it.
        """
        out = -(right + down)
        out[:, 1:] += right[:, :-1]
        out[1:] += down[:-1]
        return out

    def coarser(self) -> "GridSystem":
        """The same problem on blocks of 2 x 2 pixels, (ceil(H / 2), ceil(W / 2))."""
        right, down = _even(self.right), _even(self.down)
        return GridSystem(
            right=(right[0::2, 1::2] + right[1::2, 1::2]) / 2,
            down=(down[1::2, 0::2] + down[1::2, 1::2]) / 2,
            pin=_restrict(self.pin),
        )


def solve(
    system: GridSystem, rhs: Float64Array, start: Float64Array, tolerance: float, progress: Progress
) -> Float64Array:
    """Solve the system by preconditioned conjugate gradients.

    rhs, start: float64 (H, W), start being 0 outside. Ends when the preconditioned residual has fallen to `tolerance`
    times that of the right-hand side (or of the start, if larger), or after 200 iterations. Returns float64 (H, W), 0
    outside.

    Pixels that nothing pins to a depth keep the mean of their start, as conjugate gradients never leave the
    matrix's range; the right-hand side must then sum to zero over each connected part, which `divergence` does.
    """
    levels = _levels(system)
    progress(0.0)
    z = start.copy()
    residual = rhs - system.apply(z)
    step = _precondition(levels, residual)
    progress(0.0)
    direction = step.copy()
    energy = _dot(residual, step)
    # A start that is far off, or a right-hand side of zero, is measured by the start's own residual.
    scale = float(np.sqrt(max(_dot(rhs, _precondition(levels, rhs)), energy)))
    done = 0.0
    for _ in range(200):
        remaining = np.sqrt(max(energy, 0.0))
        if not remaining > tolerance * scale:
            break
        done = min(1.0, max(done, float(np.log(remaining / scale) / np.log(tolerance))))
        progress(done)
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
    """The inner product of two images, the same to the bit whatever number of threads a BLAS would use."""
    return float(np.einsum("ij,ij->", one, other))


def _levels(system: GridSystem) -> list[GridSystem]:
    """Return the system and its coarser versions down to a few pixels, in single precision, which halves the time."""
    levels = [GridSystem(*(part.astype(np.float32) for part in (system.right, system.down, system.pin)))]
    while min(levels[-1].shape) > _COARSEST:
        levels.append(levels[-1].coarser())
    return levels


def _precondition(levels: list[GridSystem], residual: Float64Array) -> Float64Array:
    """Run a V-cycle, the residual brought into single precision's range by its own size."""
    scale = float(np.abs(residual).max(initial=0.0))
    if scale == 0.0:
        return residual.copy()
    return _cycle(levels, 0, (residual / scale).astype(np.float32)).astype(np.float64) * scale


def _cycle(levels: list[GridSystem], level: int, residual: Image) -> Image:
    """One V-cycle from zero: an approximate solution of levels[level] z = residual, symmetric and positive."""
    system = levels[level]
    z = _SMOOTHING * residual * system.inverse_diagonal
    if level + 1 < len(levels):
        height, width = system.shape
        coarse = _cycle(levels, level + 1, _restrict(residual - system.apply(z)))
        z += np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[:height, :width] * (system.diagonal > 0)
        z += _SMOOTHING * (residual - system.apply(z)) * system.inverse_diagonal
    return z


def _even(image: Image) -> Image:
    """Pad an image by zeros to an even height and width."""
    height, width = image.shape
    return np.pad(image, ((0, height % 2), (0, width % 2))) if height % 2 or width % 2 else image


def _restrict(image: Image) -> Image:
    """Sum an image over blocks of 2 x 2 pixels."""
    image = _even(image)
    rows = image[0::2] + image[1::2]
    return rows[:, 0::2] + rows[:, 1::2]
