# SPDX-License-Identifier: GPL-3.0-or-later
"""More pictures of what a picture shows: from behind, from the left and from the right.

They belong to the picture, as its mask does: another picture has others, so that no mesh gets the back of another.
"""

from collections.abc import Iterable, Mapping

import bpy
from bpy.props import PointerProperty

from ..language.po import CONTEXT
from . import masks

INPUTS = ("back", "left", "right")
"""The names of the inputs that take them."""
_USED = "hi3dgen_made_with_{}"  # on a mesh's object: the image


def attribute_of(side: str) -> str:
    """The property of images that holds a side."""
    return f"hi3dgen_{side}"


def sides_of(picture: bpy.types.Image) -> dict[str, bpy.types.Image]:
    """The other pictures that a picture has, by the names of the inputs."""
    if not masks.can_have(picture):
        return {}
    chosen = {side: getattr(picture, attribute_of(side)) for side in INPUTS}
    return {side: image for side, image in chosen.items() if image}


def pass_on(picture: bpy.types.Image, copy: bpy.types.Image) -> None:
    """Give a picture's copy its other pictures."""
    for side, image in sides_of(picture).items():
        setattr(copy, attribute_of(side), image)


def remember(things: Iterable[bpy.types.Object], used: Mapping[str, bpy.types.Image]) -> None:
    """Write on meshes which other pictures they were made with: the picture may have others later."""
    for thing in things:
        for side in INPUTS if thing.type == "MESH" else ():
            if side in used:
                thing[_USED.format(side)] = used[side]
            elif _USED.format(side) in thing:
                del thing[_USED.format(side)]


def used_by(thing: bpy.types.Object) -> dict[str, bpy.types.Image]:
    """The other pictures that a mesh was made with, by the names of the inputs, as far as they are in this file."""
    return {side: image for side in INPUTS if (image := thing.get(_USED.format(side)))}


def register() -> None:
    """Let pictures have others."""
    for side, label, description in (
        ("back", "Back", "The same object from behind. Its normals shape the mesh's back, and its colours paint it"),
        ("left", "Left", "The same object from the left of the picture, -X, as Blender's view of that name sees it"),
        ("right", "Right", "The same object from the right of the picture, +X, as Blender's view of that name sees it"),
    ):
        made = PointerProperty(
            type=bpy.types.Image,
            name=label,
            description=description,
            poll=lambda picture, image: image != picture,
            translation_context=CONTEXT,
        )
        setattr(bpy.types.Image, attribute_of(side), made)


def unregister() -> None:
    """Forget them; they stay in the file."""
    for side in INPUTS:
        delattr(bpy.types.Image, attribute_of(side))
