# SPDX-License-Identifier: GPL-3.0-or-later
"""An object from four sides: in its colours under a lamp, and as normals."""

from typing import NamedTuple

import numpy as np

from ..arrays import Float64Array, UInt8Array
from ..flow.products import Mesh
from ..raster.render import vertex_normals
from ..raster.triangles import nearest
from ..raster.vectors import unit
from ..texture.camera import orbit

SIDE = 224
"""Pixels along the sides of a view: 16 patches of DINOv2."""
TURNS = (30.0, 120.0, 210.0, 300.0)
"""From where the views look, in degrees from the front (-y) towards +x."""
_ABOVE = 25.0  # degrees
_MARGIN = 1.04
_LAMP = unit(np.array([-0.45, 0.6, 0.65]))  # in the camera's axes: from above and from the left
_AMBIENT = 0.35
GREY = 0.72
"""What a surface without colours has in each, sRGB."""


class Seen(NamedTuple):
    """An object's views.

    lit: uint8 (V, SIDE, SIDE, 3), over white. normals: float64 (V, SIDE, SIDE, 3), unit, x right, y up, z to the
    viewer; zeros if nothing is hit.
    """

    lit: UInt8Array
    normals: Float64Array

    def sheet(self) -> UInt8Array:
        """The views side by side, above their normals over white, uint8 (2 SIDE, V SIDE, 3)."""
        shown = np.where(self.normals.any(axis=3, keepdims=True), self.normals * 0.5 + 0.5, 1.0)
        rows = [np.concatenate([*row], axis=1) for row in (self.lit, np.rint(shown * 255).astype(np.uint8))]
        return np.concatenate(rows)


def views_of_sheet(sheet: UInt8Array) -> UInt8Array:
    """The views in light of a `Seen.sheet`, uint8 (V, SIDE, SIDE, 3)."""
    row = sheet[:SIDE, :, :3]
    return np.stack(np.split(row, row.shape[1] // SIDE, axis=1))


def look(mesh: Mesh) -> Seen:
    """Look at a mesh with at least one triangle with extent, in a parallel projection that holds it from every side."""
    used = mesh.vertices.astype(np.float64)[np.unique(mesh.triangles)]
    middle = (used.min(axis=0) + used.max(axis=0)) / 2
    reach = float(np.linalg.norm(used - middle, axis=1).max()) * _MARGIN
    places = (mesh.vertices.astype(np.float64) - middle) / reach
    towards = vertex_normals(mesh)
    colours = np.full((len(places), 3), GREY) if mesh.colours is None else mesh.colours.astype(np.float64)
    lit = np.full((len(TURNS), SIDE * SIDE, 3), 255, np.uint8)
    normals = np.zeros((len(TURNS), SIDE * SIDE, 3))
    for view, turn in enumerate(TURNS):
        axes = orbit(turn, _ABOVE, 0.0, 0.0).matrix[:3, :3].T  # its right, up and back
        right, up, back = (places @ axes.T).T
        screen = np.stack([(right + 1) * SIDE / 2, (1 - up) * SIDE / 2, -back], axis=1)
        pixel, triangle, weights = nearest(screen[mesh.triangles], (SIDE, SIDE))
        corners = mesh.triangles[triangle]
        seen = unit(np.einsum("ij,ijk->ik", weights, (towards @ axes.T)[corners]), least=1e-20)
        tones = np.einsum("ij,ijk->ik", weights, colours[corners])
        shade = _AMBIENT + (1 - _AMBIENT) * np.maximum(seen @ _LAMP, 0.0)
        lit[view, pixel] = np.rint(255 * (tones * shade[:, None]).clip(0, 1))
        normals[view, pixel] = seen
    return Seen(lit.reshape(len(TURNS), SIDE, SIDE, 3), normals.reshape(len(TURNS), SIDE, SIDE, 3))
