# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a picture, found from the mesh that was made of it: its UVs say where the picture shows each vertex.

That is camera resectioning. A pinhole camera is found by the direct linear transformation (Hartley and Zisserman,
Multiple View Geometry, 2nd edition, section 7.1). Vertices that an affine map explains were seen by parallel rays;
nothing else can be said of a flat mesh.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float32Array, Float64Array
from ..raster.small_systems import least_vector, products
from ..raster.vectors import dot, length, unit

_MOST_POINTS = 5000  # that a camera is fitted to
_PARALLEL = 2e-4  # the root mean square error that an affine map may leave, in mean distances of UVs from their middle
_MOST_ERROR = 2e-2  # the same of a pinhole camera


class NoEyeError(ValueError):
    """The UVs of a mesh are no picture of it that a camera took."""


@dataclass(frozen=True)
class Eye:
    """A camera: where it is, how it is turned, and where it sees points.

    projection: float64 (3, 4), from a place and 1 to w times its UV, and w: the depth, or 1 if rays are parallel. axes:
    float64 (3, 3), the picture's right and up and the way to the viewer, a row each, in the mesh's axes. place: float64
    (4,), homogeneous: the eye's place and 1, or the way to the viewer and 0 if rays are parallel.
    """

    projection: Float64Array
    axes: Float64Array
    place: Float64Array

    def rays(self, points: Float64Array) -> Float64Array:
        """The way from points, float64 (..., 3), to the viewer, of length 1."""
        return unit(self.place[:3] - self.place[3] * points, self.axes[2])

    def seen(self, points: Float64Array) -> Float64Array:
        """The UVs of points, float64 (N, 3), and how far they are, in lengths of the mesh; float64 (N, 3)."""
        lines = _projected(points, self.projection)
        if not self.place[3]:
            return np.column_stack([lines[:, :2], -dot(points, self.axes[2])])
        return np.column_stack([lines[:, :2] / lines[:, 2:], lines[:, 2]])

    def pixels(self, points: Float64Array, side: int) -> Float64Array:
        """Column, row and depth of points, float64 (N, 3), in a picture of `side` pixels; depths as `seen` has them."""
        u, v, depth = self.seen(points).T
        return np.stack([u * side, (1.0 - v) * side, depth], axis=1)

    def width(self, points: Float64Array) -> float:
        """How wide a length of 1 that lies across the rays is in UVs, at the middle of points, float64 (N, 3)."""
        middle, short = points.mean(axis=0), 1e-3 * float(np.linalg.norm(np.ptp(points, axis=0)))
        place, *beside = self.seen(np.stack([middle, *(middle + short * self.axes[:2])]))[:, :2]
        return float(length(beside - place).mean()) / short


def find_eye(vertices: Float32Array, uv: Float32Array) -> Eye:
    """Find the camera that shows vertices, float32 (V, 3), at their UVs, float32 (V, 2).

    Raises `NoEyeError` if none does.
    """
    step = max(len(vertices) // _MOST_POINTS, 1)
    points, seen = vertices[::step].astype(np.float64), uv[::step].astype(np.float64)
    middle, centre = points.mean(axis=0), seen.mean(axis=0)
    size, width = length(points - middle).mean(), length(seen - centre).mean()
    if not (size > 0 and width > 0):
        raise NoEyeError
    points, seen = (points - middle) / size, (seen - centre) / width
    slopes = np.linalg.pinv(products(points, points), rcond=1e-12, hermitian=True) @ products(points, seen)
    if _error(np.einsum("ni,ij->nj", points, slopes) - seen) <= _PARALLEL:
        return _parallel(slopes.T * (width / size), middle, centre)
    matrix = _transform(points, seen)
    lines = _projected(points, matrix)
    if not (lines[:, 2] > 0).all() or _error(lines[:, :2] / lines[:, 2:] - seen) > _MOST_ERROR:
        raise NoEyeError
    of_points = np.eye(4)
    of_points[:3] = np.column_stack([np.eye(3), -middle]) / size
    of_seen = np.array([[width, 0.0, centre[0]], [0.0, width, centre[1]], [0.0, 0.0, 1.0]])
    return _pinhole(of_seen @ matrix @ of_points)


def _projected(points: Float64Array, matrix: Float64Array) -> Float64Array:
    """Points, float64 (N, 3), and 1, times a projection, (3, 4): float64 (N, 3). Not by BLAS, see `small_systems`."""
    return np.einsum("nj,ij->ni", points, matrix[:, :3]) + matrix[:, 3]


def _error(left: Float64Array) -> float:
    return float(np.sqrt(dot(left, left).mean()))


def _transform(points: Float64Array, seen: Float64Array) -> Float64Array:
    """The direct linear transformation, float64 (3, 4), positive for most points."""
    lines, none = np.column_stack([points, np.ones(len(points))]), np.zeros((len(points), 4))
    rows = np.concatenate(
        [np.hstack([lines, none, -seen[:, :1] * lines]), np.hstack([none, lines, -seen[:, 1:] * lines])]
    )
    matrix = least_vector(products(rows, rows)).reshape(3, 4)
    return matrix if np.median(_projected(points, matrix)[:, 2]) > 0 else -matrix


def _parallel(slopes: Float64Array, middle: Float64Array, centre: Float64Array) -> Eye:
    """The camera of an affine map from points about a middle to UVs about a centre; slopes: float64 (2, 3)."""
    along, sizes, across = np.linalg.svd(slopes, full_matrices=False)
    if sizes[1] <= 0.5 * sizes[0]:
        raise NoEyeError
    right, up = along @ across
    to_viewer = np.cross(right, up)
    projection = np.zeros((3, 4))
    projection[:2] = np.column_stack([slopes, centre - slopes @ middle])
    projection[2, 3] = 1.0
    axes = np.stack([right, up, to_viewer]).astype(np.float64)
    return Eye(projection, axes, np.append(to_viewer, 0.0))


def _pinhole(matrix: Float64Array) -> Eye:
    """The pinhole camera of a projection, float64 (3, 4), whose third line is the depth up to a factor."""
    matrix = matrix / np.linalg.norm(matrix[2, :3])
    to_viewer = -matrix[2, :3]
    up = unit(matrix[1, :3] - matrix[1, :3] @ to_viewer * to_viewer)
    right = np.cross(up, to_viewer)
    place = -np.linalg.solve(matrix[:, :3], matrix[:, 3])
    if right @ matrix[0, :3] <= 0:
        raise NoEyeError  # it would be a mirror's picture
    axes = np.stack([right, up, to_viewer]).astype(np.float64)
    return Eye(matrix, axes, np.append(place, 1.0))
