# SPDX-License-Identifier: GPL-3.0-or-later
"""The body's two sheets, as surfaces over the lattice.

Let h be the inflated silhouette, scaled to the relief that the normals show, and z what the normals integrate to. A
small bias of the normals would add up to a body that leans, so z is pulled towards h in its low frequencies, by a
smooth image that is added to it: no step is torn open or closed by that. The difference r = z - h is what the picture
knows beyond its outline. Where the outline itself lies in depth is read from r beside it: the membrane m is a smooth
image that is close to r there and harmonic further in. Then

    front = m + h + b (r - m)        back = m - thickness * H (h / H)^profile,   H = max h

with b rising from 0 on the rim to 1 a few pixels inside. On the rim both sheets are m and, as h rises like a square
root, both leave it upright: the body is round there, with a continuous tangent, whatever the normals say.

So that a square root is followed by small triangles of like size, the lattice's points slide towards the rim
within a narrow band: from the distance d to d^2 / D, which makes h linear in the band's points.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...arrays import BoolArray, Float64Array
from ...raster import poisson
from ...raster.blur import box_mean
from ...raster.multigrid import GridSystem, Progress, solve
from ...raster.vectors import unit
from . import integration

_BEND = 0.75  # of u across the rim: Δu = -1 leaves 1 beside a straight rim, 1/2 in a disc
_BAND = 12 / 512  # D, of the cut-out's side
_MARGIN = 6 / 512  # of the cut-out's side: where b has risen to 1
_RIM_HOLD = 0.05  # of the membrane to r beside the rim, compared with its own stiffness
_SAMPLES = 40_000  # pixels that the relief is read from
_STEEPEST = 0.1  # n_z: a steeper slope than 10 is not told from a step
_HOLD = 0.8  # of z's low frequencies to h, over the greatest u: beyond about half the body's radius, h wins
_LOOSE = 0.02  # the same while integrating, for parts that nothing else holds
_CLIFF = 8 / 512  # of the cut-out's side: a step between neighbours from which its edge is trimmed
_WALL = 0.2  # of the inflated silhouette: the least distance between the sheets


@dataclass(frozen=True)
class Body:
    """A body's sheets over a lattice of (H, W) points; all float64 (H, W), in pixels.

    column, row: where each point lies in the picture, in pixel coordinates (a pixel's centre is whole), and silhouette:
    the inflated silhouette there, which `relief` scales to the depth that the normals show; unmoved: the same before
    the points slid towards the rim, which those nearer than `band` did. rim: the membrane's height. detail: the front's
    height above both.
    """

    inside: BoolArray
    column: Float64Array
    row: Float64Array
    silhouette: Float64Array
    unmoved: Float64Array
    rim: Float64Array
    detail: Float64Array
    relief: float
    band: float

    def eased(self, points: NDArray[np.int64]) -> "Body":
        """The same body, its points back where the pixels are around some of them, given as flat indices (N,).

        The way back fades out over the band's width, as a sharp end would fold the lattice itself.
        """
        near = np.zeros(self.inside.shape)
        near.ravel()[points] = 1.0
        reach = int(np.ceil(self.band))
        around = (box_mean(near, 2 * reach, beyond="zero") > 1e-9).astype(np.float64)
        share = np.clip(box_mean(around, reach, beyond="zero"), 0.0, 1.0)
        row, column = np.indices(self.inside.shape)
        square = self.silhouette**2 + share * (self.unmoved**2 - self.silhouette**2)
        return replace(
            self,
            column=self.column + share * (column - self.column),
            row=self.row + share * (row - self.row),
            silhouette=np.sqrt(np.maximum(square, 0.0)),
        )

    @property
    def front(self) -> Float64Array:
        """The front's height above the membrane, (H, W), 0 outside."""
        return self.relief * self.silhouette + self.detail

    def back(self, thickness: float, profile: float) -> Float64Array:
        """The back's height above the membrane, (H, W), negative, always behind the front."""
        top = float(self.unmoved.max())
        behind = -thickness * self.relief * top * (self.silhouette / top) ** profile
        return np.minimum(behind, self.front - _WALL * self.silhouette)

    def surface(self, height: Float64Array) -> Float64Array:
        """Where a sheet's points lie, given their height above the membrane: (column, row, height), (3, H, W)."""
        return np.stack([self.column, self.row, height + self.rim])


def shape(normals: Float64Array, alpha: Float64Array, side: int, progress: Progress) -> Body:
    """Find the sheets of the body that shows these normals.

    normals: (H, W, 3), of any length, may hold NaN. alpha: float64 (H, W), inside where above 0.5, which is somewhere.
    side: the cut-out's side in pixels, which what counts as narrow goes by.
    """
    inside = alpha > 0.5
    u = poisson.potential(alpha, lambda f: progress(0.2 * f))
    slope = poisson.gradient(u, alpha)
    progress(0.2)
    n = integration.clean(normals, inside)
    progress(0.2)
    depth = relief(n, u, slope, inside)
    h = depth * np.sqrt(u)
    n[..., 2] = np.maximum(n[..., 2], _STEEPEST)
    n = unit(n)
    progress(0.2)
    pin = np.full(alpha.shape, _LOOSE / float(u.max()))
    z = integration.integrate(n, inside, lambda f: progress(0.2 + 0.55 * f), pin=pin, target=h, turns=6, tolerance=1e-3)
    z = _trim_cliffs(z, inside, _CLIFF * side)
    z += _smooth(h - z, np.where(inside, _HOLD / float(u.max()), 0.0), inside, lambda f: progress(0.75 + 0.1 * f))
    distance, at_rim = _distance(u, slope)
    margin = np.minimum(max(_MARGIN * side, 3.0), np.maximum(at_rim, 1.0))
    beyond = z - h
    # The outermost pixels are left out: no integration catches all of a rim's steepness.
    beside = inside & (distance < margin) & (distance > 0.25 * margin)
    m = _smooth(beyond, _RIM_HOLD * beside, inside, lambda f: progress(0.85 + 0.15 * f))
    rise = np.clip(distance / margin, 0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise) * np.clip((at_rim - 2.0) / 4.0, 0.0, 1.0)  # thin parts stay round
    column, row, ratio = _slide(distance, at_rim, u, slope, _BAND * side)
    detail = np.where(inside, rise * (beyond - m), 0.0)
    return Body(inside, column, row, np.sqrt(u * ratio), np.sqrt(u), m, detail, depth, _BAND * side)


def relief(
    normals: Float64Array, u: Float64Array, slope: tuple[Float64Array, Float64Array], inside: BoolArray
) -> float:
    """How much deeper than the inflated silhouette sqrt(u) the normals say that the object is.

    The factor s that turns the inflated normals nearest to the given ones, within the planes that the inflated slope
    and the viewing axis span: it minimises the sum of sin^2 of the angles between (s |grad h|, 1) and (-n . t, n_z),
    t being the slope's direction. Among factors within [1/4, 2.5]; 1 where the mask has no slope.
    """
    some = np.flatnonzero(inside)
    some = some[:: 1 + len(some) // _SAMPLES]
    slope_x, slope_y = (part.ravel()[some] for part in slope)
    length = np.hypot(slope_x, slope_y)
    sloping = length > 1e-9
    if not sloping.any():
        return 1.0
    nx, ny, nz = normals.reshape(-1, 3)[some][sloping].T
    slope_x, slope_y, length = slope_x[sloping], slope_y[sloping], length[sloping]
    steepness = length / (2.0 * np.sqrt(u.ravel()[some][sloping]))
    tilt = -(nx * slope_x + ny * slope_y) / length
    factors = 4.0 ** (np.arange(-32, 22) / 32)
    misfit = [float(((s * steepness * nz - tilt) ** 2 / (1.0 + (s * steepness) ** 2)).sum()) for s in factors]
    return float(factors[int(np.argmin(misfit))])


def _trim_cliffs(z: Float64Array, inside: BoolArray, least: float) -> Float64Array:
    """Straighten the edges of steps; (H, W).

    Where a surface turns away from the viewer, rows and columns disagree by a few pixels on where it ends, which leaves
    a comb of spikes. Beside steps of at least `least`, pixels take the median of their neighbourhood, a few times.
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
    """The distance d to the rim and the slope g of u there, from u = g d - k d^2 / 2 and its derivative; (H, W)."""
    here = np.hypot(*slope)
    distance = (np.sqrt(here**2 + 2.0 * _BEND * u) - here) / _BEND
    return distance, here + _BEND * distance


def _slide(
    distance: Float64Array, at_rim: Float64Array, u: Float64Array, slope: tuple[Float64Array, Float64Array], band: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Move the points near the rim closer to it: (column, row, u there / u), each (H, W).

    g is also the half width of a narrow strip: the band ends there, so that nothing moves across its middle.
    """
    row, column = (part.astype(np.float64) for part in np.indices(u.shape))
    band_here = np.maximum(np.minimum(band, at_rim), 1e-6)
    moving = (distance < band_here) & (u > 0)
    nearer = np.where(moving, distance**2 / band_here, distance)
    length = np.hypot(*slope)
    way = np.divide(distance - nearer, length, out=np.zeros_like(u), where=moving & (length > 1e-9))
    there = at_rim * nearer - _BEND * nearer**2 / 2
    ratio = np.divide(there, u, out=np.ones_like(u), where=moving & (way > 0))
    return column - way * slope[0], row + way * slope[1], np.clip(ratio, 0.0, 1.0)


def _smooth(image: Float64Array, hold: Float64Array, inside: BoolArray, progress: Progress) -> Float64Array:
    """The smooth image m that is held to another: least sum of |grad m|^2 + hold (m - image)^2; (H, W)."""
    right, down = np.zeros(inside.shape), np.zeros(inside.shape)
    right[:, :-1] = inside[:, :-1] & inside[:, 1:]
    down[:-1] = inside[:-1] & inside[1:]
    system = GridSystem(right, down, hold)
    return solve(system, hold * image, np.where(inside, image, 0.0), 1e-3, progress)
