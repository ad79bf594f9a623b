# SPDX-License-Identifier: GPL-3.0-or-later
"""The visual hull (Laurentini 1994): all of space that every view shows as the object.

Each view's cut-out has a signed distance in its picture; the distance of a point in space to the cone of the view is
that at its pixel, in metres at the point's depth. The largest over the views is negative inside the hull, zero on it to
a part of a pixel, and a good start for a signed distance. Beside edges at which cones meet it is less than that.
"""

import torch
from torch import Tensor

from ..errors import UserError
from ..raster.ticks import Poll, unwatched
from .lattice import Lattice, lattice_over
from .seen import Seen, pixels_of, sampled

REACH = 1.0
"""Metres: nothing of an object lies farther from the origin, along an axis."""
_COARSE = 80  # cells, by which the hull's box is found


def hull_distances(points: Tensor, seen: Seen, poll: Poll = unwatched) -> Tensor:
    """The signed distances of points (P, 3) to the hull within `REACH`, in metres, negative inside, (P,)."""
    found = points.abs().amax(dim=1) - REACH  # few views alone leave it open towards the cameras
    for camera, distances in zip(seen.cameras, seen.distances, strict=True):
        poll()
        places, scale = pixels_of(points, camera, seen.shape)
        found = torch.maximum(found, sampled(distances[..., None], places)[:, 0] / scale)
    return found


def no_hull() -> UserError:
    """What is said if nothing is in all views."""
    advice = "Check that the cameras are those of the views, and leave out wrong views."
    return UserError("no-shape", "No place in space is shown as the object by all of the views.", advice)


def hull_box(seen: Seen, poll: Poll = unwatched) -> tuple[Tensor, Tensor] | None:
    """The lowest and the highest corner, (3,) each, of a box around the hull; None if nothing is in all views."""
    reach = torch.full((3,), REACH, device=seen.distances.device)
    around = _within(lattice_over(-reach, reach, _COARSE, 0), seen, poll)
    return around and _within(lattice_over(*around, _COARSE, 0), seen, poll)


def _within(lattice: Lattice, seen: Seen, poll: Poll) -> tuple[Tensor, Tensor] | None:
    """The box of the points that are less than a cell outside, which are next to whatever is between the points."""
    points = lattice.points()
    near = points[hull_distances(points, seen, poll) < lattice.cell]
    return (near.amin(dim=0) - lattice.cell, near.amax(dim=0) + lattice.cell) if len(near) else None
