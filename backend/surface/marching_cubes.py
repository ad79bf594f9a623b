# SPDX-License-Identifier: GPL-3.0-or-later
"""Marching cubes 33 on a lattice of values, in torch, all cells at once.

The surface is described by the lattice points that it passes between, not by places in space: fields on the lattice
(positions, colours) are interpolated afterwards, and are needed at those few points only.

The decisions are those of Lewiner et al. (2003) as scikit-image takes them, in double precision if the device has it:
on faces the asymptotic decider (Nielson and Hamann 1991), and inside, if a tunnel is possible, the bilinear section in
which it would be widest. Two details of that implementation are kept: the section is always across the first axis, and
a vertex in the middle of a cell is the mean of the corners, each weighted by one over its value.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .marching_cubes_tables import EDGES, FACES, MIDDLE, tables

_EPSILON = 2.0**-52
_LOW_CORNERS = tuple(low for low, _ in EDGES)


@dataclass(frozen=True)
class Isosurface:
    """The zero surface between lattice points. Vertices on edges come first, then those in the middle of cells.

    Nothing depends on the device's scheduling: points ascend, vertices are in order of axis and place, triangles in
    order of their cells.
    """

    points: Tensor  # int64 (P,) the lattice points that vertices depend on, as indices into the flat lattice, ascending
    ends: Tensor  # int64 (E, 2) into points: the two ends of the edge that each vertex lies on
    along: Tensor  # float32 (E,) in [0, 1]: how far from the first end
    corners: Tensor  # int64 (M, 8) into points: the corners of the cell in which each further vertex lies
    within: Tensor  # float32 (M, 3) in [0, 1]: the vertex's place in the cell
    triangles: Tensor  # int32 (T, 3) into the E + M vertices, counter-clockwise seen from outside (values > 0)

    def interpolate(self, field: Tensor) -> Tensor:
        """Carries `field` (P, C), given at `points`, to the vertices: (E + M, C), linear on edges, trilinear within."""
        on_edges = torch.lerp(field[self.ends[:, 0]], field[self.ends[:, 1]], self.along[:, None])
        share = torch.stack([1 - self.within, self.within])  # (2, M, 3)
        weights = [share[c & 1, :, 0] * share[c >> 1 & 1, :, 1] * share[c >> 2, :, 2] for c in range(8)]
        in_middles = (torch.stack(weights, dim=1)[..., None] * field[self.corners]).sum(1)
        return torch.cat([on_edges, in_middles])


def marching_cubes(values: Tensor) -> Isosurface:
    """Cuts the lattice `values` float32 (X, Y, Z), negative or zero inside, along its zero surface.

    Without a change of sign the surface is empty. It is open at the lattice's border.
    """
    flat = values.flatten()
    outside = values > 0
    corner_steps = _corner_steps(values)
    cells = _crossed_cells(outside)  # (K,) by their lowest corner
    owner, edges = _triangles(_tilings(flat[cells[:, None] + corner_steps]))

    # One table of the lattice's size numbers the vertices on each axis in turn, and then the points.
    number = torch.empty(len(flat), dtype=torch.int32, device=values.device)
    triangles = torch.empty(edges.shape, dtype=torch.int32, device=values.device)
    low_steps = corner_steps[list(_LOW_CORNERS)]
    ends: list[Tensor] = []
    count = 0
    for axis in range(3):
        low = _crossed_edges(outside, axis)
        number[low] = torch.arange(count, count + len(low), dtype=torch.int32, device=values.device)
        on_axis = edges // 4 == axis
        triangles[on_axis] = number[(cells[owner, None] + low_steps[edges.clamp_max(MIDDLE - 1)])[on_axis]]
        ends.append(torch.stack([low, low + corner_steps[1 << axis]], dim=1))
        count += len(low)

    in_middle = edges == MIDDLE
    with_middle = torch.zeros(len(cells), dtype=torch.bool, device=values.device)
    with_middle[owner[in_middle.any(1)]] = True
    middle = with_middle.cumsum(0, dtype=torch.int32) - 1 + count
    triangles[in_middle] = middle[owner, None].expand(-1, 3)[in_middle]

    pairs, corners = torch.cat(ends), cells[with_middle, None] + corner_steps
    points = _distinct(torch.cat([pairs.flatten(), corners.flatten()]), len(flat))
    number[points] = torch.arange(len(points), dtype=torch.int32, device=values.device)
    distance = flat[pairs].abs()
    return Isosurface(
        points=points,
        ends=number[pairs].long(),
        along=distance[:, 0] / distance.sum(1),
        corners=number[corners].long(),
        within=_middles(flat[corners]),
        triangles=triangles,
    )


def _corner_steps(values: Tensor) -> Tensor:
    """The distance of each of a cell's corners from its lowest in the flat lattice: int64 (8,)."""
    x, y, z = values.shape[1] * values.shape[2], values.shape[2], 1
    return torch.tensor([(c & 1) * x + (c >> 1 & 1) * y + (c >> 2) * z for c in range(8)], device=values.device)


def _crossed_cells(outside: Tensor) -> Tensor:
    """The cells with corners on both sides, by their lowest corner, ascending."""
    some, every = outside, outside
    for axis in range(3):
        size = some.shape[axis] - 1
        some = some.narrow(axis, 0, size) | some.narrow(axis, 1, size)
        every = every.narrow(axis, 0, size) & every.narrow(axis, 1, size)
    return _flat_indices(some & ~every, outside)


