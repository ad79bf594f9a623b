# SPDX-License-Identifier: GPL-3.0-or-later
"""A result becomes an object in the scene, through arrays and in one undo step; or the scene stays as it was."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..backend.wire.messages import Result
from .errors import AddonError
from .material import new_material
from .pictures import image_from_png

COLLECTION = "Hi3DGen"
RECIPE = "hi3dgen"

Vector = tuple[float, float, float]


@contextmanager
def all_or_nothing() -> Generator[None]:
    """Where what is done within fails, every datablock that it made is removed again."""
    before = datablocks()
    try:
        yield
    except BaseException:
        bpy.data.batch_remove(datablocks() - before)
        raise


def datablocks() -> set[bpy.types.ID]:
    """Everything in the file of the kinds that a generation makes."""
    kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.materials, bpy.data.images, bpy.data.collections)
    return {thing for kind in kinds for thing in kind}


def add_result(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, place: Vector, result: Result
) -> bpy.types.Object:
    """Add the mesh, standing on `place` and facing -Y, as the only selected and the active object.

    Raises `AddonError` for a broken mesh; see `all_or_nothing`.
    """
    mesh = new_mesh(title, result.vertices, result.triangles, result.uv)
    normal_map = image_from_png(f"{title} normals", result.normal_map.tobytes(), data=True)
    mesh.materials.append(new_material(title, picture, normal_map))
    added = bpy.data.objects.new(title, mesh)
    added.location = place
    added[RECIPE] = {"picture": picture.name, **_plain(result.recipe)}
    _collection(scene).objects.link(added)
    _make_active(scene, added)
    return added


def new_mesh(
    name: str, vertices: NDArray[np.float32], triangles: NDArray[np.int32], uv: NDArray[np.float32]
) -> bpy.types.Mesh:
    """A smooth mesh from arrays (V, 3), (T, 3) and, by vertex, (V, 2). Raises `AddonError` where they do not fit."""
    if len(triangles) == 0 or len(uv) != len(vertices) or not _within(triangles, len(vertices)):
        raise AddonError("The mesh that arrived is broken.", "Generate again; report it if it stays.")
    corners = np.ascontiguousarray(triangles).reshape(-1)
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.loops.add(len(corners))
    mesh.polygons.add(len(triangles))
    _fill(mesh.attributes["position"].data, "vector", vertices)
    _fill(mesh.attributes[".corner_vert"].data, "value", corners)
    _fill(mesh.polygons, "loop_start", np.arange(0, len(corners), 3, dtype=np.int32))
    layer = mesh.uv_layers.new(name="UVMap", do_init=False)
    _fill(layer.uv, "vector", uv[corners])
    mesh.update(calc_edges=True)
    return mesh


def recipe_of(thing: bpy.types.Object | None) -> Mapping[str, Any] | None:
    """What the object was made from, or None where it was not made here."""
    return thing[RECIPE] if thing is not None and RECIPE in thing else None


def _within(triangles: NDArray[np.int32], count: int) -> bool:
    return int(triangles.min()) >= 0 and int(triangles.max()) < count


def _fill(target: Any, attribute: str, values: NDArray[Any]) -> None:  # noqa: ANN401 - any bpy collection
    target.foreach_set(attribute, np.ascontiguousarray(values).reshape(-1))


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON becomes ID properties
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's collection for generated objects."""
    for collection in scene.collection.children_recursive:
        if collection.name.split(".")[0] == COLLECTION:
            return collection
    collection = bpy.data.collections.new(COLLECTION)
    scene.collection.children.link(collection)
    return collection


def _make_active(scene: bpy.types.Scene, added: bpy.types.Object) -> None:
    """Select the object alone, where the artist sees it: a hidden or excluded collection stays as it is."""
    layers = [window.view_layer for window in bpy.context.window_manager.windows if window.scene == scene]
    for layer in layers or scene.view_layers[:1]:
        layer.update()  # a layer learns of new collections late
        if added.name in layer.objects:
            for other in layer.objects:
                other.select_set(other == added, view_layer=layer)
            layer.objects.active = added
