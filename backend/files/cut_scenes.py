# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh's file that was cut is written with its materials, UVs and colours."""

from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Int64Array
from ..flow.products import Mesh
from ..inspection.cut import Cut
from ..mesh.rows import used
from ..mesh.seams import split_at_seams
from .meshes import MILLIMETRES, Y_UP, textured
from .outputs import check_output, library, writing
from .scenes import Part, SceneFile

CUT_SUFFIXES = (".glb", ".stl", ".ply")


def check_cut_path(path: Path) -> None:
    """Refuse, before any work is done, a path that `write_cut` could not write to. Raises `UserError`."""
    library("trimesh", "trimesh", "write meshes")
    check_output(path, CUT_SUFFIXES, "mesh with a flat foot")


def write_cut(path: Path, source: SceneFile, cut: Cut) -> None:
    """Write what is left of a file's mesh, in metres, STL in millimetres. Raises `UserError`.

    cut: its `source` counts the triangles of `source.mesh`. GLB is y up and holds the materials, UVs and colours of the
    vertices; its nodes are flat, and normals are left to whoever reads it. STL and PLY hold the shape alone, z up.
    """
    trimesh = library("trimesh", "trimesh", "write meshes")
    suffix = path.suffix.lower()
    if suffix == ".glb":
        made = trimesh.Scene()
        for number, part in enumerate(source.parts):
            local = cut.source - part.first
            own = np.flatnonzero((local >= 0) & (local < len(part.triangles)))
            if len(own):
                made.add_geometry(
                    _part(trimesh, part, cut, own), geom_name=f"mesh_{number}", node_name=f"node_{number}"
                )
    else:
        scale = MILLIMETRES if suffix == ".stl" else 1.0
        made = trimesh.Trimesh(cut.vertices * scale, cut.triangles, process=False)
    with writing(path) as file:
        file.write(made.export(file_type=suffix[1:]))


def _part(trimesh: Any, part: Part, cut: Cut, own: Int64Array) -> Any:  # noqa: ANN401 - trimesh's own types
    """One node's part of the cut, a Trimesh. own: which of the cut's triangles are of it."""
    kept, triangles = used(cut.triangles[own], len(cut.vertices))
    corners = part.triangles[cut.source[own] - part.first]  # (T, 3), of the part's own vertices
    weights = cut.weights[own]
    uv = getattr(part.visual, "uv", None)
    mapped = uv is not None and len(uv) == len(part.vertices)
    corner_uv = np.einsum("tpc,tcu->tpu", weights, np.asarray(uv)[corners]) if mapped else np.zeros((len(own), 3, 2))
    split = split_at_seams(
        Mesh(
            (cut.vertices[kept] @ Y_UP).astype(np.float32),
            triangles.astype(np.int32),
            corner_uv.astype(np.float32),
        )
    )
    made = trimesh.Trimesh(split.vertices, split.triangles, process=False)
    if getattr(part.visual, "material", None) is not None:
        made.visual = textured(split.uv, part.visual.material)
    elif part.visual.defined:
        colours = np.einsum("tpc,tcu->tpu", weights, part.visual.vertex_colors[corners].astype(np.float64))
        shown = np.zeros((len(split.vertices), 4))
        shown[split.triangles.reshape(-1)[::-1]] = colours.reshape(-1, 4)[
            ::-1
        ]  # the first one: the wall's, not the cap's
        made.visual.vertex_colors = np.rint(shown).clip(0, 255).astype(np.uint8)
    return made
