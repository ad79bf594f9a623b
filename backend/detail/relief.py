# SPDX-License-Identifier: GPL-3.0-or-later
"""By how much the surface that a picture sees has to move along its rays so that its normals are those of a map.

After D. Nehab, S. Rusinkiewicz, J. Davis, R. Ramamoorthi, "Efficiently combining positions and normals for precise 3D
geometry", SIGGRAPH 2005: normals are right in their detail, positions in the whole. A pixel shows the surface at p; the
ray there leads to the viewer along r, and the map says n. Between neighbours, with the mean n and r of both,

    n . ((p_j + d_j r) - (p_i + d_i r)) = 0,     so     (n . r) (d_j - d_i) = -n . (p_j - p_i)

is solved for the way d in least squares, together with d = 0, which wins at long waves. An equation that stays wrong by
more than a pixel is a step of the surface or of the map, and loses its weight.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array
from ..raster.morphology import eroded
from ..raster.multigrid import GridSystem, solve
from ..raster.ticks import Tick
from ..raster.vectors import unit

_TURNS = 3
_FADE = 2  # pixels within which nothing moves at the border of what is trusted
_HELD = 1.0  # the weight of d = 0 at that border; an equation has at most 1
_DOUBT = 1.0  # pixels that an equation may be wrong by
_RIGHT = ((slice(None), slice(0, -1)), (slice(None), slice(1, None)))
_DOWN = ((slice(0, -1), slice(None)), (slice(1, None), slice(None)))


@dataclass(frozen=True)
class Sheet:
    """The surface that a picture sees, a value a pixel; lengths in pixels, all in one set of axes.

    places, rays, normals: float64 (H, W, 3): where it is, the way to the viewer and what the normal should be, both
    unit. trusted: bool (H, W), where both can be relied on; the rest does not matter.
    """

    places: Float64Array
    rays: Float64Array
    normals: Float64Array
    trusted: BoolArray


def relief(sheet: Sheet, wave: float, tick: Tick) -> Float64Array:
    """How far to move along the rays, in pixels, float64 (H, W); 0 where nothing is trusted.

    wave: the wavelength in pixels above which the surface stays as it is.
    """
    pins = np.where(sheet.trusted, (2 * np.pi / wave) ** 2, 0.0)
    ring = sheet.trusted
    for width in range(_FADE):
        inner = eroded(sheet.trusted, width + 1)
        pins[ring & ~inner] += _HELD * (1 - width / _FADE)
        ring = inner
    equations = [_equations(sheet, *side) for side in (_RIGHT, _DOWN)]
    moved = np.zeros(sheet.trusted.shape)
    for turn in range(_TURNS):
        weights, rises = np.zeros((2, *moved.shape)), np.zeros((2, *moved.shape))
        for axis, ((first, second), (facing, wanted)) in enumerate(zip((_RIGHT, _DOWN), equations, strict=True)):
            wrong = facing * (moved[second] - moved[first]) - wanted
            sure = 1.0 / (1.0 + (wrong / _DOUBT) ** 2) ** 2
            weights[axis][first] = sure * facing**2
            rises[axis][first] = sure * facing * wanted
        system = GridSystem(weights[0], weights[1], pins)
        right_side = system.divergence(rises[0], rises[1])
        moved = solve(system, right_side, moved, 1e-3, lambda done, turn=turn: tick((turn + done) / _TURNS))
    return moved


def _equations(
    sheet: Sheet, first: tuple[slice, slice], second: tuple[slice, slice]
) -> tuple[Float64Array, Float64Array]:
    """How much neighbours face the viewer, n . r, and their rise, -n . (p_j - p_i); both 0 unless both are trusted."""
    normal = unit(sheet.normals[first] + sheet.normals[second])
    both = sheet.trusted[first] & sheet.trusted[second]
    facing = np.einsum("hwc,hwc->hw", normal, (sheet.rays[first] + sheet.rays[second]) / 2)
    wanted = -np.einsum("hwc,hwc->hw", normal, sheet.places[second] - sheet.places[first])
    return np.where(both, facing, 0.0), np.where(both, wanted, 0.0)
