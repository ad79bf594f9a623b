# SPDX-License-Identifier: GPL-3.0-or-later
"""The surface of any mesh in the scene: read to be painted, and shown in the colours that come back.

Nothing of the mesh changes but a UV map of its own name and a material that shows it; its faces stay as they are.
"""

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.wire.products import Mesh
from ..errors import AddonError
from . import material as materials
from .projection import ATLAS
from .switch import is_ours

MOST_UV_MAPS = 8  # of Blender's


@dataclass(frozen=True)
class Surface:
    """A mesh's surface, an entry a triangle.

    points: float32 (V, 3), the vertices in the scene. triangles: int32 (T, 3), their vertices. loops: int32 (T, 3), the
    corners of the mesh that they have. faces: int32 (T,), the faces that they are part of. corner_uv: float32
    (T, 3, 2), by the active UV map; None if there is none.
    """

    points: NDArray[np.float32]
    triangles: NDArray[np.int32]
    loops: NDArray[np.int32]
    faces: NDArray[np.int32]
    corner_uv: NDArray[np.float32] | None


def read(thing: bpy.types.Object) -> Surface:
    """The surface of an object without its modifiers and shape keys.

    Raises `AddonError` if there is none, or if the mesh takes no further UV map.
    """
    mesh = thing.data
    if not len(mesh.polygons):
        raise AddonError(f"“{thing.name}” has no faces.", "Choose a mesh that has some.")
    _check_uv_maps(thing)
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    points = np.empty((len(mesh.vertices), 3), np.float32)
    triangles, loops, faces = np.empty((count, 3), np.int32), np.empty((count, 3), np.int32), np.empty(count, np.int32)
    mesh.attributes["position"].data.foreach_get("vector", points.reshape(-1))
    mesh.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
    mesh.loop_triangles.foreach_get("loops", loops.reshape(-1))
    mesh.loop_triangles.foreach_get("polygon_index", faces)
    uv = None
    if layer := mesh.uv_layers.active:
        uv = np.empty((len(mesh.loops), 2), np.float32)
        mesh.attributes[layer.name].data.foreach_get("vector", uv.reshape(-1))
        uv = uv[loops]
    matrix = np.array(thing.matrix_world, np.float64)
    placed = points @ matrix[:3, :3].T + matrix[:3, 3]
    return Surface(placed.astype(np.float32), triangles, loops, faces, uv)


def show(thing: bpy.types.Object, surface: Surface, product: Mesh, image: bpy.types.Image, title: str) -> None:
    """Let an object, and whatever shares its mesh, show an image of its colours, which lies by the UVs of a product.

    A material of ours shows it in the place of its own colours; else all faces get a material that shows nothing else,
    and those that they had stay in their slots. Raises `AddonError` if the mesh is another one by now, or takes no
    further UV map.
    """
    mesh = thing.data
    if product.corner_uv is None or not _is_still(mesh, surface, len(product.corner_uv)):
        sentence = f"The mesh of “{thing.name}” was changed while it was painted."
        raise AddonError(sentence, "Paint it again.")
    _check_uv_maps(thing)
    stays = _lay_out(mesh, surface, product.corner_uv)
    if is_ours(thing.active_material):
        for own in materials.own(mesh, is_ours):
            materials.show_colours(own, image, others_fit=stays)
            materials.settle(own, mesh)
    else:
        _show_alone(mesh, materials.painted_material(title, image, _painted_by(mesh)))
    mesh.update()


def _check_uv_maps(thing: bpy.types.Object) -> None:
    layers = thing.data.uv_layers
    if ATLAS not in layers and len(layers) >= MOST_UV_MAPS:
        sentence = f"“{thing.name}” has {MOST_UV_MAPS} UV maps, the most that Blender has."
        raise AddonError(sentence, "Remove one of them.")


def _lay_out(mesh: bpy.types.Mesh, surface: Surface, corner_uv: NDArray[np.float32]) -> bool:
    """Write UVs, (T, 3, 2), into the mesh's UV map of that use, and make it the active one; whether they were there."""
    layer = mesh.uv_layers.get(ATLAS) or mesh.uv_layers.new(name=ATLAS)
    data = mesh.attributes[layer.name].data
    former, uv = np.empty((len(mesh.loops), 2), np.float32), np.zeros((len(mesh.loops), 2), np.float32)
    data.foreach_get("vector", former.reshape(-1))
    uv[surface.loops.reshape(-1)] = corner_uv.reshape(-1, 2)
    data.foreach_set("vector", uv.reshape(-1))
    mesh.uv_layers[ATLAS].active = True
    return np.allclose(former, uv, rtol=0.0, atol=1e-6)


def _is_still(mesh: bpy.types.Mesh, surface: Surface, count: int) -> bool:
    """Whether a mesh has the corners that were read of it."""
    if count != len(surface.triangles) or int(surface.loops.max()) >= len(mesh.loops):
        return False
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.attributes[".corner_vert"].data.foreach_get("value", corners)
    return np.array_equal(corners[surface.loops], surface.triangles)


def _painted_by(mesh: bpy.types.Mesh) -> bpy.types.Material | None:
    """The material that has shown an earlier painting on this mesh alone."""
    shown = (each for each in mesh.materials if materials.is_painted(each))
    return next((each for each in shown if materials.meshes_of(each) <= {mesh}), None)


def _show_alone(mesh: bpy.types.Mesh, made: bpy.types.Material) -> None:
    """Let all faces show a material; what they showed stays in the slots."""
    if made not in [*mesh.materials]:  # by itself: a linked one may have its name
        mesh.materials.append(made)
    slot = [*mesh.materials].index(made)
    mesh.polygons.foreach_set("material_index", np.full(len(mesh.polygons), slot, np.int32))
    for thing in bpy.data.objects:
        if thing.data == mesh:
            thing.active_material_index = slot
            thing.material_slots[slot].link = "DATA"
