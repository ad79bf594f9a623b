# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects become as large as their prints are to be."""

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import AddonError
from .inspected import MILLIMETRES, metre, shape_of


def scale_to(context: bpy.types.Context, things: Iterable[bpy.types.Object], millimetres: float) -> None:
    """Scale objects so that the longest side of each one's box in the scene has so many millimetres.

    Each stays on its place: the point of the floor below its origin stays where it is. Raises `AddonError` if one has
    no extent or is to have none, and leaves all as they were then.
    """
    if not 0 < millimetres < np.inf:
        raise AddonError(f"Nothing is {millimetres:g} mm long.", "Give a number above 0.")
    scaled = [(thing, _scaled(context, thing, millimetres)) for thing in things]
    for thing, matrix in scaled:
        thing.matrix_world = matrix


def _scaled(context: bpy.types.Context, thing: bpy.types.Object, millimetres: float) -> Matrix:
    """Where an object stands when it is scaled. Raises `AddonError`."""
    vertices = shape_of(context, thing).vertices
    size = float(np.ptp(vertices, axis=0).max()) if len(vertices) else 0.0
    if not (np.isfinite(size) and size > 0):
        raise AddonError(f"“{thing.name}” has no size.", "Choose a mesh that has some faces.")
    factor = millimetres / MILLIMETRES / size
    origin = thing.matrix_world.translation
    floor = Vector((origin.x, origin.y, float(vertices[:, 2].min()) / metre(context.scene)))
    there = Matrix.Translation(floor)
    return there @ Matrix.Scale(factor, 4) @ there.inverted() @ thing.matrix_world


def topmost(things: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Objects of which none is moved with another: those without a parent among them."""
    chosen = [*things]
    return [thing for thing in chosen if not any(parent in chosen for parent in _parents(thing))]


def _parents(thing: bpy.types.Object) -> Iterable[bpy.types.Object]:
    while thing.parent:
        thing = thing.parent
        yield thing
