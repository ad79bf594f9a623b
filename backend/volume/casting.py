# SPDX-License-Identifier: GPL-3.0-or-later
"""The rays that may see something of a field: those of other pixels, and what is empty along each, are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..raster.ticks import Poll
from .field import AROUND
from .lattice import Lattice
from .rays import Rays, rays_of, through_box
from .seen import Seen, pixels_of

_AT_ONCE = 8192  # rays
_STRIDE = 1.5  # cells between the places that are looked at along a ray


@dataclass(frozen=True)
class Casts:
    """Rays that pass points of a lattice that matter, and what they show.

    rays: float32 (R, 3) twice, in cells, their directions a metre long. entry, leave: float32 (R,), where each first
    passes such a point and last does, in metres. alpha: (R,). colours, normals: (R, 3), times alpha; normals in the
    axes of the object, or None.
    """

    rays: Rays
    entry: Tensor
    leave: Tensor
    alpha: Tensor
    colours: Tensor
    normals: Tensor | None

    def some(self, which: Tensor) -> "Casts":
        """Those of these numbers."""
        rays = Rays(self.rays.origins[which], self.rays.directions[which])
        normals = None if self.normals is None else self.normals[which]
        return Casts(rays, self.entry[which], self.leave[which], self.alpha[which], self.colours[which], normals)


def cast(views: Sequence[Seen], lattice: Lattice, near: Tensor, poll: Poll) -> Casts:
    """The rays of all views that pass points of the lattice that are `near`, bool (X Y Z,).

    views: of one size and another; all have normals or none.
    """
    middle = (lattice.low + lattice.high)[None] / 2
    parts: list[list[Tensor]] = []
    for seen, number in [(each, number) for each in views for number in range(len(each.cameras))]:
        camera = seen.cameras[number]
        _, scale = pixels_of(middle, camera, seen.shape)
        reach = 2 * AROUND * lattice.cell * float(scale)  # pixels, twice as far as such points are from the outline
        shown = seen.distances[number].flatten() < reach
        origins, directions = (part.to(shown.device)[shown] for part in rays_of(camera, seen.shape))
        rays = Rays(lattice.in_cells(origins), directions / lattice.cell)
        passing, entry, leave = _passing(rays, lattice, near, poll)
        alpha = seen.alpha[number].flatten()[shown][passing]
        pictures = [seen.colours[number], *([] if seen.normals is None else [seen.normals[number]])]
        shows = [picture.flatten(0, 1)[shown][passing] * alpha[:, None] for picture in pictures]
        parts.append([rays.origins[passing], rays.directions[passing], entry, leave, alpha, *shows])
    origins, directions, entry, leave, alpha, colours, *normals = map(torch.cat, zip(*parts, strict=True))
    return Casts(Rays(origins, directions), entry, leave, alpha, colours, normals[0] if normals else None)


def along_rays(rays: Rays, distances: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The places at distances (R, N) along rays: x, y and z, (R, N) each."""
    x, y, z = (
        origin[:, None] + direction[:, None] * distances
        for origin, direction in zip(rays.origins.T, rays.directions.T, strict=True)
    )
    return x, y, z


def _passing(rays: Rays, lattice: Lattice, near: Tensor, poll: Poll) -> tuple[Tensor, Tensor, Tensor]:
    """Which rays pass a point that is `near`, by number, and where each first does and last does."""
    whole = torch.tensor(lattice.shape, dtype=torch.float32, device=near.device) - 1
    step = lattice.cell * _STRIDE
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    if not len(rays.origins):
        nothing = near.new_empty(0, dtype=torch.float32)
        return nothing.long(), nothing, nothing
    for which in torch.arange(len(rays.origins), device=near.device).split(_AT_ONCE):
        poll()
        some = Rays(rays.origins[which], rays.directions[which])
        entry, leave = through_box(some, torch.zeros_like(whole), whole)
        length = (leave - entry).clamp_min(0)
        count = max(int((length.max() / step).ceil()), 1)
        shares = (torch.arange(count, device=near.device) + 0.5) / count
        distances = entry[:, None] + length[:, None] * shares
        axes = zip(along_rays(some, distances), whole, strict=True)
        x, y, z = (torch.minimum(axis.clamp_min(0), last) for axis, last in axes)
        met = near[lattice.nearest(x, y, z)] & (length > 0)[:, None]
        first = torch.where(met, distances, torch.inf).amin(dim=1) - step
        last = torch.where(met, distances, -torch.inf).amax(dim=1) + step
        passes = met.any(dim=1)
        entry, leave = torch.maximum(first, entry)[passes], torch.minimum(last, leave)[passes]
        found.append((which[passes], entry, leave))
    which, first, last = map(torch.cat, zip(*found, strict=True))
    return which, first, last
