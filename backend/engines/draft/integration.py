# SPDX-License-Identifier: GPL-3.0-or-later
"""From normals to heights, with the steps kept: bilateral normal integration.

After X. Cao, H. Santo, B. Shi, F. Okura, Y. Matsushita, "Bilateral Normal Integration", ECCV 2022. The surface is taken
to be continuous on at least one side of each pixel. Every pixel so makes four statements about its neighbours, one for
each side s in {right, left, down, up}:

    c (z_s - z) = a_s        c: how much the pixel faces the viewer;  a_s: the slope times c, from its normal

and trusts a side the more, the less the height changes there compared with the opposite side (the paper's eq. 13):

    w_s = 1 / (1 + exp(-k ((c (z_opposite - z))^2 - (c (z_s - z))^2))),   k = 2

Weights and heights are found in turns. Orthographically c = n_z and a_right = -n_x; in perspective, z is the logarithm
of depth times the focal length, negated, and c = n . (ray towards the viewer) (the paper's section 3.2).

Two things differ from the paper. An edge that one of its two pixels distrusts is broken for both: only what is
continuous as seen from either side holds parts together, which places parts that touch nearly exactly. A statement
across a broken edge is a bound: the nearer surface turns away there, so that the step is at least what its slope says,
and a larger one costs nothing. (Turns on a coarse image first were tried: they bridge narrow gaps, for good.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import BoolArray, Float64Array
from ...raster.multigrid import GridSystem, Progress, solve
from ...raster.vectors import TO_VIEWER, unit

Trust = NDArray[np.float32]

_SHARPNESS = 2.0  # k
_BOUND = 0.05  # weight of a bound across a broken edge
_SLACK = 0.1  # how far beyond its bound a step costs little, in units of c dz
_BROKEN = 0.003  # what remains of the equality across a broken edge, so that no part floats freely
_LOOSE_PIN = 1e-9  # keeps the solution's mean where nothing else does


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in pixels: focal lengths and principal point (column, row from the top), pixel centres whole."""

    focal_x: float
    focal_y: float
    centre_x: float
    centre_y: float

    @property
    def focal(self) -> float:
        """The focal length that heights are scaled by."""
        return (self.focal_x + self.focal_y) / 2


@dataclass(frozen=True)
class _Statements:
    """What the pixels say.

    inside: bool (H, W). facing: c, (H, W). right, down: a of these two sides, (H, W), of the other two its negative.
    pin, target: (H, W), how strongly and to which height a pixel is held.
    """

    inside: BoolArray
    facing: Float64Array
    right: Float64Array
    down: Float64Array
    pin: Float64Array
    target: Float64Array


def clean(normals: NDArray[np.floating[Any]], inside: BoolArray) -> Float64Array:
    """Make unit normals that face the viewer out of anything.

    normals: (H, W, 3) of any length, may hold NaN and infinity. inside: bool (H, W). Returns float64 (H, W, 3), unit
    length, z >= 0. What has no direction, and everything outside, becomes (0, 0, 1); what looks away from the viewer is
    turned to the nearest direction that is just visible.
    """
    n = np.asarray(normals, np.float64)
    usable = inside & np.isfinite(n).all(axis=-1)
    n = np.where(usable[..., None], n, 0.0)
    n /= np.abs(n).max(axis=-1, keepdims=True) + 1e-30
    n[..., 2] = np.maximum(n[..., 2], 0.0)
    return unit(n, TO_VIEWER)


def integrate(
    normals: Float64Array,
    inside: BoolArray,
    progress: Progress,
    *,
    camera: Camera | None = None,
    pin: Float64Array | None = None,
    target: Float64Array | None = None,
    turns: int = 15,
    tolerance: float = 1e-4,
) -> Float64Array:
    """Find the heights whose slopes are the normals', with steps where no slope fits.

    normals: float64 (H, W, 3), unit, x right, y up, z >= 0, as `clean` gives them. inside: bool (H, W).
    Without a camera the view is orthographic. pin, target: float64 (H, W), hold each pixel to a height, with a weight
    to be compared with that of a slope, which is 1; without them the mean height is 0. turns: how often heights and
    weights are found in turns; tolerance: of each solution (see `raster.multigrid.solve`). 15 and 1e-4 settle parts
    that hang together by little; where pins hold everything in its place, 6 and 1e-3 look the same.

    Returns float64 (H, W), heights towards the viewer in pixels, 0 outside; with a camera, -focal * log(depth) up to
    a constant: depth is then exp(-height / focal), up to a factor.
    """
    nothing = np.zeros(inside.shape)
    held = (nothing if pin is None else pin) + _LOOSE_PIN
    wanted = nothing if target is None else target
    facing, right, down = _statements(normals, camera)
    parts = (np.where(inside, part, 0.0) for part in (facing, right, down, held, wanted))
    said = _Statements(inside, *parts)
    progress(0.0)
    z = said.target
    trust = _even_trust(inside)
    for turn in range(turns):
        z = _heights(said, trust, z, tolerance, lambda f, turn=turn: progress((turn + 0.9 * f) / turns))
        trust = _trust(said, z, lambda turn=turn: progress((turn + 0.9) / turns))
    return z


