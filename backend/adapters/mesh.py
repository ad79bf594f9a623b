# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes: with the picture or with images of their own."""

from collections.abc import Mapping
from typing import Any

from ..files.meshes import check_mesh_path, mesh_files, write_mesh
from ..flow.products import Mesh, Picture
from ..raster.render import render
from ..wire import products as wire
from .adapter import Adapter
from .texture import encoded

_DRAWN = 160  # pixels a side
_ANGLE = 35.0  # degrees: a little from the side, so that its depth shows


def _to_wire(mesh: Mesh) -> wire.Mesh:
    by_corner = mesh.uv.ndim == 3
    return wire.Mesh(
        mesh.vertices,
        mesh.triangles,
        uv=None if by_corner else mesh.uv,
        corner_uv=mesh.uv if by_corner else None,
        colours=mesh.colours,
        vertex_normals=mesh.normals,
        picture_uv=mesh.picture_uv,
        **encoded(mesh.texture),
    )


def _about(mesh: Mesh) -> Mapping[str, Any]:
    return {"vertices": len(mesh.vertices), "triangles": len(mesh.triangles)}


def _draw(mesh: Mesh) -> Picture:
    return render(mesh, angle=_ANGLE, size=_DRAWN)


ADAPTER = Adapter("mesh", Mesh, None, _to_wire, check_mesh_path, write_mesh, ".glb", _about, _draw, mesh_files)
