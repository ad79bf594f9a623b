# SPDX-License-Identifier: GPL-3.0-or-later
"""A box of points at equal steps, and fields on it, linear along each axis between the points."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]


@dataclass(frozen=True)
class Lattice:
    """low: float32 (3,), its first point, in metres. cell: the step. shape: how many points it has along x, y and z.

    Places in cells are counted from the first point, along the axes.
    """

    low: Tensor
    cell: float
    shape: tuple[int, int, int]

    @property
    def high(self) -> Tensor:
        """Its last point, float32 (3,)."""
        return self.low + self.cell * (torch.tensor(self.shape, device=self.low.device) - 1)

    @property
    def count(self) -> int:
        """How many points it has."""
        return math.prod(self.shape)

    @property
    def strides(self) -> tuple[int, int, int]:
        """By how much the number of a point grows with a step along x, y and z."""
        return self.shape[1] * self.shape[2], self.shape[2], 1

    def points(self) -> Tensor:
        """All points in order, x slowest, float32 (X Y Z, 3), in metres."""
        axes = [torch.arange(size, device=self.low.device) * self.cell for size in self.shape]
        return torch.cartesian_prod(*axes) + self.low

    def in_cells(self, places: Tensor) -> Tensor:
        """Places in metres, (P, 3), in cells."""
        return (places - self.low) / self.cell

    def nearest(self, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """The numbers of the points nearest to places in the box, which are in cells: int64, of the shape of `x`."""
        across, along, _ = self.strides
        return x.round().long() * across + y.round().long() * along + z.round().long()

    def around(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """The eight points around places in cells, (P, 3): their numbers, int64 (P, 8), and where between them, (P, 3).

        Corner c is farther by one along x, y, z if bit 2, 1, 0 of c is set. Places beyond the box move onto it.
        """
        last = torch.tensor(self.shape, dtype=torch.float32, device=places.device) - 1
        at = torch.minimum(places.clamp_min(0), last)
        first = torch.minimum(at.floor(), last - 1)
        strides = torch.tensor(self.strides, device=places.device)
        steps = (torch.tensor(_CORNERS, device=places.device) * strides).sum(dim=1)
        return (first.long() * strides).sum(dim=1, keepdim=True) + steps, at - first

    def at(self, field: Tensor, places: Tensor) -> Tensor:
        """The field (X Y Z, C) at places in cells, (P, 3): (P, C)."""
        numbers, within = self.around(places)
        return (field[numbers] * trilinear(within)[..., None]).sum(dim=1)


def trilinear(within: Tensor) -> Tensor:
    """The weights of a cell's corners, in the order of `Lattice.around`, at places in it, (P, 3) in [0, 1]: (P, 8)."""
    x, y, z = _shares(within)
    return (x[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]).flatten(1)


def trilinear_slopes(within: Tensor) -> Tensor:
    """By how much each of these weights grows with x, y and z, in one over cells: (P, 8, 3)."""
    x, y, z = _shares(within)
    rise = within.new_tensor([-1.0, 1.0]).expand(len(within), 2)
    along = [
        (a[:, :, None, None] * b[:, None, :, None] * c[:, None, None, :]).flatten(1)
        for a, b, c in ((rise, y, z), (x, rise, z), (x, y, rise))
    ]
    return torch.stack(along, dim=2)


def lattice_over(low: Tensor, high: Tensor, cells: int, margin: int) -> Lattice:
    """A lattice with so many cells along the longest side of a box, (3,) each, and `margin` more on every side."""
    size = (high - low).clamp_min(1e-9)
    cell = float(size.max()) / cells
    x, y, z = ((size / cell - 1e-4).ceil().long() + 1 + 2 * margin).tolist()
    spare = torch.tensor([x, y, z], device=low.device) - 1 - size / cell  # both sides get half of what is over
    return Lattice(low - spare / 2 * cell, cell, (x, y, z))


def _shares(within: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x, y, z = torch.stack([1 - within, within], dim=2).unbind(1)
    return x, y, z
