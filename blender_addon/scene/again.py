# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh that is made again, with something changed, in the place of itself.

The object stays as the artist has it now: where it stands, its parent, its modifiers, its materials. It gets another
mesh, and the images of ours in its materials follow.
"""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...backend.wire.messages import Result
from ...backend.wire.products import Mesh, NormalMap, Texture
from ..errors import AddonError
from . import masks, material, mesh, normal_map, placing, products
from .landing import FRAME, PRODUCT, RECIPE, Landing, recipe_for, recipe_of


def picture_of(thing: bpy.types.Object) -> bpy.types.Image:
    """The picture that an object was made from: what its material shows, else the image of that name.

    Raises `AddonError` if it is gone.
    """
    own = (shown for slot in thing.material_slots if (shown := material.picture_of(slot.material)))
    picture = next(own, None) or bpy.data.images.get((recipe_of(thing) or {}).get("picture", ""))
    if picture is None:
        sentence = f"The picture that {thing.name} was made from is not in this file any more."
        raise AddonError(sentence, "Open it, and generate from it.")
    return picture


def inputs_of(thing: bpy.types.Object, picture: bpy.types.Image) -> dict[str, bpy.types.Image]:
    """The images beside the picture that an object was made from, by the names of the engine's inputs.

    Raises `AddonError` if one is gone.
    """
    shown = next((found for slot in thing.material_slots if (found := material.normal_map_of(slot.material))), None)
    known = {masks.INPUT: masks.mask_of(picture), normal_map.INPUT: normal_map.used_map(picture) or shown}
    inputs: dict[str, bpy.types.Image] = {}
    for name in (recipe_of(thing) or {}).get("inputs", {}):
        image = picture if name == "picture" else known.get(name)
        if image is None:
            what = name.removeprefix("own_").replace("_", " ")
            sentence = f"The {what} that {thing.name} was made with is not in this file any more."
            raise AddonError(sentence, "Generate from the picture instead.")
        inputs[name] = image
    inputs.pop("picture", None)
    return inputs


def remake(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, result: Result, thing: bpy.types.Object
) -> Landing:
    """Give an object the mesh of another result, and so all that share its mesh. See `all_or_nothing`.

    Raises `AddonError` for a broken product, and if the result lacks the mesh.
    """
    former, name = thing.data, thing[PRODUCT]
    product = result.products.get(name)
    if not isinstance(product, Mesh):
        raise AddonError(f"The engine gave no “{name}” this time.", "Generate from the picture instead.")
    scale, pivot = _frame_of(thing)
    smooth = not len(former.polygons) or former.polygons[0].use_smooth
    landing = Landing(
        title, result.seed, picture, scene, 0, Matrix(), scale, pivot, smooth, images={}, notes=[*result.notes]
    )
    images = {other: part for other, part in result.products.items() if isinstance(part, NormalMap | Texture)}
    if images:
        products.land(landing, images)
    made = mesh.mesh_of(landing, name, product)
    _keep_materials(former, made)
    recipe = recipe_for(landing, result)
    for other in bpy.data.objects:
        if other.data == former:
            other.data = made
            other[RECIPE], other[FRAME] = recipe, [scale, *pivot.tolist()]
    landing.objects.append(thing)
    return landing


def _frame_of(thing: bpy.types.Object) -> tuple[float, Any]:
    """The scale and the pivot of an object's own coordinates, see `Landing.own`.

    Of one that landed when they were not written down they are as its box says.
    """
    if FRAME in thing:
        scale, *pivot = thing[FRAME]
        return scale, np.array(pivot, np.float32)
    box = placing.box_around(thing.bound_box)
    return float(np.ptp(box, axis=0).max()), (-placing.floor_of(box)).astype(np.float32)


def _keep_materials(former: bpy.types.Mesh, made: bpy.types.Mesh) -> None:
    """Let a mesh have the materials of the one that it replaces; those of ours show its images."""
    kept, new = [*former.materials], made.materials[0]
    if not any(kept):
        return
    made.materials.clear()
    for old in kept:
        made.materials.append(old)
    for old in kept:
        if old and not _is_shown_elsewhere(old, (former, made)):
            material.follow(old, new)
    bpy.data.materials.remove(new)


def _is_shown_elsewhere(shown: bpy.types.Material, meshes: tuple[bpy.types.Mesh, ...]) -> bool:
    users = bpy.data.user_map(subset=[shown])[shown]
    return any(isinstance(user, bpy.types.Mesh) and user not in meshes for user in users)
