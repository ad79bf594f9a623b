# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights from normals, with steps between parts: bilateral normal integration.

After X. Cao, H. Santo, B. Shi, F. Okura, Y. Matsushita, "Bilateral Normal Integration", ECCV 2022. The surface is
assumed to be continuous on at least one side of each pixel. Every pixel gives four equations, one for each neighbour s
in {right, left, down, up}:

    c (z_s - z) = a_s        c: how much the pixel faces the viewer;  a_s: the slope times c, from its normal

The weight of an equation is the larger, the less the height changes on its side compared with the opposite side (the
paper's eq. 13):

    w_s = 1 / (1 + exp(-k ((c (z_opposite - z))^2 - (c (z_s - z))^2))),   k = 2

Weights and heights are found in turns. Orthographically c = n_z and a_right = -n_x; in perspective, z is the logarithm
of depth times the focal length, negated, and c = n . (ray towards the viewer) (the paper's section 3.2).

Two things differ from the paper. An edge between two pixels is broken for both if one of them gives it a low weight: so
parts are joined only where the surface is continuous as seen from both sides. And an equation across a broken edge
becomes a bound: the nearer surface turns away there, so the step is at least what its slope says, and a larger one
costs nothing. (Solving on a coarse image first was tried: it joins parts across narrow gaps for good.)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, Float32Array, Float64Array
from ..raster.multigrid import GridSystem, solve
from ..raster.ticks import Poll, Tick
from ..raster.vectors import TO_VIEWER, unit

_SHARPNESS = 2.0  # k
_STEEPEST = 0.1  # the least n_z: a slope above 10 cannot be told from a step
_BOUND = 0.05  # weight of a bound across a broken edge
_SLACK = 0.1  # how far beyond its bound a step is still weighted fully, in units of c dz
_BROKEN = 0.003  # the least weight of an equation across a broken edge, so that every part has a height
_LOOSE_PIN = 1e-9  # fixes the heights' mean if nothing else does


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in pixels: focal lengths and principal point (column, row from the top), pixel centres whole."""

    focal_x: float
    focal_y: float
    centre_x: float
    centre_y: float

    @property
    def focal(self) -> float:
        """The focal length that heights are multiples of: the mean of both."""
        return (self.focal_x + self.focal_y) / 2


@dataclass(frozen=True)
class _Equations:
    """The pixels' equations; all (H, W).

    inside: bool. facing: c. right, down: a of these two sides; on the opposite sides it is the negative. pin, target:
    how strongly a pixel is held to which height.
    """

    inside: BoolArray
    facing: Float64Array
    right: Float64Array
    down: Float64Array
    pin: Float64Array
    target: Float64Array


def steep(normals: Float64Array) -> Float64Array:
    """Return unit normals, float64 (H, W, 3), none steeper than can be told from a step."""
    n = normals.copy()
    n[..., 2] = np.maximum(n[..., 2], _STEEPEST)
    return unit(n)


def clean(normals: NDArray[np.floating[Any]], inside: BoolArray) -> Float64Array:
    """Return unit normals with z >= 0, float64 (H, W, 3).

    normals: (H, W, 3), of any length, may be non-finite. inside: bool (H, W). Normals without a direction, and all
    outside, become (0, 0, 1). Normals that face away from the viewer are turned into the picture's plane.
    """
    parts = np.moveaxis(np.asarray(normals, np.float64), -1, 0)
    usable = np.logical_and.reduce([inside, *np.isfinite(parts)])
    parts = [np.where(usable, part, 0.0) for part in parts]
    largest = np.maximum.reduce(np.abs(parts)) + 1e-30
    x, y, z = (part / largest for part in parts)
    return unit(np.stack([x, y, np.maximum(z, 0.0)], axis=-1), TO_VIEWER)


def integrate(
    normals: Float64Array,
    inside: BoolArray,
    tick: Tick,
    *,
    camera: Camera | None = None,
    pin: Float64Array | None = None,
    target: Float64Array | None = None,
    turns: int = 15,
    tolerance: float = 1e-4,
) -> Float64Array:
    """Find heights whose slopes are those of the normals, with steps where no slope fits.

    normals: float64 (H, W, 3), unit, x right, y up, z >= 0, as `clean` returns them. inside: bool (H, W). camera:
    without one the view is orthographic. pin, target: float64 (H, W), the weight and the height that each pixel is held
    to; a slope has the weight 1. Without them the mean height is 0. turns: how often weights and heights are found.
    tolerance: of each solution (see `raster.multigrid.solve`). Parts with little contact need 15 turns and 1e-4; if
    pins hold every part, 6 and 1e-3 look the same.

    Returns float64 (H, W), heights towards the viewer in pixels, 0 outside. With a camera they are
    -focal * log(depth), up to a constant.
    """
    zeros = np.zeros(inside.shape)
    pin = (zeros if pin is None else pin) + _LOOSE_PIN
    target = zeros if target is None else target
    parts = (*_sides(normals, camera), pin, target)
    equations = _Equations(inside, *(np.where(inside, part, 0.0) for part in parts))
    tick(0.0)
    z = equations.target
    weights = _even_weights(inside)
    for turn in range(turns):
        z = _heights(equations, weights, z, tolerance, lambda f, turn=turn: tick((turn + 0.9 * f) / turns))
        weights = _weights(equations, z, lambda turn=turn: tick((turn + 0.9) / turns))
    return z


def _sides(normals: Float64Array, camera: Camera | None) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return c, and a of the right and of the lower side, (H, W) each."""
    nx, ny, nz = np.moveaxis(normals, -1, 0)
    if camera is None:
        return nz, -nx, ny
    row, column = np.indices(nz.shape)
    towards_right = (column - camera.centre_x) / camera.focal_x
    upward = (camera.centre_y - row) / camera.focal_y
    facing = nz - nx * towards_right - ny * upward
    return np.maximum(facing, 0.0), -nx * camera.focal / camera.focal_x, ny * camera.focal / camera.focal_y


def _even_weights(inside: BoolArray) -> Float32Array:
    """Return one half for each side (right, left, down, up) with a neighbour inside, float32 (4, H, W)."""
    weights = np.zeros((4, *inside.shape), np.float32)
    across, along = inside[:, :-1] & inside[:, 1:], inside[:-1] & inside[1:]
    weights[0, :, :-1] = weights[1, :, 1:] = 0.5 * across
    weights[2, :-1] = weights[3, 1:] = 0.5 * along
    return weights


def _heights(
    equations: _Equations, weights: Float32Array, start: Float64Array, tolerance: float, tick: Tick
) -> Float64Array:
    """Solve for the heights, (H, W), with the sides' weights, (4, H, W)."""
    energy, moment = weights * equations.facing**2, weights * equations.facing
    tick(0.0)
    right, down = energy[0], energy[2]
    right[:, :-1] += energy[1, :, 1:]
    down[:-1] += energy[3, 1:]
    rise_right, rise_down = moment[0] * equations.right, moment[2] * equations.down
    rise_right[:, :-1] += (moment[1] * equations.right)[:, 1:]
    rise_down[:-1] += (moment[3] * equations.down)[1:]
    system = GridSystem(right, down, equations.pin)
    rhs = system.divergence(rise_right, rise_down) + equations.pin * equations.target
    tick(0.0)
    return solve(system, rhs, start, tolerance, tick)


def _weights(equations: _Equations, z: Float64Array, poll: Poll) -> Float32Array:
    """Return the weight of each pixel's four equations for given heights, float32 (4, H, W)."""
    weights = np.zeros((4, *z.shape), np.float32)
    inside = equations.inside
    facing = equations.facing.astype(np.float32)
    across, along = inside[:, 1:] & inside[:, :-1], inside[1:] & inside[:-1]
    weights[0], weights[1] = _weights_along(facing, equations.right, z[:, 1:] - z[:, :-1], across, axis=1)
    poll()
    weights[2], weights[3] = _weights_along(facing, equations.down, z[1:] - z[:-1], along, axis=0)
    poll()
    return weights


def _weights_along(
    facing: Float32Array, wanted: Float64Array, rise: Float64Array, linked: BoolArray, *, axis: int
) -> tuple[Float32Array, Float32Array]:
    """Return the weights of the equations along one axis, forward and backward, (H, W) each.

    facing: c, and wanted: a of the forward side, (H, W). rise: z_next - z of every pair of neighbours along the axis.
    linked: whether both of a pair are inside.
    """
    edges = (slice(0, -1), slice(None)) if axis == 0 else (slice(None), slice(0, -1))  # the pairs' first pixels
    slope = wanted.astype(np.float32)
    size, sense = np.abs(slope), np.sign(slope)
    change = np.zeros((2, *facing.shape), np.float32)  # c (z_next - z) and c (z - z_previous)
    there = np.zeros((2, *facing.shape), np.bool_)
    change[0][edges] = np.where(linked, rise, 0.0)
    there[0][edges] = linked
    change[1], there[1] = np.roll(change[0], 1, axis), np.roll(there[0], 1, axis)
    change *= facing
    square = np.where(there, np.square(change), np.float32(1.0))  # beyond the outline, as if there were a small step
    forward = 1.0 / (1.0 + np.exp(np.clip(_SHARPNESS * (square[0] - square[1]), -50.0, 50.0)))
    weights = np.stack([forward, 1.0 - forward]) * there
    beyond = np.maximum(change * sense - size, 0.0)
    bound = np.maximum(_BOUND / (1.0 + np.square(beyond / _SLACK)), _BROKEN)
    # 1 if both ends of the edge to the next pixel give it a weight of at least one half, near 0 if it is broken.
    whole = np.square(np.minimum(2.0 * np.minimum(weights[0], np.roll(weights[1], -1, axis)), 1.0))
    both = np.stack([whole, np.roll(whole, 1, axis)])
    weights *= both + (1.0 - both) * bound
    return weights[0], weights[1]
