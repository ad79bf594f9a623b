# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's results become objects in the scene, through arrays; what fails leaves nothing behind."""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...backend.wire.messages import Result
from ..errors import AddonError
from . import products
from .collection import hide, layers_of
from .engine_frame import FRAME, affine_of, frame_of
from .landing import RECIPE, Images, Landing, recipe_for
from .placing import Origin, Placing
from .spots import Spot, box_of

log = logging.getLogger(__name__)


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
        bpy.data.worlds,
    )
    return {thing for kind in kinds for thing in kind}


def add_results(
    scene: bpy.types.Scene,
    title: str,
    picture: bpy.types.Image,
    results: Sequence[Result],
    spots: Mapping[int, Spot],
    placing: Placing,
    along: Sequence[bpy.types.Object] | None = None,
) -> tuple[list[Landing], list[tuple[Result, AddonError]]]:
    """Add results of one job, facing -Y, as the only selected objects; the first is the active one.

    along: what is left of what has come before of the same click; None if nothing has. As long as it alone is selected
    the new ones join it, else the artist is at work with something else, which stays selected. Each is added on its
    own, at its spot: returns what was added, and the results that could not be added, with the reason. Raises
    `AddonError` if none could be added; see `all_or_nothing`.
    """
    landings: list[Landing] = []
    refused: list[tuple[Result, AddonError]] = []
    images: Images = {}
    for result in results:
        try:
            with all_or_nothing():
                landing = _land(scene, title, picture, result, spots[result.index], placing, {**images})
        except Exception as error:  # noqa: BLE001 - one that fails, however it does, must not cost the others
            refused.append((result, reason(error)))
        else:
            images = landing.images
            landings.append(landing)
            hide(scene, spots[result.index].replaces)
    if len(refused) == len(results):
        raise refused[0][1]
    if added := [thing for landing in landings for thing in landing.objects]:
        _select(scene, [thing for thing in added if thing.type == "MESH"] or added, along)
    return landings, refused


def reason(error: Exception) -> AddonError:
    """An error for the artist of whatever was raised while the scene took something."""
    if isinstance(error, AddonError):
        return error
    log.error("the scene did not take a result", exc_info=error)
    return AddonError("Blender refused it.", "Look at Blender's console, and report what it says.")


def _land(
    scene: bpy.types.Scene,
    title: str,
    picture: bpy.types.Image,
    result: Result,
    spot: Spot,
    placing: Placing,
    images: Images,
) -> Landing:
    pivot = _pivot(result, spot, placing)
    landing = Landing(
        title,
        result.seed,
        picture,
        scene,
        placing.collection,
        matrix=spot.matrix @ Matrix.Translation(pivot),
        scale=placing.size,
        pivot=np.array(pivot, np.float32),
        smooth=placing.smooth,
        images=images,
        notes=[*result.notes],
    )
    products.land(landing, result.products)
    recipe = recipe_for(landing, result)
    for thing in landing.objects:
        thing[RECIPE] = recipe
        if thing.type == "MESH":
            thing[FRAME] = frame_of(thing.data, affine_of(landing.scale, pivot))
    if landing.world:
        landing.world[RECIPE] = recipe
    for image in landing.images.values():
        image.use_fake_user = not image.users  # else what nothing shows is not saved
    return landing


def _pivot(result: Result, spot: Spot, placing: Placing) -> Sequence[float]:
    """Where the origin of its objects is, in the result's own coordinates, in Blender's units."""
    if placing.origin is Origin.CENTRE:
        return (placing.size * box_of(result).mean(axis=0)).tolist()
    if placing.origin is Origin.CURSOR:
        return tuple(spot.matrix.inverted() @ Vector(placing.cursor))
    return (0.0, 0.0, 0.0)


def _select(scene: bpy.types.Scene, added: list[bpy.types.Object], along: Sequence[bpy.types.Object] | None) -> None:
    """Select these objects alone, where the artist sees them: a hidden or excluded collection stays as it is."""
    for layer in layers_of(scene):
        layer.update()  # a layer learns of new collections late
        if along is not None and {*layer.objects.selected} == {*along}:
            for thing in (thing for thing in added if thing.name in layer.objects):
                thing.select_set(state=True, view_layer=layer)
        elif along is None and added[0].name in layer.objects:
            for other in layer.objects:
                other.select_set(other in added, view_layer=layer)
            layer.objects.active = added[0]
