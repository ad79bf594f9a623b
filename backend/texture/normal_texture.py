# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal map's detail that a mesh is too coarse for, as a normal texture.

Where the picture sees the surface, the normals are the map's, as far as the mesh bears them out (`agreement`); towards
the outline, at a grazing angle and where nobody sees it they go over into the mesh's own.
"""

import numpy as np

from ..arrays import Float32Array, Float64Array, UInt8Array
from ..flow.products import Mesh, NormalMap, Report
from ..mesh.eye import find_eye
from ..mesh.smooth import smooth_normals
from ..raster.blur import box_blur
from ..raster.pull_push import fill
from ..raster.vectors import unit
from .agreement import agreed
from .atlas import pixels_of
from .bake import sample, without_rim
from .gutter import bordered
from .raster import look
from .tangents import tangents

PIXELS = 8.0
"""Pixels of the map in a triangle that the picture sees, in the mean, from which on the mesh is too coarse for it."""
_STEPS = 10
_GRAZING, _SQUARE = 0.15, 0.5  # cosines to the ray, between which the map comes to count
_OPAQUE = 0.9  # the least alpha that is trusted
_RIM = 0.006  # of the side: the outline's pixels, which are left out, and over which the map comes to count
_NEAR = 0.015  # of the side: how far behind the nearest surface a point may be to be seen
_LEAST = 0.05  # the least cosine between a normal and the mesh's own


def is_coarse(mesh: Mesh, normal_map: NormalMap) -> bool:
    """Whether a mesh has too few triangles for the detail of a normal map; see `PIXELS`.

    mesh: its picture_uv in the map's frame.
    """
    assert mesh.picture_uv is not None  # noqa: S101 - painted meshes have it
    a, b, c = np.moveaxis(mesh.picture_uv[mesh.triangles].astype(np.float64), 1, 0)
    facing = np.count_nonzero((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0)
    return bool(np.count_nonzero(normal_map.alpha > _OPAQUE) > PIXELS * facing)


def bake_normals(mesh: Mesh, normal_map: NormalMap, size: int, report: Report) -> UInt8Array:
    """A normal texture, uint8 (size, size, 3), in tangent space, y up; see `Texture.normal`.

    mesh: its uv by corner, its picture_uv in the map's frame. Readers take its normals to be smooth. Raises
    `NoEyeError` if no camera shows the mesh at its picture_uv.
    """
    assert mesh.picture_uv is not None  # noqa: S101 - painted meshes have it
    done = 0

    def poll() -> None:
        report(done, _STEPS)

    poll()
    eye = find_eye(mesh.vertices, mesh.picture_uv)
    own = smooth_normals(mesh.vertices, mesh.triangles).astype(np.float64)
    axes = tangents(mesh.vertices, mesh.triangles, mesh.corner_uv, own)
    done = 2
    poll()
    side = normal_map.alpha.shape[0]
    places = eye.pixels(mesh.vertices.astype(np.float64), side)
    seen = look(places, mesh.triangles, (side, side), perspective=bool(eye.place[3]), poll=poll)
    near = _NEAR / eye.width(mesh.vertices.astype(np.float64))
    trust = _trust(normal_map)
    drawn = unit(np.einsum("hwk,hwkc->hwc", seen.weights, own[mesh.triangles[seen.triangles]]), eye.axes[2])
    normals = unit(normal_map.normals.astype(np.float64)) @ eye.axes
    shown = np.dstack([agreed(drawn, normals, (trust > 0) & (seen.triangles >= 0)), trust]).astype(np.float32)
    done = 4
    image, covered = np.zeros((size * size, 3), np.float32), np.zeros(size * size, np.float32)
    for pixel, triangle, shares in pixels_of(mesh.corner_uv, size, poll):
        corners = mesh.triangles[triangle]
        point, normal = (np.einsum("pk,pkc->pc", shares, each[corners]) for each in (mesh.vertices, own))
        tangent = np.einsum("pk,pkc->pc", shares, axes[triangle])
        place = eye.pixels(point, side)
        found = sample(shown, place[:, 0], place[:, 1]).astype(np.float64)
        smooth = unit(normal)
        cosines = (smooth * eye.rays(point)).sum(axis=1)
        share = (
            np.clip((cosines - _GRAZING) / (_SQUARE - _GRAZING), 0, 1)
            * found[:, 3]
            * _is_seen(place, seen.depths, near)
        )
        wanted = unit(smooth + share[:, None] * (found[:, :3] - smooth), smooth)
        image[pixel] = _in_axes(wanted, tangent, normal)
        covered[pixel] = 1.0
    done = 9
    poll()
    known = covered.reshape(size, size)
    filled = bordered(fill(image.reshape(size, size, 3), known, poll), known > 0)
    colours = np.rint(unit(filled, (0.0, 0.0, 1.0)) * 127.5 + 127.5).astype(np.uint8)
    report(_STEPS, _STEPS)
    return colours


def _trust(normal_map: NormalMap) -> Float32Array:
    """How far the pixels of a map count, float32 (S, S) in [0, 1]: those at the outline do not."""
    rim = max(1, round(_RIM * normal_map.alpha.shape[0]))
    inner = without_rim(normal_map.alpha > _OPAQUE, rim)
    return box_blur(inner.astype(np.float32), max(1.0, rim / 2), beyond="zero") * inner


def _is_seen(places: Float64Array, depths: Float64Array, near: float) -> Float64Array:
    """Whether points are the nearest at their pixel, float64 (N,), 1 or 0."""
    last = len(depths) - 1
    column, row = (np.clip(places[:, axis], 0, last).astype(np.intp) for axis in (0, 1))
    return (places[:, 2] < depths[row, column] + near).astype(np.float64)


def _in_axes(wanted: Float64Array, tangent: Float64Array, normal: Float64Array) -> Float64Array:
    """Unit vectors in the axes of tangent, bitangent and normal, float64 (N, 3).

    The axes are taken as readers interpolate them, neither of length 1 nor square to each other, so that what they get
    is what is wanted (Mikkelsen 2008, section 3).
    """
    bitangent = np.cross(normal, tangent)
    parts = (np.cross(bitangent, normal), np.cross(normal, tangent), np.cross(tangent, bitangent))
    inner = np.stack([(wanted * part).sum(axis=1) for part in parts], axis=1)
    inner[:, 2] = np.maximum(inner[:, 2], _LEAST * np.linalg.norm(inner[:, :2], axis=1))
    return unit(inner, (0.0, 0.0, 1.0), least=1e-30)
