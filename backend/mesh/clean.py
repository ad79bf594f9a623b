# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a mesh outward and drops what is not of the object."""

from collections.abc import Callable
from dataclasses import replace

from ..arrays import Int32Array
from ..flow.products import Mesh, Noted, Report
from . import check
from .parts import drop_specks


def clean(
    mesh: Mesh, *, report: Report, stray: Callable[[Mesh], tuple[Mesh, int]] | None = drop_specks
) -> Mesh | Noted:
    """Turn a closed mesh outward, and drop stray parts.

    stray: returns the mesh without the parts that are not of the object, and how many they were; None keeps them all.
    A note says how many went.
    """
    mesh = replace(mesh, triangles=_outward(mesh))
    mesh, count = (mesh, 0) if stray is None else stray(mesh)
    report(1, 1)
    if not count:
        return mesh
    return Noted(mesh, ("1 stray part was removed." if count == 1 else f"{count} stray parts were removed.",))


def _outward(mesh: Mesh) -> Int32Array:
    """Turn the whole mesh inside out if its volume is negative; parts are left as they are, as some may be cavities."""
    inverted = check.signed_volume(mesh.vertices, mesh.triangles) < 0
    return mesh.triangles[:, ::-1] if inverted else mesh.triangles
