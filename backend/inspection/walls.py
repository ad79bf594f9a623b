# SPDX-License-Identifier: GPL-3.0-or-later
"""How thick the walls of a closed mesh are: rays from its surface inwards, up to where they leave it again.

The rays start at places that are spread evenly over the surface and go against its normal. They walk through a grid of
cells, each of which knows the triangles in it (Amanatides and Woo, "A Fast Voxel Traversal Algorithm for Ray Tracing",
1987), and are cut with these (Möller and Trumbore, "Fast, Minimum Storage Ray/Triangle Intersection", 1997). Between
parallel walls the distance is exact; if the two sides lean by an angle towards each other, it is too long, at the most
by one over the angle's cosine.
"""

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..mesh.spread import spread

_RAYS = 8192
_FEWEST, _MOST = 8, 64  # cells along the longest side
_CROWD = 0.5  # cells along the longest side, by the square root of the number of triangles
_HALVINGS = 40
_APART = 1e-6  # of the longest side: what is nearer touches, and is no wall
_EDGE = 1e-9  # of a triangle: a ray through an edge meets one of its two at least


def thickness(vertices: Float64Array, triangles: Int64Array, rays: int = _RAYS) -> Float64Array:
    """Return the thickness below places that stand for equal shares of a closed mesh's surface, float64 (N,).

    vertices: float64 (V, 3). triangles: int64 (T, 3), outward. It is in the vertices' unit. Parts that overlap have
    walls of their own. A ray that slips through the mesh is left out, so that N is `rays` at the most.
    """
    corners = vertices[triangles]
    starts, directions = _rays(corners, rays)
    grid = _Grid(corners)
    found = _march(grid, corners, starts, directions)
    return found[np.isfinite(found)]


def _rays(corners: Float64Array, count: int) -> tuple[Float64Array, Float64Array]:
    """Spread places evenly over triangles (T, 3, 3); return them and the unit directions inwards, (N, 3) each."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(normals, axis=1)
    at, shares = spread(doubled, count)
    a, b, c = np.moveaxis(corners[at], 1, 0)
    return a + shares[:, :1] * (b - a) + shares[:, 1:] * (c - a), -normals[at] / doubled[at, None]


class _Grid:
    """Which triangles each cell of a grid over a mesh may hold.

    low: the grid's corner. cell: a cell's side. shape: how many cells there are along each axis. first: int64, by cell
    and one more, the first of its triangles in `owners`.
    """

    def __init__(self, corners: Float64Array) -> None:
        low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
        side = float((high - low).max())
        cells = int(np.clip(_CROWD * np.sqrt(len(corners)), _FEWEST, _MOST))
        self.cell = side / cells * (1 + 1e-9)
        self.low = low - 1e-9 * side
        self.shape = np.maximum(np.ceil((high - self.low) / self.cell).astype(np.int64), 1)
        pieces, owners = _pieces(corners, self.cell)
        begin, end = (self.cells_at(bound) for bound in (pieces.min(axis=1), pieces.max(axis=1)))
        extent = end - begin + 1
        count = extent.prod(axis=1)
        piece = np.repeat(np.arange(len(pieces)), count)
        nth = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
        across = extent[piece]
        z, rest = nth % across[:, 2], nth // across[:, 2]
        place = begin[piece] + np.stack([rest // across[:, 1], rest % across[:, 1], z], axis=1)
        keys = np.unique(self.number(place) * len(corners) + owners[piece])
        self.owners = keys % len(corners)
        self.first = np.searchsorted(keys // len(corners), np.arange(int(self.shape.prod()) + 1))

    def cells_at(self, points: Float64Array) -> Int64Array:
        """In which cells points (N, 3) are, int64 (N, 3)."""
        return np.clip(np.floor((points - self.low) / self.cell).astype(np.int64), 0, self.shape - 1)

    def number(self, place: Int64Array) -> Int64Array:
        """The numbers of cells, int64 (N,), by their places, (N, 3)."""
        return (place[:, 0] * self.shape[1] + place[:, 1]) * self.shape[2] + place[:, 2]


def _pieces(corners: Float64Array, size: float) -> tuple[Float64Array, Int64Array]:
    """Halve triangles (T, 3, 3) at their longest edges until none is much larger than `size`.

    Returns the pieces, (P, 3, 3), and the triangle that each is of, int64 (P,).
    """
    done, owners = [], []
    owner = np.arange(len(corners))
    for _ in range(_HALVINGS):
        large = np.ptp(corners, axis=1).max(axis=1) > size
        done.append(corners[~large])
        owners.append(owner[~large])
        corners, owner = corners[large], owner[large]
        if not len(corners):
            break
        lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
        order = (lengths.argmax(axis=1)[:, None] + np.arange(3)) % 3  # the longest edge is from the first to the second
        a, b, c = np.moveaxis(np.take_along_axis(corners, order[:, :, None], axis=1), 1, 0)
        middle = (a + b) / 2
        corners = np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])
        owner = np.concatenate([owner, owner])
    return np.concatenate([*done, corners]), np.concatenate([*owners, owner])


def _march(grid: _Grid, corners: Float64Array, starts: Float64Array, directions: Float64Array) -> Float64Array:
    """Return how far each ray goes until it leaves the mesh, float64 (N,); infinite if it does not."""
    best = np.full(len(starts), np.inf)
    least = _APART * float(np.ptp(corners, axis=(0, 1)).max())
    place = grid.cells_at(starts)
    step = np.where(directions > 0, 1, -1)
    speed = np.maximum(np.abs(directions), 1e-300)
    border = grid.low + (place + (directions > 0)) * grid.cell
    crossing = np.where(np.abs(directions) > 1e-12, (border - starts) * step / speed, np.inf)
    width = np.where(np.abs(directions) > 1e-12, grid.cell / speed, np.inf)
    going = np.arange(len(starts))
    while len(going):
        cell = grid.number(place[going])
        count = grid.first[cell + 1] - grid.first[cell]
        ray = np.repeat(going, count)
        nth = np.arange(len(ray)) - np.repeat(np.cumsum(count) - count, count)
        triangle = grid.owners[np.repeat(grid.first[cell], count) + nth]
        distance = _leaving(starts[ray], directions[ray], corners[triangle])
        is_wall = distance > least
        np.minimum.at(best, ray[is_wall], distance[is_wall])
        axis = crossing[going].argmin(axis=1)
        until = crossing[going, axis]
        place[going, axis] += step[going, axis]
        crossing[going, axis] += width[going, axis]
        inside = ((place[going] >= 0) & (place[going] < grid.shape)).all(axis=1)
        going = going[inside & (best[going] > until)]
    return best


def _leaving(starts: Float64Array, directions: Float64Array, corners: Float64Array) -> Float64Array:
    """Return where rays leave through a triangle each, (N, 3, 3), in lengths of the direction; infinite if not."""
    a, b, c = np.moveaxis(corners, 1, 0)
    one, other, from_a = b - a, c - a, starts - a
    across = np.cross(directions, other)
    facing = np.einsum("ni,ni->n", one, across)  # negative if the triangle's outer side looks along the ray
    leaves = facing < 0
    inverse = 1 / np.where(leaves, facing, -1.0)
    u = np.einsum("ni,ni->n", from_a, across) * inverse
    over = np.cross(from_a, one)
    v = np.einsum("ni,ni->n", directions, over) * inverse
    distance = np.einsum("ni,ni->n", other, over) * inverse
    return np.where(leaves & (u >= -_EDGE) & (v >= -_EDGE) & (u + v <= 1 + _EDGE), distance, np.inf)
