# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as cameras see them: in the colours of their images alone, without light."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...arrays import Float32Array, Float64Array, Int32Array
from ...errors import UserError
from ...flow.products import Camera, Mesh, Picture
from ...texture.bake import sample
from ...texture.camera import pixels
from ...texture.raster import look

_SAMPLES = 4  # along a pixel's side
_MOST = 2048  # samples along a picture's side, if it has no more pixels


def framed(meshes: Sequence[Mesh]) -> list[Mesh]:
    """Meshes, together in the frame of views: the middle of their box is the origin, its longest side a metre.

    Raises `UserError` if the box has no extent.
    """
    used = np.concatenate([mesh.vertices[np.unique(mesh.triangles)] for mesh in meshes]).astype(np.float64)
    low, high = used.min(axis=0), used.max(axis=0)
    longest = float((high - low).max())
    if not (np.isfinite(longest) and longest > 0):
        raise UserError("bad-mesh-file", "The mesh has no extent.", "Use a file with a mesh.")
    middle = (low + high) / 2
    return [replace(mesh, vertices=((mesh.vertices - middle) / longest).astype(np.float32)) for mesh in meshes]


def drawn(meshes: Sequence[Mesh], camera: Camera, shape: tuple[int, int]) -> Picture:
    """Meshes as a camera sees them, uint8 (H, W, 4), straight alpha; shape: rows and columns.

    Each has the base colours of its texture, which repeats beyond [0, 1], else its colours, else it is white. The alpha
    of textures is not looked at. Both sides of a face are seen. A pixel is the mean of 4 x 4 samples, of fewer if it
    has more than 512 pixels a side; colours are mixed in sRGB.
    """
    samples = min(_SAMPLES, max(1, _MOST // max(shape)))
    fine = (shape[0] * samples, shape[1] * samples)
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    points = np.concatenate([mesh.vertices for mesh in meshes]).astype(np.float64)
    triangles = np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)])
    seen = look(pixels(points, camera, fine), triangles.astype(np.int32), fine, perspective=camera.fov > 0)
    fine_picture = np.zeros((*fine, 4), np.float32)
    first = 0
    for mesh in meshes:
        there = (seen.triangles >= first) & (seen.triangles < first + len(mesh.triangles))
        which, shares = seen.triangles[there] - first, seen.weights[there].astype(np.float32)
        fine_picture[there, :3] = _colours(mesh, which, shares)
        fine_picture[there, 3] = 1.0
        first += len(mesh.triangles)
    small = fine_picture.reshape(shape[0], samples, shape[1], samples, 4).mean(axis=(1, 3), dtype=np.float32)
    small[..., :3] /= np.maximum(small[..., 3:], 1e-6)
    return np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)


def _colours(mesh: Mesh, which: Int32Array, shares: Float32Array) -> Float32Array:
    """The colours at places on triangles, float32 (P, 3)."""
    image = mesh.texture.base_colour if mesh.texture else None
    if image is not None:
        uv = np.einsum("pc,pcx->px", shares, mesh.corner_uv[which]).astype(np.float64)
        uv: Float64Array = np.where((uv < 0) | (uv > 1), uv - np.floor(uv), uv)
        height, width = image.shape[:2]
        return sample(image[..., :3].astype(np.float32) / 255, uv[:, 0] * width, (1 - uv[:, 1]) * height)
    if mesh.colours is not None:
        return np.einsum("pc,pcx->px", shares, mesh.colours[mesh.triangles[which]])
    return np.ones((len(which), 3), np.float32)
