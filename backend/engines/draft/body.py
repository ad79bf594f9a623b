# SPDX-License-Identifier: GPL-3.0-or-later
"""The body as two height fields over the lattice: its front and its back.

Let h be the inflated silhouette, scaled to the relief of the normals, and z the height that the normals integrate to. A
small bias of the normals would add up to a body that leans. So a smooth image is added to z that pulls its low
frequencies towards h; being smooth, it neither opens nor closes a step. The difference r = z - h is what the normals
show beyond the outline. The depth of the outline itself is read from r beside it: the membrane m is a smooth image,
close to r there and harmonic further inside. Then

    front = m + h + b (r - m)        back = m - thickness * H (h / H)^profile,   H = max h

with b rising from 0 on the rim to 1 a few pixels inside. On the rim both are m. As h rises like a square root there,
both leave the rim at a right angle to the picture: the body is round there, with a continuous tangent, for any normals.

To follow a square root with triangles of similar size, the lattice's points slide towards the rim within a narrow band,
from the distance d to d^2 / D, which makes h linear in the band's points.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from ...raster import poisson
from ...raster.blur import box_mean
from ...raster.multigrid import GridSystem, solve
from ...raster.ticks import Tick
from ...raster.vectors import unit
from . import integration

_BEND = 0.75  # -d²u/dd² at the rim, from Δu = -1: it is 1 beside a straight rim and 1/2 in a disc
_BAND = 12 / 512  # D, in sides of the cut-out
_RISE = 6 / 512  # in sides of the cut-out: the distance from the rim at which b is 1
_MEMBRANE_HOLD = 0.05  # of the membrane to r beside the rim; its own stiffness is 1
_SAMPLES = 40_000  # pixels that the relief is estimated from
_STEEPEST = 0.1  # the least n_z: a slope above 10 cannot be told from a step
_HOLD = 0.8  # of z's low frequencies to h, over the greatest u: wavelengths above half the body's radius follow h
_LOOSE_HOLD = 0.02  # the same during integration, for parts that nothing else holds
_STEP = 8 / 512  # in sides of the cut-out: the least step between neighbours whose edge is straightened
_LEAST_GAP = 0.2  # in heights of the inflated silhouette: the least distance between front and back


@dataclass(frozen=True)
class Body:
    """A body over a lattice of (H, W) points. Images are float64 (H, W), in pixels, if not said otherwise.

    inside: bool (H, W). column, row: the point's position in the picture; pixel centres are whole numbers. Points
    nearer to the rim than `band` have slid towards it. inflated: the inflated silhouette at that position; unmoved: the
    same at the pixel's own centre. relief: what both are scaled by to match the normals. membrane: its height. detail:
    the front's height above membrane and inflated silhouette.
    """

    inside: BoolArray
    column: Float64Array
    row: Float64Array
    inflated: Float64Array
    unmoved: Float64Array
    membrane: Float64Array
    detail: Float64Array
    relief: float
    band: float

    def moved_back(self, points: Int64Array) -> "Body":
        """Return the body with the points around some, flat indices int64 (N,), back at their pixels' centres.

        The effect fades out over the band's width, as a sharp end would itself fold the lattice.
        """
        near = np.zeros(self.inside.shape)
        near.ravel()[points] = 1.0
        reach = int(np.ceil(self.band))
        around = (box_mean(near, 2 * reach, beyond="zero") > 1e-9).astype(np.float64)
        share = np.clip(box_mean(around, reach, beyond="zero"), 0.0, 1.0)
        row, column = np.indices(self.inside.shape)
        square = self.inflated**2 + share * (self.unmoved**2 - self.inflated**2)
        return replace(
            self,
            column=self.column + share * (column - self.column),
            row=self.row + share * (row - self.row),
            inflated=np.sqrt(np.maximum(square, 0.0)),
        )

    @property
    def front(self) -> Float64Array:
        """The front's height above the membrane, float64 (H, W), 0 outside."""
        return self.relief * self.inflated + self.detail

    def back(self, thickness: float, profile: float) -> Float64Array:
        """Return the back's height above the membrane, float64 (H, W), negative and always behind the front."""
        top = float(self.unmoved.max())
        behind = -thickness * self.relief * top * (self.inflated / top) ** profile
        return np.minimum(behind, self.front - _LEAST_GAP * self.inflated)

    def surface(self, height: Float64Array) -> Float64Array:
        """Return column, row and height, float64 (3, H, W), of points at a height above the membrane, (H, W)."""
        return np.stack([self.column, self.row, height + self.membrane])


