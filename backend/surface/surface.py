# SPDX-License-Identifier: GPL-3.0-or-later
"""From features at fine voxels to a surface with colours.

Every voxel has, for each of its eight corners, a signed distance to the surface (negative inside), a displacement of
the corner, a colour and a normal; corners that voxels share take the mean. Marching cubes 33 makes the surface from the
distances, with all points that no voxel touches outside; then its vertices move with the displaced corners. (The
decoder of TRELLIS, Xiang et al. 2025, section 3.2, with marching cubes instead of FlexiCubes, as in Hi3DGen.)

Distances are kept in a lattice that is just large enough for the voxels; displacements and colours are looked up only
at the corners next to the surface.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .enclosed import enclosed
from .marching_cubes import Isosurface, marching_cubes

# Of a voxel's features; all but the distance have the components of corner 0 first, then those of corner 1.
DISTANCE = slice(0, 8)
DISPLACEMENT = slice(8, 32)
COLOUR = slice(53, 101)  # the 21 before are weights that only training uses
CORNERS = tuple((c & 1, c >> 1 & 1, c >> 2) for c in range(8))
_SIDES = ("left", "right", "front", "back", "bottom", "top")
_FAR = 1e6  # the distance outside a cap: it is on the border to a millionth of a voxel


@dataclass(frozen=True)
class Surface:
    """A triangle mesh in the unit cube around the origin (it may reach past it by half a voxel), z up."""

    vertices: Tensor  # float32 (V, 3) in about [-0.5, 0.5]
    triangles: Tensor  # int32 (T, 3), counter-clockwise seen from outside
    colours: Tensor | None  # float32 (V, 6) in [0, 1]: red, green, blue, and a normal as (n + 1) / 2, as decoded


def feature_channels(*, colours: bool) -> int:
    """How many features a voxel has."""
    return COLOUR.stop if colours else COLOUR.start


def extract_surface(
    coords: Tensor, features: Tensor, resolution: int, *, solid: bool = False, whole: bool = False
) -> Surface:
    """The surface of one object with `features` float32 (N, 53 or 101) at the voxels `coords` int32 (N, 3).

    Coordinates are in [0, `resolution`). If no distance changes its sign, the surface is empty; it has colours if the
    features have them.

    solid: what the surface encloses is inside (see `enclosed`), so that there is one wall. whole: a surface that meets
    the border of the volume is closed by a cap on that border, flat to half a voxel; a ball that reached past by 5 % of
    its height lost 0.7 % of its volume, by 10 % 2.8 %. Without both it is upstream's surface. It is always a manifold,
    and with `whole` it is closed.
    """
    topology = find_topology(coords, features, resolution, solid=solid, whole=whole)
    if topology is None:
        return _nothing(features)
    colours = None
    if features.shape[1] == COLOUR.stop:
        colours = topology.isosurface.interpolate(_mean_at(topology.voxels, features[:, COLOUR])).sigmoid()
    return Surface(
        vertices=topology.isosurface.interpolate(topology.positions(features)),
        triangles=topology.isosurface.triangles,
        colours=colours,
    )


@dataclass(frozen=True)
class Topology:
    """Where a surface passes, and which voxels decide on its vertices."""

    resolution: int
    isosurface: Isosurface
    places: Tensor  # int64 (P, 3): the isosurface's points in the grid
    voxels: Tensor  # int32 (P, 8): the voxels that have each point as a corner, -1 if there is none

    def positions(self, features: Tensor, points: Tensor | None = None) -> Tensor:
        """Where the points (or those in `points`, by number) are after the voxels' displacements: float32 (P, 3)."""
        places, voxels = (self.places, self.voxels) if points is None else (self.places[points], self.voxels[points])
        return displaced(places, _mean_at(voxels, features[:, DISPLACEMENT]), self.resolution)

    def distances(self, features: Tensor, points: Tensor) -> Tensor:
        """The voxels' signed distances at `points`, by number: (P,), 1 at those that no voxel touches."""
        voxels = self.voxels[points]
        means = _mean_at(voxels, features[:, DISTANCE] - 1 / self.resolution)[:, 0]
        return torch.where((voxels >= 0).any(1), means, 1)


def find_topology(
    coords: Tensor, features: Tensor, resolution: int, *, solid: bool = False, whole: bool = False
) -> Topology | None:
    """Where the surface of `extract_surface` passes; None without a voxel."""
    if not len(coords):
        return None
    lattice = _lattice_around(coords, resolution)
    values, known = _mean_distances(coords, features[:, DISTANCE] - 1 / resolution, lattice)
    touched = touches_border(coords, resolution)
    if solid:
        filled = enclosed(values > 0, known, tuple(side not in touched for side in _SIDES))
        values = torch.where(filled, -values, values)
    if whole:
        margins = [int(side in touched) for side in _SIDES]
        values = functional.pad(values, margins[4:] + margins[2:4] + margins[:2], value=_FAR)
        lattice = _Lattice(lattice.low - lattice.low.new_tensor(margins[::2]), _shape(values))
    isosurface = marching_cubes(values)
    places = torch.stack(torch.unravel_index(isosurface.points, lattice.shape), dim=1)
    voxels = _voxels_at(places, coords, lattice)
    return Topology(resolution, isosurface, places + lattice.low, voxels)


