# SPDX-License-Identifier: GPL-3.0-or-later
"""A thing that looks different from everywhere, and pictures of it by known cameras."""

import numpy as np

from backend.arrays import Float64Array, Int32Array
from backend.flow.products import Camera, Crop, Cutout, Mesh, NormalMap, Picture
from backend.texture.camera import orbit, pixels
from backend.texture.raster import look

_FACES = np.array(
    [
        *((0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4)),
        *((1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7)),
    ],
    np.int32,
)


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> tuple[Float64Array, Int32Array]:
    """A box, outward: vertices (8, 3), and 12 triangles."""
    (a, b, c), (d, e, f) = low, high
    bottom, top = ([(a, b, z), (d, b, z), (d, e, z), (a, e, z)] for z in (c, f))
    return np.array([*bottom, *top], np.float64), _FACES.copy()


def thing() -> Mesh:
    """A base with a tower at one corner, a wall at another, and a nose to the front: three boxes and a wedge."""
    boxes = [
        box((-0.5, -0.3, 0.0), (0.5, 0.4, 0.2)),
        box((-0.5, 0.0, 0.2), (-0.2, 0.4, 0.9)),
        box((0.3, -0.3, 0.2), (0.5, 0.4, 0.45)),
        box((-0.1, -0.55, 0.02), (0.12, -0.3, 0.16)),
    ]
    boxes[1][0][4:, :2] = boxes[1][0][4:, :2] * 0.4 + 0.6 * np.array([-0.4, 0.1])  # a tower that leans and tapers
    return joined(boxes)


def joined(bodies: list[tuple[Float64Array, Int32Array]]) -> Mesh:
    """Bodies as one mesh without UVs."""
    starts = np.cumsum([0, *(len(points) for points, _ in bodies)])
    vertices = np.concatenate([points for points, _ in bodies]).astype(np.float32)
    triangles = np.concatenate([faces + start for (_, faces), start in zip(bodies, starts, strict=False)])
    return Mesh(vertices, triangles.astype(np.int32), np.zeros((len(vertices), 2), np.float32))


def camera_at(azimuth: float, elevation: float, distance: float, fov: float, aim: tuple[float, float, float]) -> Camera:
    """A camera that looks at a place."""
    camera = orbit(azimuth, elevation, distance, fov)
    matrix = camera.matrix.copy()
    matrix[:3, 3] += aim
    return Camera(matrix, fov)


def photographed(mesh: Mesh, camera: Camera, shape: tuple[int, int]) -> tuple[Picture, NormalMap]:
    """A picture of a mesh, RGBA, coloured by place and cut out, and its true normals in the picture's frame."""
    places = pixels(mesh.vertices.astype(np.float64), camera, shape)
    seen = look(places, mesh.triangles, shape)
    there = seen.triangles >= 0
    at = mesh.triangles[np.maximum(seen.triangles, 0)]
    where = np.einsum("hwc,hwcx->hwx", seen.weights, mesh.vertices[at].astype(np.float64))
    picture = np.zeros((*shape, 4), np.uint8)
    picture[..., :3] = np.rint(255 * colour_at(where))
    picture[..., 3] = np.where(there, 255, 0)
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    normals = (flat[np.maximum(seen.triangles, 0)] @ camera.matrix[:3, :3]).astype(np.float32)
    normals[~there] = (0, 0, 1)
    return picture, NormalMap(normals, there.astype(np.float32))


def colour_at(places: Float64Array) -> Float64Array:
    """The colour, (..., 3) in [0, 1], of the thing's surface at places, (..., 3)."""
    return np.clip(np.stack([places[..., 0] + 0.5, places[..., 1] + 0.55, places[..., 2]], axis=-1), 0, 1)


def as_cutout(picture: Picture) -> Cutout:
    """A square picture as its own cut-out."""
    side = picture.shape[0]
    return Cutout(picture, Crop(0, 0, side, side, side))