def _crossed_edges(outside: Tensor, axis: int) -> Tensor:
    """The edges along an axis with ends on both sides, by their lower end, ascending."""
    size = outside.shape[axis] - 1
    return _flat_indices(outside.narrow(axis, 0, size) ^ outside.narrow(axis, 1, size), outside)


def _flat_indices(mask: Tensor, lattice: Tensor) -> Tensor:
    """The set points of `mask`, which may be smaller than the lattice at its ends: indices into the flat lattice."""
    whole = torch.zeros_like(lattice)
    whole[: mask.shape[0], : mask.shape[1], : mask.shape[2]] = mask
    return whole.flatten().nonzero()[:, 0]


def _distinct(indices: Tensor, count: int) -> Tensor:
    """The distinct among `indices`, which lie in [0, count), ascending."""
    present = torch.zeros(count, dtype=torch.bool, device=indices.device)
    present[indices] = True
    return present.nonzero()[:, 0]


def _triangles(tiling: Tensor) -> tuple[Tensor, Tensor]:
    """The triangles of cells by their `tiling` (K,): the row of each one's cell (T,), and its edges (T, 3)."""
    known = tables()
    rows = torch.arange(len(tiling), device=tiling.device)
    counts = torch.from_numpy(known.counts).to(tiling.device)[tiling]
    owner = torch.repeat_interleave(rows, counts)
    place = torch.arange(len(owner), device=tiling.device) - (counts.cumsum(0) - counts)[owner]
    return owner, torch.from_numpy(known.triangles).to(tiling.device)[tiling[owner], place]


def _tilings(values: Tensor) -> Tensor:
    """The tiling of each cell by the `values` (K, 8) at its corners: int64 (K,)."""
    known = tables()
    bits = (values > 0).long() << torch.arange(8, device=values.device)
    outside = bits.sum(1)
    joined = torch.zeros_like(outside)
    tunnel = torch.zeros_like(outside)

    ambiguous = torch.from_numpy(known.ambiguous).to(values.device)[outside].long()
    may_have_tunnel = torch.from_numpy(known.tunnels).to(values.device)[outside]
    unclear = ((ambiguous > 0) | may_have_tunnel).nonzero()[:, 0]
    exact = values[unclear].to(_widest(values.device))
    few_outside = (exact > 0).sum(1) <= 4
    decided = torch.zeros_like(unclear)
    for face in range(6):
        decided |= (_joined_across(exact, face).long() << face) & ambiguous[unclear]
    joined[unclear] = decided
    runs = _tunnel_runs(exact, few_outside) & may_have_tunnel[unclear] & (decided == 0)
    tunnel[unclear] = runs.long()
    return torch.from_numpy(known.tiling).to(values.device)[outside, joined, tunnel].long()


def _joined_across(values: Tensor, face: int) -> Tensor:
    """Whether the two outside corners of an ambiguous face are joined across it (asymptotic decider): bool (K,).

    If that is undecided, they are. Both cells at a face decide alike, so there are no holes.
    """
    a, b, c, d = values[:, FACES[face]].unbind(1)
    saddle = a * c - b * d
    return (a * saddle >= 0) | (saddle.abs() < _EPSILON)


def _tunnel_runs(values: Tensor, few_outside: Tensor) -> Tensor:
    """Whether the rarer side's two opposite corners are joined through the cell's inside: bool (K,).

    Between the faces across the first axis, the values at the four parallel edges form bilinear sections; the one at
    the extremum of A C - B D decides (Lewiner et al. 2003, section 3.3). Without an extremum between the faces, that
    method answers no for outside corners and yes for inside ones.
    """
    ring = [c for c, _ in EDGES[:4]]
    a0, b0, d0, c0 = values[:, ring].unbind(1)
    a1, b1, d1, c1 = (values[:, [c + 1 for c in ring]] - values[:, ring]).unbind(1)
    second = a1 * c1 - b1 * d1
    first = c0 * a1 + a0 * c1 - b0 * d1 - d0 * b1
    t = -first / (2 * second + _EPSILON)
    between = (t >= 0) & (t <= 1)
    t = torch.where(between, t, 0)
    a, b, c, d = a0 + a1 * t, b0 + b1 * t, c0 + c1 * t, d0 + d1 * t
    saddle = a * c - b * d
    ac, bd = (a >= 0) & (c >= 0), (b >= 0) & (d >= 0)
    only_ac, only_bd = ac & (b < 0) & (d < 0), bd & (a < 0) & (c < 0)
    apart = ~ac & ~bd | only_ac & (saddle < _EPSILON) | only_bd & (saddle >= _EPSILON)
    three_or_more = (ac | bd) & ~only_ac & ~only_bd
    return torch.where(few_outside, between & ~apart, ~between | ~three_or_more)


def _middles(values: Tensor) -> Tensor:
    """The place in its cell of a vertex in the middle, by the `values` (M, 8) at the corners: float32 (M, 3)."""
    weights = 1 / (values.abs() + _EPSILON)
    places = torch.tensor([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)], dtype=weights.dtype, device=values.device)
    return weights @ places / weights.sum(1, keepdim=True)


def _widest(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no double precision
