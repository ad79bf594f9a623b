# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture of a mesh: grey under three lights, by a z-buffer in numpy.

Every triangle is tested against the pixels of its bounding box, all triangles of like size at once.
"""

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..flow.products import Mesh, Picture
from .vectors import unit

_LIGHTS = np.array([[-0.45, -0.65, 0.6], [0.85, -0.45, 0.25], [0.0, 0.9, 0.5]])  # key, fill, rim, towards the light
_STRENGTHS = np.array([0.75, 0.25, 0.2])
_AMBIENT = 0.12


def vertex_normals(mesh: Mesh) -> Float64Array:
    """Area-weighted unit normals, float64 (V, 3)."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.triangles].astype(np.float64), 1, 0)
    face = np.asarray(np.cross(b - a, c - a), np.float64)
    corners = mesh.triangles.ravel()
    total = np.zeros((len(mesh.vertices), 3))
    for axis in range(3):
        total[:, axis] = np.bincount(corners, np.repeat(face[:, axis], 3), minlength=len(mesh.vertices))
    return unit(total, least=1e-20)


def render(mesh: Mesh, angle: float, size: int) -> Picture:
    """A mesh of a metre that stands at the origin, turned by `angle` degrees, as a picture, uint8 (size, size, 4).

    The projection is parallel, the background is transparent.
    """
    turn = np.radians(angle)
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    middle = np.array([0.0, 0.0, float(mesh.vertices[:, 2].max()) / 2])
    place = (mesh.vertices.astype(np.float64) - middle) @ turned.T
    scaled = place * (size / 1.1)
    screen = np.stack([scaled[:, 0] + 0.5 * size, 0.5 * size - scaled[:, 2], place[:, 1]], axis=1).astype(np.float64)
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
    """The triangle that each pixel shows: (pixels (P,), triangles (P,), barycentric weights (P, 3))."""
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
    pixel = np.concatenate([f[0] for f in found])
    triangle = np.concatenate([f[1] for f in found])
    depth = np.concatenate([f[2] for f in found])
    weights = np.concatenate([f[3] for f in found])
    order = np.lexsort((triangle, depth, pixel))
    first = order[np.append(True, pixel[order][1:] != pixel[order][:-1])] if len(order) else order
    return pixel[first], triangle[first], weights[first]


def _cover(
    corners: Float64Array, numbers: Int64Array, low: Int64Array, side: int, size: int
) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
    """Pixels, triangle numbers, depths and weights of what each triangle covers in a square of `side` pixels."""
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