def make_body(normals: Float64Array, alpha: Float64Array, side: int, tick: Tick) -> Body:
    """Make the body that shows these normals.

    normals: float64 (H, W, 3), of any length, may be non-finite. alpha: float64 (H, W), above 0.5 inside; at least one
    pixel is. side: the cut-out's side in pixels, the unit of widths and distances.
    """
    inside = alpha > 0.5
    u = poisson.potential(alpha, lambda f: tick(0.2 * f))
    slope = poisson.gradient(u, alpha)
    tick(0.2)
    n = integration.clean(normals, inside)
    tick(0.2)
    depth = relief(n, u, slope, inside)
    h = depth * np.sqrt(u)
    n[..., 2] = np.maximum(n[..., 2], _STEEPEST)
    n = unit(n)
    tick(0.2)
    pin = np.full(alpha.shape, _LOOSE_HOLD / float(u.max()))
    z = integration.integrate(n, inside, lambda f: tick(0.2 + 0.55 * f), pin=pin, target=h, turns=6, tolerance=1e-3)
    z = _straighten_steps(z, inside, _STEP * side)
    z += _smooth(h - z, np.where(inside, _HOLD / float(u.max()), 0.0), inside, lambda f: tick(0.75 + 0.1 * f))
    distance, slope_at_rim = _distance(u, slope)
    # The slope of u at the rim is also half the width of a narrow strip.
    margin = np.minimum(max(_RISE * side, 3.0), np.maximum(slope_at_rim, 1.0))
    r = z - h
    # Without the outermost pixels, in which no integration finds all of the rim's steepness.
    beside = inside & (distance < margin) & (distance > 0.25 * margin)
    m = _smooth(r, _MEMBRANE_HOLD * beside, inside, lambda f: tick(0.85 + 0.15 * f))
    rise = np.clip(distance / margin, 0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise) * np.clip((slope_at_rim - 2.0) / 4.0, 0.0, 1.0)  # thin parts stay round
    column, row, ratio = _slide(distance, slope_at_rim, u, slope, _BAND * side)
    detail = np.where(inside, rise * (r - m), 0.0)
    return Body(inside, column, row, np.sqrt(u * ratio), np.sqrt(u), m, detail, depth, _BAND * side)


