# SPDX-License-Identifier: GPL-3.0-or-later
"""Which picture a click means: one rule, for the panel, the menus, search and scripts.

The image of the Image Editor that was clicked in; else a selected reference image; else the image texture that is
active in the material of the selected active object; else the panel's picture; else what another Image Editor of the
window shows; else what the selected mesh was made from, if it was made here; else the last render.

What is selected comes before the panel's picture: a click selects and deselects it. The material of a generated mesh
comes after it, since each result is selected when it lands, and would else take the place of a picture that was chosen
for the next one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import bpy

from ..language.words import say
from . import frames, masks, normal_map, renders, sides
from .landing import PRODUCT, recipe_of
from .lasting import SENT
from .switch import PICTURE

RULE = (
    "The picture is the Image Editor's; else a selected reference image; else the active image texture of the active "
    "object, if it is selected; else the panel's; else what another Image Editor shows, what the selected mesh was "
    "made from, or the last render"
)
FIELD = ""  # where the panel's picture is from


@dataclass(frozen=True)
class Meant:
    """What a click means.

    image: the picture; None if there is none. frame: which one, if it moves. source: where it is from, in words; empty
    for the panel's own field. is_selected: whether it is meant because something is selected.
    """

    image: bpy.types.Image | None = None
    frame: int = 0
    source: str = FIELD
    is_selected: bool = False


def meant(context: bpy.types.Context, painted: bpy.types.Object | None = None) -> Meant:
    """The picture that a click means, see the module. A mask, a map or another side means its picture.

    painted: the object that gets a picture's colours, if that is what the click is for; its textures are no picture.
    """
    return next(_candidates(context, painted), Meant())


def pictured(image: bpy.types.Image) -> bpy.types.Image:
    """The picture that an artist means who looks at an image; a copy of it that was sent has the same mask and map.

    An editor shows what is opened in it, also for a field of the panel. An image that has other sides is one's own.
    """
    if sides.sides_of(image):
        return image
    owners = [
        other
        for other in bpy.data.images
        if image in (masks.mask_of(other), normal_map.map_of(other), *sides.sides_of(other).values())
    ]
    return min(owners, key=lambda owner: SENT in owner, default=image)


def _candidates(context: bpy.types.Context, painted: bpy.types.Object | None) -> Iterator[Meant]:
    scene, space = context.scene, context.space_data
    if isinstance(space, bpy.types.SpaceImageEditor) and space.image:
        yield _meant(scene, space.image, space.image_user, say("In this Image Editor."))
    selected = _selected(context)
    yield from _references(scene, selected)
    active = next((thing for thing in selected if thing == context.view_layer.objects.active), None)
    textures = _textures(active)
    yield from (
        _meant(
            scene,
            node.image,
            node.image_user,
            say("The active image texture of {name}.", name=active.name),
            selected=True,
        )
        for node in textures
        if active != painted and node == node.id_data.nodes.active and not _was_made_here(active, node)
    )
    if picture := scene.hi3dgen.picture:
        yield Meant(picture, frames.frame_of(picture, None, scene))
    for area in context.screen.areas if context.screen else ():
        if area.type == "IMAGE_EDITOR" and area.spaces.active.image:
            beside = area.spaces.active
            yield _meant(scene, beside.image, beside.image_user, say("In the Image Editor."))
    yield from (
        _meant(scene, node.image, node.image_user, say("What {name} was made from.", name=active.name), selected=True)
        for node in textures
        if node.name == PICTURE and _was_made_here(active, node)
    )
    if render := renders.last_render():
        yield Meant(render, 0, say("The last render."))


def _meant(
    scene: bpy.types.Scene, image: bpy.types.Image, user: bpy.types.ImageUser, source: str, *, selected: bool = False
) -> Meant:
    picture = pictured(image)
    return Meant(picture, frames.frame_of(picture, user, scene), source, selected)


def _selected(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected objects that may matter, the active one first; the Image Editor's context does not list them.

    It is asked at every redraw, so that thousands of others are passed over by their type.
    """
    layer = context.view_layer
    active = layer.objects.active
    some = (thing for thing in layer.objects.selected if thing.type == "EMPTY" or thing == active)
    return sorted((thing for thing in some if thing.visible_get(view_layer=layer)), key=lambda thing: thing != active)


def _references(scene: bpy.types.Scene, things: Iterable[bpy.types.Object]) -> Iterator[Meant]:
    """Those among objects that are reference images."""
    for thing in things:
        is_shown = thing.type == "EMPTY" and thing.empty_display_type == "IMAGE"
        if is_shown and isinstance(thing.data, bpy.types.Image):
            yield _meant(
                scene,
                thing.data,
                thing.image_user,
                say("The selected reference image {name}.", name=thing.name),
                selected=True,
            )


def _textures(thing: bpy.types.Object | None) -> list[Any]:
    """The nodes of an object's active material that show an image."""
    material = thing.active_material if thing else None
    nodes = material.node_tree.nodes if material and material.node_tree else ()
    return [node for node in nodes if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image]


def _was_made_here(thing: bpy.types.Object, node: Any) -> bool:  # noqa: ANN401 - an image texture
    """Whether an object's image texture came of a picture, and was not chosen by the artist."""
    return PRODUCT in node.image or (recipe_of(thing) is not None and node.name == PICTURE)
