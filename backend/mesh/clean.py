# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage `clean`: turns a mesh outward and drops stray parts."""

from collections.abc import Callable
from dataclasses import replace

from ..flow.products import Mesh, Noted, Report
from . import check
from .parts import drop_specks


def clean(
    mesh: Mesh, *, report: Report, stray: Callable[[Mesh], tuple[Mesh, int]] | None = drop_specks
) -> Mesh | Noted:
    """Turn a closed mesh outward, and drop stray parts.

    stray: returns the mesh without parts that do not belong to the object, and how many they were; None keeps all
    parts. A note says how many were dropped.
    """
    mesh = _outward(mesh)
    mesh, count = (mesh, 0) if stray is None else stray(mesh)
    report(1, 1)
    if not count:
        return mesh
    return Noted(mesh, ("1 stray part was removed." if count == 1 else f"{count} stray parts were removed.",))


def _outward(mesh: Mesh) -> Mesh:
    """Turn all triangles if the whole volume is negative. Single parts are not turned, as they may be cavities."""
    if check.signed_volume(mesh.vertices, mesh.triangles) >= 0:
        return mesh
    return replace(mesh, triangles=mesh.triangles[:, ::-1], uv=mesh.uv if mesh.uv.ndim == 2 else mesh.uv[:, ::-1])
