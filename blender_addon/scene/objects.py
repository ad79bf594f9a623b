# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's results become objects in the scene, through arrays; what fails leaves nothing behind."""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...backend.wire.messages import Result
from ...backend.wire.products import Mesh
from ..errors import AddonError
from . import products
from .landing import Images, Landing, Vector

log = logging.getLogger(__name__)

COLLECTION = "Hi3DGen"
RECIPE = "hi3dgen"
SPACING = 1.25  # from middle to middle, in widths of the widest


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
    kinds = (
        bpy.data.objects,
        bpy.data.meshes,
        bpy.data.cameras,
        bpy.data.materials,
        bpy.data.images,
        bpy.data.collections,
    )
    return {thing for kind in kinds for thing in kind}


@dataclass(frozen=True)
class Place:
    """Where a job's objects stand: the first at `first`, each further one `apart` beside it along x, in metres."""

    first: Vector
    apart: float


def place_of(first: Vector, results: Sequence[Result]) -> Place:
    """Where the results of a job stand, so that none touches another."""
    return Place(first, SPACING * max(_width(result) for result in results))


def add_results(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, place: Place, results: Sequence[Result]
) -> tuple[list[bpy.types.Object], list[tuple[Result, AddonError]]]:
    """Add results of one job, facing -Y, as the only selected objects; the first is the active one.

    Each is added on its own: returns the objects, and the results that could not be added, with the reason. Raises
    `AddonError` if none could be added; see `all_or_nothing`.
    """
    added: list[bpy.types.Object] = []
    refused: list[tuple[Result, AddonError]] = []
    images: Images = {}
    for result in results:
        try:
            with all_or_nothing():
                landing = _land(scene, title, picture, place, result, {**images})
        except Exception as error:  # noqa: BLE001 - one that fails, however it does, must not cost the others
            refused.append((result, reason(error)))
        else:
            images = landing.images
            added += landing.objects
    if len(refused) == len(results):
        raise refused[0][1]
    if added:
        _select(scene, [thing for thing in added if thing.type == "MESH"] or added)
    return added, refused


def reason(error: Exception) -> AddonError:
    """An error for the artist of whatever was raised while the scene took something."""
    if isinstance(error, AddonError):
        return error
    log.error("the scene did not take a result", exc_info=error)
    return AddonError("Blender refused it.", "Look at Blender's console, and report what it says.")


def _land(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, place: Place, result: Result, images: Images
) -> Landing:
    x, y, z = place.first
    location = (x + result.index * place.apart, y, z)
    landing = Landing(title, result.seed, picture, _collection(scene), location, images, [*result.notes])
    products.land(landing, result.products)
    recipe = {"picture": picture.name, **_plain(result.recipe), "notes": "\n".join(landing.notes)}
    for thing in landing.objects:
        thing[RECIPE] = recipe
    for image in landing.images.values():
        image.use_fake_user = not image.users  # else what nothing shows is not saved
    return landing


def _width(result: Result) -> float:
    """How far its meshes reach along x; 0 if there is none, or if it is non-finite."""
    meshes = [product.vertices[:, 0] for product in result.products.values() if isinstance(product, Mesh)]
    return max((float(np.ptp(x)) for x in meshes if len(x) and np.isfinite(x).all()), default=0.0)


def recipe_of(thing: bpy.types.Object | None) -> Mapping[str, Any] | None:
    """What the object was made from, or None if it was not made here."""
    return thing[RECIPE] if thing is not None and RECIPE in thing else None


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
