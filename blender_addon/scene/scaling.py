# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects become as large as their prints are to be."""

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import AddonError
from .inspected import metre, shape_of

MILLIMETRES = 1000.0  # in a metre


def scale_to(context: bpy.types.Context, thing: bpy.types.Object, millimetres: float) -> None:
    """Scale an object so that the longest side of its box in the scene has so many millimetres.

    It stays on its place: the point of the floor below its origin stays where it is. Raises `AddonError` if it has no
    extent.
    """
    vertices = shape_of(context, thing).vertices
    size = float(np.ptp(vertices, axis=0).max()) if len(vertices) else 0.0
    if not (np.isfinite(size) and size > 0):
        raise AddonError(f"“{thing.name}” has no size.", "Choose a mesh that has some faces.")
    factor = millimetres / MILLIMETRES / size
    origin = thing.matrix_world.translation
    floor = Vector((origin.x, origin.y, float(vertices[:, 2].min()) / metre(context.scene)))
    there = Matrix.Translation(floor)
    thing.matrix_world = there @ Matrix.Scale(factor, 4) @ there.inverted() @ thing.matrix_world


def topmost(things: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Objects of which none is moved with another: those without a parent among them."""
    chosen = [*things]
    return [thing for thing in chosen if not any(parent in chosen for parent in _parents(thing))]


def _parents(thing: bpy.types.Object) -> Iterable[bpy.types.Object]:
    while thing.parent:
        thing = thing.parent
        yield thing