def _statements(normals: Float64Array, camera: Camera | None) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return c and a of the right and the lower side, each (H, W)."""
    nx, ny, nz = np.moveaxis(normals, -1, 0)
    if camera is None:
        return nz, -nx, ny
    row, column = np.indices(nz.shape)
    towards_right = (column - camera.centre_x) / camera.focal_x
    upward = (camera.centre_y - row) / camera.focal_y
    facing = nz - nx * towards_right - ny * upward
    return np.maximum(facing, 0.0), -nx * camera.focal / camera.focal_x, ny * camera.focal / camera.focal_y


def _even_trust(inside: BoolArray) -> Trust:
    """One half for every side on which there is a neighbour inside; (4, H, W)."""
    trust = np.zeros((4, *inside.shape), np.float32)
    across, along = inside[:, :-1] & inside[:, 1:], inside[:-1] & inside[1:]
    trust[0, :, :-1] = trust[1, :, 1:] = 0.5 * across
    trust[2, :-1] = trust[3, 1:] = 0.5 * along
    return trust


def _heights(
    said: _Statements, trust: Trust, start: Float64Array, tolerance: float, progress: Progress
) -> Float64Array:
    """Solve for the heights, given each side's trust (4, H, W)."""
    energy, moment = trust * said.facing**2, trust * said.facing
    progress(0.0)
    right, down = energy[0], energy[2]
    right[:, :-1] += energy[1, :, 1:]
    down[:-1] += energy[3, 1:]
    rise_right, rise_down = moment[0] * said.right, moment[2] * said.down
    rise_right[:, :-1] += (moment[1] * said.right)[:, 1:]
    rise_down[:-1] += (moment[3] * said.down)[1:]
    system = GridSystem(right, down, said.pin)
    rhs = system.divergence(rise_right, rise_down) + said.pin * said.target
    progress(0.0)
    return solve(system, rhs, start, tolerance, progress)


def _trust(said: _Statements, z: Float64Array, tick: Callable[[], None]) -> Trust:
    """Weigh every pixel's statements about its four neighbours by what the heights show; (4, H, W)."""
    trust = np.zeros((4, *z.shape), np.float32)
    inside = said.inside
    facing = said.facing.astype(np.float32)
    across, along = inside[:, 1:] & inside[:, :-1], inside[1:] & inside[:-1]
    trust[0], trust[1] = _trust_along(facing, said.right, z[:, 1:] - z[:, :-1], across, axis=1)
    tick()
    trust[2], trust[3] = _trust_along(facing, said.down, z[1:] - z[:-1], along, axis=0)
    tick()
    return trust


def _trust_along(
    facing: Trust, wanted: Float64Array, rise: Float64Array, linked: BoolArray, *, axis: int
) -> tuple[Trust, Trust]:
    """Weigh the statements along one axis, forward and backward, (H, W) each.

    rise: z_next - z for every pair of neighbours along the axis; linked: whether both are inside.
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
    square = np.where(there, np.square(change), np.float32(1.0))  # past the outline: a step of moderate height
    forward = 1.0 / (1.0 + np.exp(np.clip(_SHARPNESS * (square[0] - square[1]), -50.0, 50.0)))
    trust = np.stack([forward, 1.0 - forward]) * there
    beyond = np.maximum(change * sense - size, 0.0)
    bound = np.maximum(_BOUND / (1.0 + np.square(beyond / _SLACK)), _BROKEN)
    # How unbroken the edge to the next pixel is, as seen from both of its ends.
    whole = np.square(np.minimum(2.0 * np.minimum(trust[0], np.roll(trust[1], -1, axis)), 1.0))
    both = np.stack([whole, np.roll(whole, 1, axis)])
    trust *= both + (1.0 - both) * bound
    return trust[0], trust[1]