def relief(
    normals: Float64Array, u: Float64Array, slope: tuple[Float64Array, Float64Array], inside: BoolArray
) -> float:
    """Return the factor s by which the object is deeper than the inflated silhouette h = sqrt(u), by its normals.

    normals: float64 (H, W, 3), unit. u, slope: from `raster.poisson`, (H, W) each. In the plane of the viewing axis and
    the slope's direction t, the angle between (s |grad h|, 1) and (-n . t, n_z) shows how far the scaled silhouette is
    from the normals. s minimises the sum of the angles' sin^2, among factors from 1/4 to 2.5; it is 1 if the mask has
    no slope.
    """
    samples = np.flatnonzero(inside)
    samples = samples[:: 1 + len(samples) // _SAMPLES]
    slope_x, slope_y = (part.ravel()[samples] for part in slope)
    length = np.hypot(slope_x, slope_y)
    sloping = length > 1e-9
    if not sloping.any():
        return 1.0
    nx, ny, nz = normals.reshape(-1, 3)[samples][sloping].T
    slope_x, slope_y, length = slope_x[sloping], slope_y[sloping], length[sloping]
    steepness = length / (2.0 * np.sqrt(u.ravel()[samples][sloping]))
    tilt = -(nx * slope_x + ny * slope_y) / length
    factors = 4.0 ** (np.arange(-32, 22) / 32)
    misfit = [float(((s * steepness * nz - tilt) ** 2 / (1.0 + (s * steepness) ** 2)).sum()) for s in factors]
    return float(factors[int(np.argmin(misfit))])


def _straighten_steps(z: Float64Array, inside: BoolArray, least: float) -> Float64Array:
    """Straighten the edges of steps in heights, (H, W).

    At the edge of a surface that turns away from the viewer, the rows' and columns' equations disagree by a few pixels,
    which leaves a row of spikes. So pixels beside steps of more than `least` take the median of their neighbourhood,
    four times.
    """
    width = z.shape[1]
    reach = 2
    row, column = np.divmod(np.arange((2 * reach + 1) ** 2), 2 * reach + 1)
    offsets = (row - reach) * width + column - reach
    for _ in range(4):
        beside = np.zeros(z.shape, np.bool_)
        steep = (np.abs(z[:, 1:] - z[:, :-1]) > least) & inside[:, 1:] & inside[:, :-1]
        beside[:, 1:] |= steep
        beside[:, :-1] |= steep
        steep = (np.abs(z[1:] - z[:-1]) > least) & inside[1:] & inside[:-1]
        beside[1:] |= steep
        beside[:-1] |= steep
        beside[:reach], beside[-reach:], beside[:, :reach], beside[:, -reach:] = False, False, False, False
        place = np.flatnonzero(beside)
        if not len(place):
            return z
        around = place[:, None] + offsets
        values = np.where(inside.ravel()[around], z.ravel()[around], np.nan)
        z = z.copy()
        z.ravel()[place] = np.nanmedian(values, axis=1)
    return z


def _distance(u: Float64Array, slope: tuple[Float64Array, Float64Array]) -> tuple[Float64Array, Float64Array]:
    """Return the distance d to the rim and the slope g of u at the rim, from u = g d - k d^2 / 2; (H, W) each.

    k is `_BEND`; the second equation is the derivative, u' = g - k d.
    """
    here = np.hypot(*slope)
    distance = (np.sqrt(here**2 + 2.0 * _BEND * u) - here) / _BEND
    return distance, here + _BEND * distance


def _slide(
    distance: Float64Array,
    slope_at_rim: Float64Array,
    u: Float64Array,
    slope: tuple[Float64Array, Float64Array],
    band: float,
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Move the points near the rim closer to it. Returns their columns, rows, and u there over u; (H, W) each.

    The band ends at the slope at the rim, which is half the width of a narrow strip: no point crosses its middle.
    """
    row, column = (part.astype(np.float64) for part in np.indices(u.shape))
    band_here = np.maximum(np.minimum(band, slope_at_rim), 1e-6)
    moving = (distance < band_here) & (u > 0)
    nearer = np.where(moving, distance**2 / band_here, distance)
    length = np.hypot(*slope)
    way = np.divide(distance - nearer, length, out=np.zeros_like(u), where=moving & (length > 1e-9))
    u_there = slope_at_rim * nearer - _BEND * nearer**2 / 2
    ratio = np.divide(u_there, u, out=np.ones_like(u), where=moving & (way > 0))
    return column - way * slope[0], row + way * slope[1], np.clip(ratio, 0.0, 1.0)


def _smooth(image: Float64Array, hold: Float64Array, inside: BoolArray, tick: Tick) -> Float64Array:
    """Return the image m, (H, W), that minimises the sum of |grad m|^2 + hold (m - image)^2 inside the mask."""
    right, down = np.zeros(inside.shape), np.zeros(inside.shape)
    right[:, :-1] = inside[:, :-1] & inside[:, 1:]
    down[:-1] = inside[:-1] & inside[1:]
    system = GridSystem(right, down, hold)
    return solve(system, hold * image, np.where(inside, image, 0.0), 1e-3, tick)
