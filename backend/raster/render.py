# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a small picture of a mesh, grey under three lights, by a z-buffer in numpy.

Every triangle is tested against the pixels of its bounding box, all triangles of similar size at once.
"""

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..flow.products import Mesh, Picture
from .vectors import unit

_LIGHTS = np.array([[-0.45, -0.65, 0.6], [0.85, -0.45, 0.25], [0.0, 0.9, 0.5]])  # key, fill, rim, towards the light
_STRENGTHS = np.array([0.75, 0.25, 0.2])
_AMBIENT = 0.12


def vertex_normals(mesh: Mesh) -> Float64Array:
    """Return the vertices' area-weighted unit normals, float64 (V, 3)."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.triangles].astype(np.float64), 1, 0)
    face = np.asarray(np.cross(b - a, c - a), np.float64)
    owners, count = mesh.triangles.ravel(), len(mesh.vertices)
    sums = [np.bincount(owners, np.repeat(face[:, axis], 3), count) for axis in range(3)]
    return unit(np.stack(sums, axis=1).astype(np.float64), least=1e-20)


def render(mesh: Mesh, angle: float, size: int) -> Picture:
    """Render a placed mesh from the front (-y), turned by `angle` degrees around z: uint8 (size, size, 4).

    mesh: one metre long, standing at the origin. The projection is parallel, the background transparent.
    """
    turn = np.radians(angle)
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    middle = np.array([0.0, 0.0, float(mesh.vertices[:, 2].max()) / 2])
    place = (mesh.vertices.astype(np.float64) - middle) @ turned.T
    x, y = (place[:, 0] / 1.1 + 0.5) * size, (0.5 - place[:, 2] / 1.1) * size
    screen = np.stack([x, y, place[:, 1]], axis=1).astype(np.float64)
    normals = vertex_normals(mesh) @ turned.T
    pixel, triangle, weights = nearest(screen[mesh.triangles], size)
    corners = mesh.triangles[triangle]
    normal = np.einsum("ij,ijk->ik", weights, normals[corners])
    shade = _AMBIENT + np.maximum(unit(normal, least=1e-20) @ unit(_LIGHTS).T, 0.0) @ _STRENGTHS
    image = np.zeros((size * size, 4))
    image[pixel, 3] = 1.0
    image[pixel, :3] = np.clip(shade, 0, 1)[:, None] ** (1 / 1.8)
    return (image.reshape(size, size, 4) * 255).astype(np.uint8)


def nearest(corners: Float64Array, size: int) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Return the pixels that show a triangle (P,), the triangles (P,) and the barycentric weights (P, 3).

    corners: float64 (T, 3, 3), column, row and depth of every corner. Pixels are flat indices of a square image.
    """
    pixel, triangle, depth, weights = hits(corners, size)
    order = np.lexsort((triangle, depth, pixel))
    first = order[np.append(True, pixel[order][1:] != pixel[order][:-1])] if len(order) else order
    return pixel[first], triangle[first], weights[first]


def hits(corners: Float64Array, size: int) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
    """Return every meeting of a triangle with the ray through a pixel's centre, in no order.

    Pixels (P,), triangles (P,), depths (P,) and barycentric weights (P, 3); corners and pixels as in `nearest`.
    """
    low = np.clip(np.ceil(corners[..., :2].min(axis=1) - 0.5).astype(np.int64), 0, size - 1)
    high = np.clip(np.floor(corners[..., :2].max(axis=1) - 0.5).astype(np.int64), 0, size - 1)
    extent = (high - low + 1).max(axis=1)
    found: list[tuple[Int64Array, Int64Array, Float64Array, Float64Array]] = []
    side = 1
    while side < 2 * size:
        chosen = np.flatnonzero((extent <= side) & (extent > side // 2))
        for part in np.array_split(chosen, max(1, len(chosen) * side * side // 2_000_000)):
            found += [_cover(corners[part], part, low[part], side, size)]
        side *= 2
    pixel, triangle, depth, weights = zip(*found, strict=True)
    return np.concatenate(pixel), np.concatenate(triangle), np.concatenate(depth), np.concatenate(weights)


def _cover(
    corners: Float64Array, numbers: Int64Array, low: Int64Array, side: int, size: int
) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
    """Return pixels, triangles, depths and weights of what triangles cover in a square of `side` pixels at `low`."""
    offset = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    x, y = np.moveaxis(low[:, None] + offset, -1, 0)
    a, b, c = np.moveaxis(corners[:, None], 2, 0)
    px, py = x + 0.5, y + 0.5

    def area(p: Float64Array, q: Float64Array) -> Float64Array:
        return (q[..., 0] - p[..., 0]) * (py - p[..., 1]) - (q[..., 1] - p[..., 1]) * (px - p[..., 0])

    weights = np.stack([area(b, c), area(c, a), area(a, b)], axis=-1)
    total = weights.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = weights / total[..., None]
    hit = (np.abs(total) > 1e-12) & (weights >= -1e-9).all(axis=-1) & (x < size) & (y < size)
    row, _ = np.nonzero(hit)
    depth = (weights[hit] * corners[row][..., 2]).sum(axis=-1)
    return (y * size + x)[hit], numbers[row], depth, weights[hit]
