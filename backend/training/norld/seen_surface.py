# SPDX-License-Identifier: GPL-3.0-or-later
"""The normals that a view shows of a decoded surface, with gradients to the decoder's features.

The surface is that of the product: the same crossed edges, the same triangles, the same displaced corners. All that is
discrete is constant: topology, which triangle a pixel shows, and where on it. So are the vertices inside of cells, and
those on edges along which the distance hardly changes, whose places would have boundless derivatives. What is left is
how the vertices around the seen triangles move, and with them their normals. Visibility has no gradient.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ...surface.surface import Topology, find_topology, vertex_normals
from .raster import Hits, barycentric, interpolated, rasterise
from .views import Camera

_FLAT = 1e-4  # cells: an edge whose distances differ by less has a constant crossing


@dataclass(frozen=True)
class Look:
    """What a view shows of a surface, all of it constant."""

    hits: Hits
    depths: Tensor  # (P,) of the pixels that are hit
    weights: Tensor  # (P, 3) of the corners of the triangle that each shows
    corners: Tensor  # int64 (P, 3): these corners, as rows of `used`
    used: Tensor  # int64 (U,): the vertices of the triangles that are hit and of those around them
    places: Tensor  # (U, 3): where these vertices are
    triangles: Tensor  # int64 (T, 3): the triangles among them, as rows of `used`


def decoded_topology(coords: Tensor, features: Tensor, resolution: int) -> Topology | None:
    """The topology of one object's surface from its `features` (N, F) at the fine voxels `coords` int32 (N, 3).

    None if no distance changes its sign, as early in a training.
    """
    with torch.no_grad():
        topology = find_topology(coords, features, resolution)
    return topology if topology is not None and len(topology.isosurface.triangles) else None


@torch.no_grad()
def look_at(topology: Topology, features: Tensor, camera: Camera, size: int) -> Look:
    """What a view of size x size pixels shows of the surface."""
    triangles = topology.isosurface.triangles.long()
    vertices = topology.isosurface.interpolate(topology.positions(features))
    hits = rasterise(vertices, triangles, camera, size)
    weights = barycentric(vertices, triangles, camera, hits)
    depths = interpolated(camera.seen(vertices)[:, 2:], triangles, weights, hits)[:, 0]
    used, numbered = triangles[_around(triangles, hits, len(vertices))].unique(return_inverse=True)
    number = torch.zeros(len(vertices), dtype=torch.int64, device=used.device)
    number[used] = torch.arange(len(used), device=used.device)
    return Look(hits, depths, weights, number[triangles[hits.triangles]], used, vertices[used], numbered)


def seen_normals(topology: Topology, features: Tensor, look: Look) -> Tensor:
    """The interpolated vertex normals in the pixels that are hit, in the world: (P, 3)."""
    vertices = moving_vertices(topology, features, look.used, look.places)
    normals = vertex_normals(vertices, look.triangles)
    return functional.normalize((normals[look.corners] * look.weights[..., None]).sum(1), dim=1)


def moving_vertices(topology: Topology, features: Tensor, chosen: Tensor, fixed: Tensor) -> Tensor:
    """The `chosen` vertices, by number, as functions of the features: (V, 3). `fixed`: where they are.

    On a crossed edge from p0 to p1, with distances d0 and d1, a vertex is p0 + (p1 - p0) d0 / (d0 - d1).
    """
    isosurface = topology.isosurface
    on_edge = (chosen < len(isosurface.ends)).nonzero()[:, 0]
    ends = isosurface.ends[chosen[on_edge]]
    points, rows = ends.unique(return_inverse=True)
    places, distances = topology.positions(features, points)[rows], topology.distances(features, points)[rows]
    change = distances[:, 0] - distances[:, 1]
    steep = change.detach().abs() >= _FLAT / topology.resolution
    along = distances[:, 0] / torch.where(steep, change, 1)
    along = torch.where(steep, along, isosurface.along[chosen[on_edge]])
    crossings = torch.lerp(places[:, 0], places[:, 1], along[:, None])
    return fixed.index_copy(0, on_edge, crossings)


def _around(triangles: Tensor, hits: Hits, vertices: int) -> Tensor:
    """The triangles that share a vertex with one that is hit: bool (T,)."""
    touched = torch.zeros(vertices, dtype=torch.bool, device=triangles.device)
    touched[triangles[hits.triangles].flatten()] = True
    return touched[triangles].any(1)
