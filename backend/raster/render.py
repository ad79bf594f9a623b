# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a small picture of a mesh, grey under three lights, by a z-buffer in numpy."""

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Mesh, Picture
from .triangles import nearest
from .vectors import unit

_LIGHTS = np.array([[-0.45, -0.65, 0.6], [0.85, -0.45, 0.25], [0.0, 0.9, 0.5]])  # key, fill, rim, towards the light
_STRENGTHS = np.array([0.75, 0.25, 0.2])
_AMBIENT = 0.12


def vertex_normals(mesh: Mesh) -> Float64Array:
    """Return the vertices' area-weighted unit normals, float64 (V, 3)."""
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64).take(mesh.triangles, axis=0), 1, 0)
    face = np.asarray(np.cross(b - a, c - a), np.float64)
    owners, count = np.ascontiguousarray(mesh.triangles.T, np.intp), len(mesh.vertices)
    sums = [sum(np.bincount(owner, part, count) for owner in owners) for part in np.ascontiguousarray(face.T)]
    return unit(np.stack(sums, axis=1).astype(np.float64), least=1e-20)


def render(mesh: Mesh, angle: float, size: int, *, coloured: bool = False) -> Picture:
    """Render a placed mesh from the front (-y), turned by `angle` degrees around z: uint8 (size, size, 4).

    mesh: one metre long, standing at the origin. The projection is parallel, the background transparent. coloured: in
    the colours of the mesh's own image, if it has one, without light.
    """
    turn = np.radians(angle)
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    middle = np.array([0.0, 0.0, float(mesh.vertices[:, 2].max()) / 2])
    place = (mesh.vertices.astype(np.float64) - middle) @ turned.T
    x, y = (place[:, 0] / 1.1 + 0.5) * size, (0.5 - place[:, 2] / 1.1) * size
    screen = np.stack([x, y, place[:, 1]], axis=1).astype(np.float64)
    normals = vertex_normals(mesh) @ turned.T
    pixel, triangle, weights = nearest(screen[mesh.triangles], (size, size))
    corners = mesh.triangles[triangle]
    normal = np.einsum("ij,ijk->ik", weights, normals[corners])
    shade = _AMBIENT + np.maximum(unit(normal, least=1e-20) @ unit(_LIGHTS).T, 0.0) @ _STRENGTHS
    image = np.zeros((size * size, 4))
    image[pixel, 3] = 1.0
    image[pixel, :3] = np.clip(shade, 0, 1)[:, None] ** (1 / 1.8)
    own = mesh.texture.base_colour if mesh.texture and coloured else None
    if own is not None:
        place = np.einsum("ij,ijk->ik", weights, mesh.corner_uv[triangle]).clip(0, 1)
        rows = np.minimum((1 - place[:, 1]) * own.shape[0], own.shape[0] - 1).astype(np.intp)
        columns = np.minimum(place[:, 0] * own.shape[1], own.shape[1] - 1).astype(np.intp)
        image[pixel, :3] = own[rows, columns, :3] / 255
    return (image.reshape(size, size, 4) * 255).astype(np.uint8)
