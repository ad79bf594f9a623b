# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed distances and colours on a lattice: as the visual hull has them, and from a coarser lattice to a finer one.

Distances are in cells, so that all settings mean the same at every resolution.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..raster.ticks import Poll, unwatched
from .hull import hull_distances
from .lattice import Lattice, lattice_over
from .seen import Seen, pixels_of, sampled

AROUND = 2.5
"""Cells: points that are farther outside than this stay so."""
OUTSIDE = 3.0
"""Cells: the distance at all of these."""
_AT_ONCE = 1 << 18  # points whose corners are read together
_MARGIN = 3  # cells between the hull's box and the lattice's border
_THIN = 1.0  # cells of depth inside, in what is too thin for a resolution
_UNSURE = (0.25, 0.75)  # coarse cells: a finer lattice takes on none of smaller moves, and all of larger ones
_BESIDE = 2  # cells within which the depth counts


@dataclass(frozen=True)
class Field:
    """Values at a lattice.

    distances: float32 (X Y Z,), in cells, negative inside. colours: float32 (X Y Z, 3), sRGB in [0, 1]. stout: float32
    (X Y Z,), 1 if the hull there is thick enough for this resolution, falling to 0 if it is too thin.
    """

    lattice: Lattice
    distances: Tensor
    colours: Tensor
    stout: Tensor


def hull_field(seen: Seen, box: tuple[Tensor, Tensor], cells: int, poll: Poll = unwatched) -> Field:
    """The visual hull, with the mean of what the views show at each point as its colour; cells: along the longest side.

    box: around the hull, see `hull.hull_box`.
    """
    lattice = lattice_over(*box, cells, _MARGIN)
    points = lattice.points()
    distances = hull_distances(points, seen, poll) / lattice.cell
    colours = torch.full((lattice.count, 3), 0.5, device=points.device)
    near = (distances < AROUND).nonzero()[:, 0]
    colours[near] = _mean_colours(points[near], seen, poll)
    depth = functional.max_pool3d(-distances.view(1, 1, *lattice.shape), 2 * _BESIDE + 1, stride=1, padding=_BESIDE)
    stout = (depth.flatten() - _THIN).clamp(0, 1)
    return Field(lattice, distances.clamp_max(OUTSIDE), colours, stout)


def refined(coarse: Field, coarse_hull: Field, hull: Field, poll: Poll = unwatched) -> Field:
    """The field at the finer lattice of `hull`: the hull there, moved inwards as the coarse one was from its.

    What was too thin for the coarse lattice begins as the hull again, and so does what it has moved by less than it
    resolves: that may be the width of its cells alone.
    """
    places = coarse.lattice.in_cells(hull.lattice.points())
    moved = coarse.distances - coarse_hull.distances
    moved = moved * _smooth_step((moved.abs() - _UNSURE[0]) / (_UNSURE[1] - _UNSURE[0]))
    moved = moved * coarse.stout * coarse.lattice.cell
    both, parts = torch.cat([moved[:, None], coarse.colours], dim=1), list[Tensor]()
    for some in places.split(_AT_ONCE):
        poll()
        parts.append(coarse.lattice.at(both, some))
    found = torch.cat(parts)
    inwards = (found[:, 0] / hull.lattice.cell).clamp_min(0)
    distances = (hull.distances + inwards).clamp_max(OUTSIDE)
    return Field(hull.lattice, distances, found[:, 1:], hull.stout)


def _smooth_step(share: Tensor) -> Tensor:
    """0 up to 0 and 1 from 1 on, without a bend."""
    share = share.clamp(0, 1)
    return share.square() * (3 - 2 * share)


def _mean_colours(points: Tensor, seen: Seen, poll: Poll) -> Tensor:
    """The mean of the colours at which the views show points (P, 3), weighted by alpha: (P, 3)."""
    total, count = torch.zeros_like(points), torch.full_like(points[:, :1], 1e-6)
    for camera, colours, alpha in zip(seen.cameras, seen.colours, seen.alpha, strict=True):
        poll()
        places, _ = pixels_of(points, camera, seen.shape)
        there = sampled(torch.cat([colours * alpha[..., None], alpha[..., None]], dim=2), places)
        total, count = total + there[:, :3], count + there[:, 3:]
    return (total / count).clamp(0, 1)
