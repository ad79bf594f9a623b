# SPDX-License-Identifier: GPL-3.0-or-later
"""The meshes of one picture that are in a scene: the artist keeps one, and the others are parked, not deleted.

Parked ones lie in a hidden collection. One that is shown again takes the place of the one that is seen.
"""

from collections.abc import Mapping
from typing import Any

import bpy
from mathutils import Matrix

from . import placing
from .collection import takes_objects
from .landing import picture_hash_of, recipe_of

PARKED = "Hi3DGen Parked"
_SAME = ("engine", "settings", "inputs", "seed", "versions")  # of a recipe: what decides a mesh


def variations(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.Object]:
    """The scene's meshes of the picture that `thing` was made from, by seed: one of each recipe, `thing` of its own."""
    found: dict[str, bpy.types.Object] = {_key(recipe_of(thing) or {}): thing}
    for other in _of_the_same_picture(scene, thing):
        found.setdefault(_key(recipe_of(other) or {}), other)
    return sorted(found.values(), key=lambda other: (seed_of(other), other.name))


def _of_the_same_picture(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.Object]:
    picture = picture_hash_of(thing)
    return [other for other in scene.objects if picture and other.type == "MESH" and picture_hash_of(other) == picture]


def seed_of(thing: bpy.types.Object) -> int:
    """The seed that a generated object was made with."""
    return (recipe_of(thing) or {})["seed"]


def is_parked(thing: bpy.types.Object) -> bool:
    """Whether an object is out of sight because another one was kept."""
    return any(_is_parking(collection) for collection in thing.users_collection)


def keep(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.Object]:
    """Park the variations of a mesh that are not parked yet, with what moves with them; returns them.

    Copies that the artist has made of the mesh stay where they are.
    """
    own = _key(recipe_of(thing) or {})
    others = [other for other in _of_the_same_picture(scene, thing) if _key(recipe_of(other) or {}) != own]
    parked = [other for other in others if not is_parked(other) and takes_part(other)]
    for other in parked:
        _park(scene, other, but=thing)
    return parked


def show(scene: bpy.types.Scene, thing: bpy.types.Object, other: bpy.types.Object) -> None:
    """Let a parked variation take the place of a mesh, which is parked: turned, scaled and parented as that one is."""
    beside = placing.floor_of(placing.box_around(thing.bound_box)) - placing.floor_of(
        placing.box_around(other.bound_box)
    )
    matrix = thing.matrix_world @ Matrix.Translation(beside)
    if thing in other.children_recursive:  # it would be parented to itself
        world = thing.matrix_world.copy()
        thing.parent = None
        thing.matrix_world = world
    _move(scene, other, _homes(scene, thing), but=thing)
    other.parent, other.parent_type, other.parent_bone = thing.parent, thing.parent_type, thing.parent_bone
    other.matrix_parent_inverse = thing.matrix_parent_inverse
    other.matrix_world = matrix
    _park(scene, thing, but=other)


def takes_part(thing: bpy.types.Object) -> bool:
    """Whether an object can be moved between collections: not one of another file."""
    return not thing.library and not thing.override_library and all(map(takes_objects, thing.users_collection))


def _park(scene: bpy.types.Scene, thing: bpy.types.Object, *, but: bpy.types.Object) -> None:
    """Put an object and what moves with it out of sight, but not `but`, which the artist may have parented to it."""
    parking = next((other for other in scene.collection.children if _is_parking(other)), None)
    if parking is None:
        parking = bpy.data.collections.new(PARKED)
        parking.hide_viewport = parking.hide_render = True
        scene.collection.children.link(parking)
    _move(scene, thing, [parking], but=but)


def _move(
    scene: bpy.types.Scene, thing: bpy.types.Object, homes: list[bpy.types.Collection], *, but: bpy.types.Object
) -> None:
    """Move an object and its children, but for `but` and its own, to other collections of the scene."""
    staying = {but, *but.children_recursive}
    for moved in (thing, *thing.children_recursive):
        if moved not in staying and takes_part(moved):
            for collection in _homes(scene, moved):
                collection.objects.unlink(moved)
            for collection in homes:
                collection.objects.link(moved)


def _homes(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.Collection]:
    """The collections of a scene that an object is in; those of other scenes are none of its business."""
    own = {scene.collection, *scene.collection.children_recursive}
    return [collection for collection in thing.users_collection if collection in own]


def _is_parking(collection: bpy.types.Collection) -> bool:
    return collection.name.split(".")[0] == PARKED and takes_objects(collection)


def _key(recipe: Mapping[str, Any]) -> str:
    return repr([_plain(recipe.get(name)) for name in _SAME])


def _plain(value: Any) -> Any:  # noqa: ANN401 - ID properties
    return {name: _plain(item) for name, item in sorted(value.items())} if hasattr(value, "items") else value
