# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh that is made again, with something changed, in the place of itself.

The object stays as the artist has it now: where it stands, its parent, its modifiers, its materials. It gets another
mesh, and the images of ours in its materials follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...backend.wire.messages import Result
from ...backend.wire.products import Mesh, NormalMap, Texture
from ..errors import AddonError
from ..language.words import say
from . import masks, material, mesh, normal_map, products, sides
from .engine_frame import FRAME, Affine, affine_now, frame_of
from .landing import PRODUCT, RECIPE, Landing, recipe_for, recipe_of
from .lasting import content_now
from .material import COLOUR_ATTRIBUTE
from .pictures import is_plain
from .projection import ATLAS, UV_MAP


@dataclass(frozen=True)
class Remade:
    """What is ready to take the place of an object's mesh.

    landing: what landed with it. recipe, frame: what is written on the object. material: the one that came with the
    mesh; those of the object follow it, and it goes if nothing else shows it.
    """

    landing: Landing
    mesh: bpy.types.Mesh
    recipe: dict[str, Any]
    frame: list[float]
    material: bpy.types.Material


CALLED = {
    masks.INPUT: "mask",
    normal_map.INPUT: "normal map",
    "back": "picture from behind",
    "left": "picture from the left",
    "right": "picture from the right",
}


def picture_of(thing: bpy.types.Object) -> bpy.types.Image:
    """The picture that an object was made from: what its material shows, else the image that has its pixels.

    Raises `AddonError` if it is gone.
    """
    own = (shown for slot in thing.material_slots if (shown := material.picture_of(slot.material)))
    picture = next(own, None) or _by_content(recipe_of(thing) or {})
    if picture is None:
        sentence = f"The picture that “{thing.name}” was made from is not in this file any more."
        raise AddonError(sentence, "Open it, and generate from it.")
    return picture


def _by_content(recipe: Mapping[str, Any]) -> bpy.types.Image | None:
    """An image that still has the pixels that were sent, the one of the recipe's name first: it may have another now.

    Data, frames and renders are no pictures of files: each is looked at by its name alone.
    """
    content = recipe.get("inputs", {}).get("picture")
    named = bpy.data.images.get(recipe.get("picture", ""))
    others = [image for image in bpy.data.images if image != named and is_plain(image)]
    looked = [named, *(image for image in others if not image.colorspace_settings.is_data)]
    return next((image for image in looked if image and content and content_now(image) == content), None)


def inputs_of(
    thing: bpy.types.Object, picture: bpy.types.Image, others: Mapping[str, bpy.types.Image]
) -> dict[str, bpy.types.Image]:
    """The images beside the picture that an object was made from, by the names of the engine's inputs.

    others: those that belong to no picture. Raises `AddonError` if one is gone.
    """
    shown = next((found for slot in thing.material_slots if (found := material.normal_map_of(slot.material))), None)
    own = {masks.INPUT: masks.mask_of(picture), normal_map.INPUT: normal_map.used_map(picture) or shown}
    own |= sides.sides_of(picture) | sides.used_by(thing)
    inputs: dict[str, bpy.types.Image] = {}
    for name in (recipe_of(thing) or {}).get("inputs", {}):
        image = picture if name == "picture" else own.get(name) or others.get(name)
        if image is None:
            what = CALLED.get(name, name.replace("_", " "))
            sentence = f"The {what} that “{thing.name}” was made with is not in this file any more."
            raise AddonError(sentence, "Generate from the picture instead.")
        inputs[name] = image
    inputs.pop("picture", None)
    return inputs


