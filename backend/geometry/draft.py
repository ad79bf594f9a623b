# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine's geometry: a normal map becomes one closed surface.

The front sheet is the height that the normals integrate to, kept near the inflated silhouette in its low frequencies
(a small bias of the normals adds up to a body that leans). The back sheet, of which the picture tells nothing, is the
inflated silhouette again, with a thickness and a profile that are drawn from the seed. Both are heights over the same
lattice and share the vertices of the rim, so that they close each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..raster import poisson
from ..raster.multigrid import Array, Progress
from ..stage_types import Mesh, NormalMap, Report
from . import integration, lattice

_STEPS = 40
_GAP = 0.05  # of the inflated height: the least that the front rises, so that it never meets the back


@dataclass(frozen=True)
class Back:
    """What the picture does not tell.

    thickness: the back's depth in units of the front's inflated depth. profile: the exponent of its height; below 1
    it is a box with rounded edges, above 1 it comes to a ridge. Below 2 it always leaves the rim upright.
    """

    thickness: float = 1.0
    profile: float = 1.0

    @classmethod
    def from_seed(cls, seed: int) -> "Back":
        """Draw a plausible back; seed 0 is the neutral one."""
        if seed == 0:
            return cls()
        random = np.random.default_rng(seed)
        return cls(thickness=float(np.exp(random.uniform(-0.6, 0.6))), profile=float(random.uniform(0.7, 1.4)))


def build(normal_map: NormalMap, seed: int, report: Report) -> Mesh:
    """Build the body that shows these normals.

    normal_map: its normals may be anybody's, also noisy, contradictory, of any length or NaN. seed: 0 is neutral; it
    changes the back and never the front. Returns a closed, outward mesh in the cut-out's frame, x and z in [-0.5,
    0.5], its uv the same plus one half. Raises UserError "empty-cutout" where nothing is covered by more than one half.
    """
    alpha = np.pad(np.asarray(normal_map.alpha, np.float64), 1)
    if not (alpha > 0.5).any():
        raise UserError(
            "empty-cutout",
            "There is nothing left in the picture once its background is removed.",
            "Cut the object out so that it is opaque and the background transparent.",
        )
    normals = np.pad(normal_map.normals, ((1, 1), (1, 1), (0, 0)))
    front, inflated = _front(normals, alpha, report)
    report(_STEPS - 2, _STEPS)
    back = Back.from_seed(seed)
    top = float(inflated.max())
    behind = back.thickness * top * (inflated / top) ** back.profile
    mesh = _close(front, -behind, alpha, lambda: report(_STEPS - 1, _STEPS))
    report(_STEPS, _STEPS)
    return mesh


def _front(normals: NDArray[np.floating[Any]], alpha: Array, report: Report) -> tuple[Array, Array]:
    """Return the front's height and the inflated one, scaled to the normals; float64 (H, W), in pixels, 0 outside."""
    inside = alpha > 0.5
    u = poisson.potential(alpha, _share(report, 0, _STEPS // 3))
    inflated = np.sqrt(u)
    n = integration.clean(normals, inside)
    inflated *= _relief(n, u, poisson.gradient(u, alpha), inside)
    pin = np.full(alpha.shape, 1.0 / (2.0 * float(np.sqrt(u.max()))) ** 2)
    height = integration.integrate(n, inside, pin, inflated, _share(report, _STEPS // 3, _STEPS - 2))
    return np.maximum(height, _GAP * inflated), inflated


def _relief(normals: Array, u: Array, slope: tuple[Array, Array], inside: NDArray[np.bool_]) -> float:
    """How much deeper than the inflated silhouette the normals say that the object is.

    The least-squares factor between the two slopes, each equation n_z dz = -n_x weighted by the inflated normal's z,
    which is small where the inflated slope goes to infinity. Within [1/4, 2]; 1 where the mask has no slope.
    """
    slope_x, slope_y = (part[inside] / (2.0 * np.sqrt(u[inside])) for part in slope)
    nx, ny, nz = normals[inside].T
    weight = 1.0 / (1.0 + slope_x**2 + slope_y**2)
    expected = float((weight * nz**2 * (slope_x**2 + slope_y**2)).sum())
    found = float((weight * -nz * (nx * slope_x + ny * slope_y)).sum())
    return min(2.0, max(0.25, found / expected)) if expected > 1e-9 else 1.0


def _close(front: Array, behind: Array, alpha: Array, tick: Callable[[], None]) -> Mesh:
    """Join two heights over the mask into one surface; all (H, W), padded by one pixel around the cut-out."""
    height, width = alpha.shape
    cells = lattice.triangulate(height, width)
    tick()
    sheet = lattice.cut(cells, alpha)
    tick()
    t = sheet.rim_fraction
    row, column = np.divmod(np.arange(alpha.size), width)
    across = [np.stack([column, row], axis=1)[points] for points in (sheet.rim_inside, sheet.rim_outside)]
    rim = (1.0 - t)[:, None] * across[0] + t[:, None] * across[1]
    plane = np.stack([column, row], axis=1)[sheet.points]
    depth = np.concatenate([-front.ravel()[sheet.points], np.zeros(len(rim)), -behind.ravel()[sheet.points]])
    place = np.concatenate([plane, rim, plane]) - 0.5  # pixel centres, counted from the cut-out's corner
    size = height - 2
    uv = np.stack([place[:, 0] / size, 1.0 - place[:, 1] / size], axis=1)
    vertices = np.stack([uv[:, 0] - 0.5, depth / size, uv[:, 1] - 0.5], axis=1)
    count = len(sheet.points)
    hind = np.where(sheet.triangles < count, sheet.triangles + count + len(rim), sheet.triangles)[:, ::-1]
    triangles = np.concatenate([sheet.triangles, hind])
    return Mesh(vertices.astype(np.float32), triangles.astype(np.int32), uv.astype(np.float32))


def _share(report: Report, start: int, stop: int) -> Progress:
    """Let a part of the work fill the steps from `start` to `stop`."""
    return lambda fraction: report(start + int(fraction * (stop - start)), _STEPS)
