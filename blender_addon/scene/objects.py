# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's results become objects in the scene, through arrays; what fails leaves nothing behind."""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.wire.messages import Result
from ..errors import AddonError
from .material import COLOUR_ATTRIBUTE, new_material
from .pictures import image_from_png

log = logging.getLogger(__name__)

COLLECTION = "Hi3DGen"
RECIPE = "hi3dgen"
NORMAL_ATTRIBUTE = "Hi3DGen Normal"
SPACING = 1.25  # from middle to middle, in widths of the widest

Vector = tuple[float, float, float]


@contextmanager
def all_or_nothing() -> Generator[None]:
    """If what is done within fails, every datablock that it made is removed again."""
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


@dataclass(frozen=True)
class Place:
    """Where a job's objects stand: the first at `first`, each further one `apart` beside it along x, in metres."""

    first: Vector
    apart: float


def place_of(first: Vector, results: Sequence[Result]) -> Place:
    """Where the results of a job stand, so that none touches another."""
    return Place(first, SPACING * max(_width(result.vertices) for result in results))


def add_results(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, place: Place, results: Sequence[Result]
) -> tuple[list[bpy.types.Object], list[tuple[Result, AddonError]]]:
    """Add results of one job, facing -Y, as the only selected objects; the first is the active one.

    Each is added on its own: returns the objects, and the results that could not become one, with the reason. They
    share the normal map, which no seed changes. Raises `AddonError` if none could be added; see `all_or_nothing`.
    """
    normal_map = image_from_png(f"{title} normals", results[0].normal_map.tobytes(), data=True)
    added: list[bpy.types.Object] = []
    refused: list[tuple[Result, AddonError]] = []
    for result in results:
        try:
            with all_or_nothing():
                added.append(_add(scene, title, (picture, normal_map), place, result))
        except Exception as error:  # noqa: BLE001 - one that fails, however it does, must not cost the others
            refused.append((result, reason(error)))
    if not added:
        raise refused[0][1]
    _select(scene, added)
    return added, refused


def reason(error: Exception) -> AddonError:
    """An error for the artist of whatever was raised while the scene took something."""
    if isinstance(error, AddonError):
        return error
    log.error("the scene did not take a result", exc_info=error)
    return AddonError("Blender refused it.", "Look at Blender's console, and report what it says.")


def _add(
    scene: bpy.types.Scene, title: str, images: tuple[bpy.types.Image, bpy.types.Image], place: Place, result: Result
) -> bpy.types.Object:
    mesh = new_mesh(title, result)
    mesh.materials.append(new_material(title, *images, coloured=result.colours is not None))
    thing = bpy.data.objects.new(title, mesh)
    thing.location = (place.first[0] + result.index * place.apart, *place.first[1:])
    thing[RECIPE] = {"picture": images[0].name, **_plain(result.recipe), "notes": "\n".join(result.notes)}
    _collection(scene).objects.link(thing)
    return thing


def _width(vertices: NDArray[np.float32]) -> float:
    """How far they reach along x; 0 if they are none, or non-finite."""
    x = vertices[:, 0]
    return float(np.ptp(x)) if len(x) and np.isfinite(x).all() else 0.0


def new_mesh(name: str, result: Result) -> bpy.types.Mesh:
    """A smooth mesh, with the colours and normals that came along as attributes.

    Raises `AddonError` if its arrays do not fit together or a vertex is non-finite.
    """
    vertices, triangles = result.vertices, result.triangles
    by_vertex = [array for array in (result.uv, result.colours, result.vertex_normals) if array is not None]
    fits = all(len(array) == len(vertices) for array in by_vertex)
    whole = len(triangles) > 0 and np.isfinite(vertices).all()
    if not (whole and fits and _within(triangles, len(vertices))):
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
    """What the object was made from, or None if it was not made here."""
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