def lost(thing: bpy.types.Object) -> list[str]:
    """What was done to an object's mesh itself, in words: another mesh has none of it."""
    own = thing.data
    groups = [say("the vertex groups")] if thing.vertex_groups else []
    sculpted = (
        [say("the sculpting of Multiresolution")] if any(each.type == "MULTIRES" for each in thing.modifiers) else []
    )
    slots = np.zeros(len(own.polygons), np.int32)
    own.polygons.foreach_get("material_index", slots)
    assigned = [say("which faces have which material")] if slots.any() else []
    maps = [say("the UV map {name}", name=layer.name) for layer in own.uv_layers if layer.name not in (UV_MAP, ATLAS)]
    painted = [
        say("the colours {name}", name=colours.name)
        for colours in own.color_attributes
        if colours.name != COLOUR_ATTRIBUTE
    ]
    images = {image for slot in thing.material_slots for image in material.artists_images_of(slot.material)}
    shown = [
        say("what is painted on {name} (the image stays)", name=name) for name in sorted(image.name for image in images)
    ]
    return [*groups, *sculpted, *assigned, *maps, *painted, *shown]


def prepare(
    scene: bpy.types.Scene, title: str, picture: bpy.types.Image, result: Result, thing: bpy.types.Object
) -> Remade:
    """Make the mesh of another result for an object, and change nothing that is there; `replace_mesh` does that.

    Raises `AddonError` for a broken product, if the result lacks the mesh, and if the object cannot take it.
    """
    if thing.data.shape_keys:
        raise AddonError(f"“{thing.name}” has shape keys, which would be lost.", "Remove or apply them first.")
    affine, name = affine_now(thing), thing[PRODUCT]
    product = result.products.get(name)
    if not isinstance(product, Mesh):
        raise AddonError(f"The engine gave no “{name}” this time.", "Generate from the picture instead.")
    former = thing.data
    landing = Landing(
        title,
        result.seed,
        picture,
        scene,
        collection=0,
        matrix=Matrix(),
        scale=1.0,
        pivot=np.zeros(3, np.float32),
        smooth=not len(former.polygons) or former.polygons[0].use_smooth,
        images={},
        notes=[*result.notes],
    )
    images = {other: part for other, part in result.products.items() if isinstance(part, NormalMap | Texture)}
    if images:
        products.land(landing, images)
    made = mesh.mesh_of(landing, name, _moved(product, affine))
    new = made.materials[0]
    if len(former.materials):
        made.materials.clear()
    for old in former.materials:
        made.materials.append(old)
    for image in landing.images.values():
        image.use_fake_user = not image.users  # else what nothing shows is not saved
    landing.objects.append(thing)
    return Remade(landing, made, recipe_for(landing, result), frame_of(made, affine), new)


def replace_mesh(remade: Remade, thing: bpy.types.Object) -> None:
    """Give an object the mesh that was made for it, and so all that share its mesh; the former one goes.

    If Blender refuses, everything is as it was.
    """
    former = thing.data
    users = [other for other in bpy.data.objects if other.data == former]
    recipes, frames = [other[RECIPE].to_dict() for other in users], [list(other[FRAME]) for other in users]
    try:
        for other in users:
            other.data, other[RECIPE], other[FRAME] = remade.mesh, remade.recipe, remade.frame
    except BaseException:
        for other, recipe, frame in zip(users, recipes, frames, strict=True):
            other.data, other[RECIPE], other[FRAME] = former, recipe, frame
        bpy.data.meshes.remove(remade.mesh)
        raise
    for shown in material.own(remade.mesh, lambda each: material.can_follow(each, remade.material)):
        material.follow(shown, remade.material)
        if material.is_ours(shown):
            material.settle(shown, remade.mesh)
    if not remade.material.users:
        bpy.data.materials.remove(remade.material)
    if not former.users:
        bpy.data.meshes.remove(former)


def _moved(product: Mesh, affine: Affine) -> Mesh:
    """A mesh in the coordinates of an object; its faces look outwards if those are mirrored, too."""
    turn = affine[:, :3]
    moved = replace(product, vertices=(product.vertices @ turn.T + affine[:, 3]).astype(np.float32))
    if np.linalg.det(turn) < 0:
        corner_uv = product.corner_uv if product.corner_uv is None else product.corner_uv[:, ::-1]
        moved = replace(moved, triangles=product.triangles[:, ::-1], corner_uv=corner_uv)
    if product.vertex_normals is None:
        return moved
    normals = product.vertex_normals @ np.linalg.inv(turn)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return replace(moved, vertex_normals=normals.astype(np.float32))
