# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's results become objects in the scene, through arrays and in one undo step; or the scene stays as it was."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.wire.messages import Result
from ..errors import AddonError
from .material import COLOUR_ATTRIBUTE, new_material
from .pictures import image_from_png

COLLECTION = "Hi3DGen"
RECIPE = "hi3dgen"
NORMAL_ATTRIBUTE = "Hi3DGen Normal"
SPACING = 1.25  # from middle to middle, in widths of the widest

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


def add_results(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, place: Vector, results: Sequence[Result]
) -> list[bpy.types.Object]:
    """Add the meshes of one job, facing -Y, as the only selected objects; the first is the active one.

    The first stands on `place`, the others beside it along x. They share the normal map, which no seed changes.
    Raises `AddonError` for a broken mesh; see `all_or_nothing`.
    """
    normal_map = image_from_png(f"{title} normals", results[0].normal_map.tobytes(), data=True)
    meshes = [new_mesh(title, result) for result in results]
    apart = SPACING * max(float(np.ptp(result.vertices[:, 0])) for result in results)
    collection = _collection(scene)
    added: list[bpy.types.Object] = []
    for index, (mesh, result) in enumerate(zip(meshes, results, strict=True)):
        mesh.materials.append(new_material(title, picture, normal_map, coloured=result.colours is not None))
        thing = bpy.data.objects.new(title, mesh)
        thing.location = (place[0] + index * apart, *place[1:])
        thing[RECIPE] = {"picture": picture.name, **_plain(result.recipe), "notes": "\n".join(result.notes)}
        collection.objects.link(thing)
        added.append(thing)
    _select(scene, added)
    return added


def new_mesh(name: str, result: Result) -> bpy.types.Mesh:
    """A smooth mesh, with the colours and normals that came along as attributes.

    Raises `AddonError` where its arrays do not fit together.
    """
    vertices, triangles = result.vertices, result.triangles
    by_vertex = [array for array in (result.uv, result.colours, result.vertex_normals) if array is not None]
    fits = all(len(array) == len(vertices) for array in by_vertex)
    if len(triangles) == 0 or not fits or not _within(triangles, len(vertices)):
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
    _fill(layer.uv, "vector", result.uv[corners])
    if result.colours is not None:
        colours = mesh.color_attributes.new(COLOUR_ATTRIBUTE, "FLOAT_COLOR", "POINT")
        _fill(colours.data, "color", _linear_rgba(result.colours))
        mesh.color_attributes.active_color = colours
    if result.vertex_normals is not None:
        normals = mesh.attributes.new(NORMAL_ATTRIBUTE, "FLOAT_VECTOR", "POINT")
        _fill(normals.data, "vector", result.vertex_normals)
    mesh.update(calc_edges=True)
    return mesh


def recipe_of(thing: bpy.types.Object | None) -> Mapping[str, Any] | None:
    """What the object was made from, or None where it was not made here."""
    return thing[RECIPE] if thing is not None and RECIPE in thing else None


def _within(triangles: NDArray[np.int32], count: int) -> bool:
    return int(triangles.min()) >= 0 and int(triangles.max()) < count


def _fill(target: Any, attribute: str, values: NDArray[Any]) -> None:  # noqa: ANN401 - any bpy collection
    target.foreach_set(attribute, np.ascontiguousarray(values).reshape(-1))


def _linear_rgba(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours, sRGB (V, 3) in [0, 1], as Blender keeps them: linear, with alpha (IEC 61966-2-1)."""
    colours = np.clip(colours, 0.0, 1.0)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.concatenate([linear, np.ones_like(linear[:, :1])], axis=1, dtype=np.float32)


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


def _select(scene: bpy.types.Scene, added: list[bpy.types.Object]) -> None:
    """Select these objects alone, where the artist sees them: a hidden or excluded collection stays as it is."""
    layers = [window.view_layer for window in bpy.context.window_manager.windows if window.scene == scene]
    for layer in layers or scene.view_layers[:1]:
        layer.update()  # a layer learns of new collections late
        if added[0].name in layer.objects:
            for other in layer.objects:
                other.select_set(other in added, view_layer=layer)
            layer.objects.active = added[0]
