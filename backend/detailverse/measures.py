# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage that looks at each mesh: writes its views, `NAME.jpg`, and what was measured of it, `NAME.json`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Float32Array
from ..batch.made import Made
from ..batch.running import Task
from ..errors import UserError
from ..files.coloured import read_coloured
from ..files.pictures import write_picture
from ..files.scenes import read_scene
from ..flow.products import Mesh, Picture
from ..safe_files import write_json
from .drawing import GREY, Seen, look
from .geometry import measured

INPUT = "mesh"
_BINS = 32  # along each axis of the histogram of normals


def make(task: Task) -> Made:
    """Measure and draw the mesh of a task. Raises `UserError`."""
    path = Path(task.inputs[INPUT])
    mesh = read_mesh(path)
    finite = bool(np.isfinite(mesh.vertices).all())
    geometry = measured(mesh) if finite and len(mesh.triangles) else None
    if geometry is None:
        raise UserError("bad-mesh-file", f"“{path.name}” has no extent.", "Use a file with a mesh.")
    seen = look(mesh)
    write_json(Path(task.folder, f"{task.stem}.json"), {**asdict(geometry), **_seen(seen)})
    sheet = seen.sheet()
    write_picture(Path(task.folder, f"{task.stem}.jpg"), sheet)
    return Made(drawn=[_opaque(seen.lit[0]), _opaque(sheet[-seen.lit.shape[1] :, : seen.lit.shape[2]])])


def read_mesh(path: Path) -> Mesh:
    """All triangles of a file as one mesh, in Blender's axes; with colours of the vertices if it holds colours.

    Raises `UserError`.
    """
    try:
        parts = read_coloured(path)
    except UserError:  # it may have no colours; if it cannot be read, this says so again
        return read_scene(path).mesh
    firsts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.triangles + first for part, first in zip(parts, firsts, strict=False)]).astype(np.int32),
        np.zeros((int(firsts[-1]), 2), np.float32),
        colours=np.concatenate([_colours(part) for part in parts]),
    )


def _colours(mesh: Mesh) -> Float32Array:
    """The colours of a part's vertices, looked up in its image if it has one; grey without any."""
    if mesh.texture is None or mesh.texture.base_colour is None:
        return np.full((len(mesh.vertices), 3), GREY, np.float32) if mesh.colours is None else mesh.colours
    image, uv = mesh.texture.base_colour, np.where((mesh.uv < 0) | (mesh.uv > 1), mesh.uv - np.floor(mesh.uv), mesh.uv)
    height, width = image.shape[:2]
    rows, columns = ((1 - uv[:, 1]) * (height - 1)).round().astype(int), (uv[:, 0] * (width - 1)).round().astype(int)
    return image[rows, columns, :3].astype(np.float32) / 255


def _seen(seen: Seen) -> dict[str, Any]:
    """coverage: the share of the views that the object covers. entropy: of the directions of its normals, in bits."""
    hit = seen.normals.any(axis=3)
    across = ((seen.normals[hit][:, :2] + 1) / 2 * _BINS).astype(int).clip(0, _BINS - 1)
    shares = np.bincount(across @ np.array([_BINS, 1]), minlength=1) / max(int(hit.sum()), 1)
    shares = shares[shares > 0]
    return {"coverage": float(hit.mean()), "entropy": float(-(shares * np.log2(shares)).sum())}


def _opaque(pixels: Picture) -> Picture:
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
