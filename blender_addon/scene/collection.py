# SPDX-License-Identifier: GPL-3.0-or-later
"""Which collection results come into, and what the artist is told of where they are."""

from collections.abc import Iterator, Sequence

import bpy

from ..language.words import joined, say

COLLECTION = "Hi3DGen"


def takes_objects(collection: bpy.types.Collection) -> bool:
    """Whether Blender lets new objects in: those of another file, and overrides of them, stay as they are there."""
    return collection.library is None and collection.override_library is None


def collection_for(scene: bpy.types.Scene, chosen: int) -> bpy.types.Collection:
    """The scene's collection of the session UID `chosen`, else that for generated objects, else a new one.

    One that takes no objects is passed over.
    """
    own = [collection for collection in scene.collection.children_recursive if takes_objects(collection)]
    wanted = (collection for collection in own if collection.session_uid == chosen)
    usual = (collection for collection in own if collection.name.split(".")[0] == COLLECTION)
    for collection in (*wanted, *usual):
        return collection
    collection = bpy.data.collections.new(COLLECTION)
    scene.collection.children.link(collection)
    return collection


def layers_of(scene: bpy.types.Scene) -> list[bpy.types.ViewLayer]:
    """The view layers that windows show of a scene; its first one if none does."""
    windows = bpy.context.window_manager.windows
    return [window.view_layer for window in windows if window.scene == scene] or scene.view_layers[:1]


def hide(scene: bpy.types.Scene, uid: int) -> None:
    """Hide the object of a session UID, and what moves with it, from views and renders; if it is gone, nothing."""
    hidden = [thing for thing in scene.objects if thing.session_uid == uid]
    for thing in (*hidden, *(child for former in hidden for child in former.children_recursive)):
        thing.hide_render = True
        for layer in layers_of(scene):
            if thing.name in layer.objects:
                thing.hide_set(state=True, view_layer=layer)


def whereabouts(
    scene: bpy.types.Scene,
    title: str,
    added: Sequence[bpy.types.Object],
    layer: bpy.types.ViewLayer | None = None,
) -> str:
    """A sentence about where objects of a scene are, and another one if they cannot be seen there.

    layer: in which view layer they are looked for; else in one of the scene's that is in sight.
    """
    if not added:
        return say("The images of {title} are in this file.", title=title)
    first, others = added[0], sum(thing.parent is None for thing in added) - 1
    collection = first.users_collection[0]
    shown = [window.scene for window in bpy.context.window_manager.windows] or [bpy.context.scene]
    names = {"name": first.name, "collection": collection.name, "count": others, "scene": scene.name}
    if scene in shown:
        one = "{name} is in the collection {collection}."
        many = "{name} and {count} more are in the collection {collection}."
    else:
        one = "{name} is in the collection {collection} of the scene {scene}."
        many = "{name} and {count} more are in the collection {collection} of the scene {scene}."
    sentence = say(many if others else one, **names)
    why = why_unseen(layer or layers_of(scene)[0], first)
    return joined(sentence, say("It is not seen: {why}", why=why) if why else "")


def why_unseen(layer: bpy.types.ViewLayer, thing: bpy.types.Object) -> str:
    """Which collection hides an object, and what to do about it; empty if none does."""
    if not thing.visible_get(view_layer=layer):
        for above in _way_to(layer.layer_collection, thing.users_collection[0]):
            if above.exclude:
                return say("the collection {name} is excluded. Tick it in the Outliner.", name=above.name)
            if above.hide_viewport or above.collection.hide_viewport:
                return say("the collection {name} is hidden. Show it in the Outliner.", name=above.name)
    return ""


def _way_to(
    layer_collection: bpy.types.LayerCollection, collection: bpy.types.Collection
) -> Iterator[bpy.types.LayerCollection]:
    """The collections of a view layer that a collection is in, outermost first, and itself."""
    if layer_collection.collection == collection or collection in layer_collection.collection.children_recursive[:]:
        yield layer_collection
        for child in layer_collection.children:
            yield from _way_to(child, collection)
