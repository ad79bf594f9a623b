# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist does next to a mesh, by Blender's own means: unwrap, decimate, remesh. The picture stays on it.

The picture is projected by one UV map, so that an unwrapping is another one beside it. Blender's Remesh modifier
forgets UV maps; its voxel remesh, which is no modifier, carries them over.
"""

import math
from collections.abc import Generator
from contextlib import contextmanager

import bpy
import numpy as np

from . import material
from .projection import ATLAS

UNWRAPPED = "Unwrapped"
DECIMATE = "Hi3DGen Decimate"
SHARPEST = math.radians(66)  # between faces of one island, and
MARGIN = 0.003  # between islands, in sides of the map
QUADS = 1.5  # that cross a voxel's side of surface, on the average over its directions: |x| + |y| + |z| of a normal


def unwrap(context: bpy.types.Context, thing: bpy.types.Object) -> None:
    """Give an object a UV map `UNWRAPPED` without overlaps, by Smart UV Project.

    The active map stays that: solid shading shows images by it.
    """
    mesh = thing.data
    shown = mesh.uv_layers.active.name if mesh.uv_layers.active else UNWRAPPED
    (mesh.uv_layers.get(UNWRAPPED) or mesh.uv_layers.new(name=UNWRAPPED)).active = True
    with alone(context, thing):
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            bpy.ops.mesh.select_all(action="SELECT")
            bpy.ops.uv.smart_project(angle_limit=SHARPEST, island_margin=MARGIN)
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")
    mesh.uv_layers[shown].active = True


def faces_of(context: bpy.types.Context, thing: bpy.types.Object) -> int:
    """How many triangles an object has, its modifiers included."""
    mesh = thing.evaluated_get(context.evaluated_depsgraph_get()).data
    return len(mesh.loops) - 2 * len(mesh.polygons)


def decimate(context: bpy.types.Context, thing: bpy.types.Object, faces: int) -> None:
    """Let an object have about so many triangles, by a Decimate modifier that can be changed, and is not applied."""
    modifier = thing.modifiers.get(DECIMATE) or thing.modifiers.new(DECIMATE, "DECIMATE")
    modifier.ratio = min(modifier.ratio * faces / max(faces_of(context, thing), 1), 1.0)


def remesh(context: bpy.types.Context, thing: bpy.types.Object, faces: int) -> list[str]:
    """Make an object's surface anew of about `faces` quads of one size, and keep the picture on it.

    Returns the UV maps that are gone, as no other mesh can take over their seams: `UNWRAPPED`, and `ATLAS`. The picture
    is shown then, in the place of the colours all round.
    """
    mesh = thing.data
    seamed = [name for name in (UNWRAPPED, ATLAS) if name in mesh.uv_layers]
    for name in seamed:
        mesh.uv_layers.remove(mesh.uv_layers[name])
    for shown in material.own(mesh, material.shows_all_round):
        material.settle(shown, mesh)
    areas = np.empty(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", areas)
    mesh.remesh_voxel_size = math.sqrt(QUADS * float(areas.sum(dtype=np.float64)) / faces)
    mesh.remesh_voxel_adaptivity = 0.0
    mesh.use_remesh_preserve_attributes = True
    with alone(context, thing):
        bpy.ops.object.voxel_remesh()
    return seamed


@contextmanager
def alone(context: bpy.types.Context, thing: bpy.types.Object) -> Generator[None]:
    """Within, an object is the only selected one, and the active one: Blender's operators work on those."""
    objects = context.view_layer.objects
    active, selected = objects.active, [other for other in objects if other.select_get()]
    for other in selected:
        other.select_set(state=False)
    thing.select_set(state=True)
    objects.active = thing
    try:
        yield
    finally:
        thing.select_set(state=False)
        for other in selected:
            other.select_set(state=True)
        objects.active = active
