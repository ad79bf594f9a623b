# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage of every engine: the mesh as it enters the scene."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32Array
from ..errors import UserError
from ..flow.products import Crop, Mesh, Report
from . import check
from .parts import drop_specks
from .simplify import simplify

_STEPS = 20
FACES = 100_000
"""How many triangles a mesh may have, unless told."""


def finish(
    mesh: Mesh,
    crop: Crop,
    report: Report,
    *,
    faces: int = FACES,
    clean: bool = True,
    reduce: bool = True,
    stray: Callable[[Mesh], tuple[Mesh, int]] = drop_specks,
) -> Mesh:
    """Clean a mesh, reduce it, and set it on the floor, one metre long, its uv in the picture's frame.

    mesh: closed, in any unit, its uv in the cut-out's frame. crop: the square of the picture that the cut-out is.
    faces: how many triangles it may have at most. stray: what drops parts that are not of the object, and counts them;
    a note on the mesh says how many went. Returns float32 vertices and int32 triangles: outward, without stray parts,
    centred in x and y, lowest point at z = 0, longest side 1 m. Colours and normals come along. Raises UserError
    "empty-mesh" for a mesh without extent.

    Without `clean` stray parts stay. Without `reduce` every triangle stays.
    """
    report(0, _STEPS)
    mesh = replace(mesh, triangles=_outward(mesh))
    if clean:
        mesh, count = stray(mesh)
        if count:
            said = "1 stray part was removed." if count == 1 else f"{count} stray parts were removed."
            mesh = replace(mesh, notes=(*mesh.notes, said))
    report(1, _STEPS)
    if reduce:
        mesh = reduced(mesh, faces, lambda fraction: report(1 + int(fraction * (_STEPS - 2)), _STEPS))
    used = mesh.vertices[np.unique(mesh.triangles)].astype(np.float64)
    low, high = (used.min(axis=0), used.max(axis=0)) if len(used) else (np.zeros(3), np.zeros(3))
    size = float((high - low).max())
    if not (np.isfinite(size) and size > 0):
        raise UserError("empty-mesh", "The result has no surface.", "Try another picture or another seed.")
    floor = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    report(_STEPS, _STEPS)
    return replace(mesh, vertices=((mesh.vertices - floor) / size).astype(np.float32), uv=_in_picture(mesh.uv, crop))


def reduced(mesh: Mesh, faces: int, tick: Callable[[float], None]) -> Mesh:
    """Reduce a closed mesh to at most `faces` triangles, uv, colours and normals with it; see `simplify`."""
    columns = [part for part in (mesh.uv, mesh.colours, mesh.normals) if part is not None]
    points, carried, triangles = simplify(
        mesh.vertices.astype(np.float64),
        np.concatenate(columns, axis=1).astype(np.float64),
        mesh.triangles.astype(np.int64),
        faces,
        tick,
    )
    carried = carried.astype(np.float32)
    colours = None if mesh.colours is None else np.ascontiguousarray(carried[:, 2:5])
    normals = None if mesh.normals is None else _unit(carried[:, -3:])
    return replace(
        mesh,
        vertices=points.astype(np.float32),
        triangles=triangles.astype(np.int32),
        uv=np.ascontiguousarray(carried[:, :2]),
        colours=colours,
        normals=normals,
    )


def _unit(vectors: Float32Array) -> Float32Array:
    """Vectors made as long as 1, (N, 3); where opposite normals have met and nothing is left, up."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0], np.float32)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), up).astype(np.float32)


def _outward(mesh: Mesh) -> NDArray[np.int32]:
    """Turn the whole mesh inside out if its volume is negative; parts are left as they are, as some may be cavities."""
    inverted = check.signed_volume(mesh.vertices, mesh.triangles) < 0
    return mesh.triangles[:, ::-1] if inverted else mesh.triangles


def _in_picture(uv: Float32Array, crop: Crop) -> Float32Array:
    """Carry uv from the cut-out's frame to the picture's; both have v upward, the crop counts rows downward."""
    u = (crop.left + uv[:, 0] * crop.side) / crop.picture_width
    v = 1.0 - (crop.top + (1.0 - uv[:, 1]) * crop.side) / crop.picture_height
    return np.stack([u, v], axis=1).astype(np.float32)