def displaced(places: Tensor, displacements: Tensor, resolution: int) -> Tensor:
    """Where the grid's points `places` (P, 3) in [0, resolution] are with their `displacements` (P, 3): float32 (P, 3).

    Displacements are as the network gives them: their tanh reaches half a voxel, so that points do not pass each other.
    """
    reach = (1 - 1e-8) / (2 * resolution)
    return places / resolution - 0.5 + reach * displacements.tanh()


def touches_border(coords: Tensor, resolution: int) -> tuple[str, ...]:
    """The sides of the volume at which there are voxels: the surface may be cut off there.

    coords: int (N, 3) in [0, `resolution`), N > 0, of the structure or of the fine voxels. Sides are those of the
    object seen from the front: some of "left", "right" (-x, x), "front", "back" (-y, y), "bottom", "top" (-z, z), in
    this order.
    """
    at = torch.stack([coords.amin(0) == 0, coords.amax(0) == resolution - 1], dim=1)
    return tuple(side for side, touched in zip(_SIDES, at.flatten().tolist(), strict=True) if touched)


def vertex_normals(vertices: Tensor, triangles: Tensor) -> Tensor:
    """The normals at `vertices` (V, 3): sums of the adjoining triangles' normals by their areas, of unit length."""
    corners = vertices[triangles.long()]
    weighted = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = torch.zeros_like(vertices)
    for corner in triangles.long().unbind(1):
        sums.index_add_(0, corner, weighted)
    return functional.normalize(sums, dim=1)


def _nothing(features: Tensor) -> Surface:
    coloured = features.shape[1] >= COLOUR.stop
    return Surface(
        vertices=features.new_empty(0, 3),
        triangles=torch.empty(0, 3, dtype=torch.int32, device=features.device),
        colours=features.new_empty(0, 6) if coloured else None,
    )


@dataclass(frozen=True)
class _Lattice:
    """A box of the grid's points: its lowest point (3,), and how many points it has along each axis."""

    low: Tensor
    shape: tuple[int, int, int]

    def flat(self, places: Tensor) -> Tensor:
        """Indices int64 (P,) of `places` (P, 3) into the flattened lattice."""
        return (places[:, 0].long() * self.shape[1] + places[:, 1]) * self.shape[2] + places[:, 2]

    def step(self, offset: tuple[int, int, int]) -> int:
        """The distance in the flattened lattice between places that differ by `offset`."""
        return (offset[0] * self.shape[1] + offset[1]) * self.shape[2] + offset[2]


def _lattice_around(coords: Tensor, resolution: int) -> _Lattice:
    """The corners of the voxels and of the voxels around them, as far as these are within the grid."""
    low = (coords.amin(0) - 1).clamp_min(0)
    high = (coords.amax(0) + 2).clamp_max(resolution)
    x, y, z = (high - low + 1).tolist()
    return _Lattice(low, (x, y, z))


def _mean_distances(coords: Tensor, distances: Tensor, lattice: _Lattice) -> tuple[Tensor, Tensor]:
    """The mean of the voxels' `distances` (N, 8) at the lattice's points, and whether a voxel touches them.

    Both (X, Y, Z), the second bool; the distance is 1 at points that no voxel touches.
    """
    first = lattice.flat(coords - lattice.low)
    total = distances.new_zeros(lattice.shape).flatten()
    count = torch.zeros_like(total, dtype=torch.uint8)
    one = torch.ones_like(first, dtype=torch.uint8)
    for corner, offset in enumerate(CORNERS):
        points = first + lattice.step(offset)  # all different, so the order of additions does not vary
        total.index_add_(0, points, distances[:, corner])
        count.index_add_(0, points, one)
    return torch.where(count > 0, total / count, 1).view(lattice.shape), (count > 0).view(lattice.shape)


def _shape(values: Tensor) -> tuple[int, int, int]:
    x, y, z = values.shape
    return x, y, z


def _voxels_at(places: Tensor, coords: Tensor, lattice: _Lattice) -> Tensor:
    """The voxels that have lattice points as corners: rows int32 (P, 8) by the corner, -1 if there is none.

    `places` (P, 3) are counted from the lattice's lowest point.
    """
    x, y, z = (size + 1 for size in lattice.shape)
    padded = _Lattice(lattice.low - 1, (x, y, z))  # with an empty layer before the first
    rows = torch.full((x * y * z,), -1, dtype=torch.int32, device=coords.device)
    rows[padded.flat(coords - padded.low)] = torch.arange(len(coords), dtype=torch.int32, device=coords.device)
    last = padded.flat(places + 1)  # the voxel whose lowest corner the point is
    return torch.stack([rows[last - padded.step(offset)] for offset in CORNERS], dim=1)


def _mean_at(voxels: Tensor, features: Tensor) -> Tensor:
    """The mean of `features` (N, 8 C), 8 corners a voxel, at points with `voxels` (P, 8), 0 without any: (P, C)."""
    by_corner = features.unflatten(1, (8, -1))
    total = features.new_zeros(len(voxels), by_corner.shape[2])
    for corner, rows in enumerate(voxels.unbind(1)):
        total += by_corner[:, corner].index_select(0, rows.clamp_min(0)) * (rows >= 0)[:, None]
    return total / (voxels >= 0).sum(1, keepdim=True).clamp_min(1)
