# SPDX-License-Identifier: GPL-3.0-or-later
"""From views to a field, from coarse to fine, and its surface as a mesh."""

import logging
from functools import partial

import numpy as np
import torch

from ..errors import UserError
from ..flow.products import Mesh, Report
from ..nn.device import TOO_SMALL, memory_of
from ..raster.ticks import Poll, unwatched
from ..surface.marching_cubes import marching_cubes
from .field import Field, hull_field, refined
from .fit import SAMPLES, Descent, Weights, fit
from .gaussians.views import views_between
from .hull import hull_box, no_hull
from .seen import Seen

log = logging.getLogger(__name__)

_COARSEST = 24  # cells: what has more begins with half as many
_RAYS = (2048, 1024, 512)  # of a step: as many as the memory has room for
_WIDTH = (0.7, 0.15)  # cells: of the surface's density, at the beginning and at the end
_FINER_WIDTH = 0.5  # cells, with which finer lattices begin
_COARSER_WIDTH = 0.2  # cells, with which coarser lattices end
_PARTS = 400  # of the progress
_RATE = (0.1, 0.01)  # cells
_POINT, _RAY, _SAMPLE = 160, 80, 900  # bytes: of a lattice's point, of a view's pixel, of a sample with its gradients


def levels(cells: int) -> list[int]:
    """How many cells the lattices have along the longest side, from the coarsest to the finest."""
    return [*(levels(cells // 2) if cells > _COARSEST else []), cells]


def rays_at_once(cells: int, pixels: int, memory: int) -> int:
    """How many rays of a step have room in a device's memory, in bytes; pixels: of all views together.

    Raises `UserError` if there is not enough for the fewest.
    """
    needed = _POINT * (cells + 8) ** 3 + _RAY * pixels
    for rays in _RAYS:
        if needed + rays * SAMPLES * _SAMPLE <= memory:
            return rays
    sentence = f"A grid of {cells} cells along its longest side has no room in the memory."
    raise UserError("out-of-memory", sentence, f"Choose fewer cells. {TOO_SMALL}")


def hull(seen: Seen, cells: int, poll: Poll = unwatched) -> Field:
    """The visual hull alone. Raises `UserError` if nothing is in all views."""
    return hull_field(seen, _box(seen, poll), cells, poll)


def reconstruct(
    seen: Seen, cells: int, steps: int, seed: int, report: Report, weights: Weights | None = None, between: int = 0
) -> Field:
    """The field that the views show, with so many cells along its longest side; steps: of each resolution.

    between: how many views are drawn between each two neighbours, of what the second finest lattice shows, if there is
    one, as further evidence for the finest. report: called at every step. Raises `UserError` if nothing is in all
    views, or if the memory is not enough.
    """
    pixels = seen.alpha.numel() * (4 + between) // 4  # views in between are half as large; fitting them needs less
    rays = rays_at_once(cells, pixels, memory_of(seen.alpha.device))
    log.info("a grid of %d cells, %d rays a step", cells, rays)
    sizes = levels(cells)
    costs = [*sizes[:-1], *([cells // 2] if between and len(sizes) > 1 else []), cells]
    box = _box(seen, lambda: report(0, _PARTS))
    found: Field | None = None
    coarse_hull: Field | None = None
    views = [seen]
    for number, size in enumerate(sizes):
        finest = size == cells
        tick = partial(_reported, report, costs, number)
        start = hull_field(seen, box, size, partial(tick, 0.0))
        field = refined(found, coarse_hull, start, partial(tick, 0.0)) if found and coarse_hull else start
        if finest and between and found and coarse_hull:
            views += views_between(seen, coarse_hull, found, between, seed, tick)
            tick = partial(_reported, report, costs, number + 1)
        width = _WIDTH[0] if number == 0 else _FINER_WIDTH, _WIDTH[1] if finest else _COARSER_WIDTH
        descent = Descent(steps, rays, width, _RATE)
        found = fit(field, start, views, descent, weights or Weights(), seed, tick)
        coarse_hull = start
    assert found is not None  # noqa: S101 - there is a level at least
    return found


def mesh_of(field: Field) -> Mesh:
    """The surface of a field, in metres, with its colours; uv is 0. Raises `UserError` if there is none."""
    lattice = field.lattice
    surface = marching_cubes(field.distances.view(lattice.shape))
    if not len(surface.triangles):
        raise UserError("no-shape", "Nothing is left of the shape.", "Check that the cameras are those of the views.")
    vertices, colours = (surface.interpolate(part[surface.points]) for part in (lattice.points(), field.colours))
    return Mesh(
        vertices.cpu().numpy(),
        surface.triangles.cpu().numpy(),
        np.zeros((len(vertices), 2), np.float32),
        colours=colours.clamp(0, 1).cpu().numpy(),
    )


def _reported(report: Report, costs: list[int], number: int, fraction: float) -> None:
    """Report a fraction of one of several parts, of which is known how they cost."""
    report(int(_PARTS * (sum(costs[:number]) + costs[number] * fraction) / sum(costs)), _PARTS)


def _box(seen: Seen, poll: Poll) -> tuple[torch.Tensor, torch.Tensor]:
    box = hull_box(seen, poll)
    if box is None:
        raise no_hull()
    return box
