# SPDX-License-Identifier: GPL-3.0-or-later
"""A normal map becomes an image, which the material of a mesh beside it shows.

It belongs to the picture that it was made from, as the mask does: the artist can look at it, paint on it, and let the
next mesh be made from it.
"""

from typing import cast

import bpy
import numpy as np
from bpy.props import BoolProperty, PointerProperty

from ...backend.wire.products import NormalMap
from ..language.po import CONTEXT
from .landing import Landing

INPUT = "own_normal_map"  # the name of the input that takes it
FOR = "hi3dgen_normal_map_for"  # on a picture: the hash of the pixels that its map was made or first used for
KIND = "normal_map"  # of the products that are normal maps


def land(landing: Landing, name: str, product: NormalMap) -> None:
    """Add the image."""
    landing.normal_map = landing.image(name, "normals", product.png, data=True)


def as_colours(landing: Landing, name: str) -> bpy.types.Image:
    """The result's normal map as an image to be looked at, which belongs to the mesh `name`; see `material`."""
    png = np.frombuffer(landing.normal_map.packed_file.data, np.uint8)
    return landing.image(name, "normals as colours", png, data=False)


def map_of(picture: bpy.types.Image) -> bpy.types.Image | None:
    """The picture's normal map: the one that was made last, or the artist's; None if it has none."""
    return picture.hi3dgen_normal_map


def used_map(picture: bpy.types.Image) -> bpy.types.Image | None:
    """The picture's normal map if meshes are to be made from it; None if normals are to be estimated."""
    return picture.hi3dgen_normal_map if picture.hi3dgen_uses_normal_map else None


def keep(picture: bpy.types.Image, normal_map: bpy.types.Image, *, use: bool, content: str = "") -> None:
    """Make a normal map the picture's. use: whether the next mesh is to be made from it.

    content: the hash of the picture's pixels that it was made for; empty if those are still the ones of its former map.

    The one that the picture had stays in the file if it was used: it may have been painted on.
    """
    former = used_map(picture)
    if former and former != normal_map:
        former.use_fake_user = True  # else nothing uses it, and what nothing uses is not saved
    content = content or picture.get(FOR, "")
    picture.hi3dgen_normal_map = normal_map
    picture.hi3dgen_uses_normal_map = use
    if content:
        picture[FOR] = content


def still_fits(picture: bpy.types.Image, content: str) -> bool:
    """Whether the pixels of a picture that uses its map are those that it is for. If not, the map is not used any more.

    It stays in the file. content: the hash of the pixels. A map that the artist has chosen is for those that it is
    first used with, and so is one that is chosen again.
    """
    if picture.get(FOR, content) == content:
        picture[FOR] = content
        return True
    picture.hi3dgen_normal_map.use_fake_user = True  # the one that is made next takes its place
    picture.hi3dgen_uses_normal_map = False
    del picture[FOR]
    return False


def editable(picture: bpy.types.Image) -> bpy.types.Image:
    """The picture's normal map, to be painted on: a copy if a mesh shows it, whose look would change with it."""
    normal_map = picture.hi3dgen_normal_map
    if normal_map.library or any(user != picture for user in bpy.data.user_map(subset=[normal_map])[normal_map]):
        normal_map = _copied(normal_map)
    keep(picture, normal_map, use=True)
    return normal_map


def _copied(image: bpy.types.Image) -> bpy.types.Image:
    """Copy an image into this file, with strokes that are not saved yet, which Blender's own copy lacks."""
    copy = cast("bpy.types.Image", image.copy())  # its stub knows datablocks that cannot be copied
    if image.is_dirty:
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        copy.pixels.foreach_set(pixels)
    if image.is_dirty or not copy.packed_file:  # to pack it again fails in Blender 4.2
        copy.pack()
    return copy


def _chosen(picture: bpy.types.Image, _context: bpy.types.Context) -> None:
    """What an artist chooses is used."""
    picture.hi3dgen_uses_normal_map = picture.hi3dgen_normal_map is not None
    if FOR in picture:
        del picture[FOR]


def register() -> None:
    """Let pictures have normal maps."""
    bpy.types.Image.hi3dgen_normal_map = PointerProperty(
        type=bpy.types.Image,
        name="Normal Map",
        description="The normals of this picture, as colours of the same view: "
        "red is right, green is up, blue is to the viewer",
        poll=lambda picture, normal_map: normal_map != picture,
        update=_chosen,
        translation_context=CONTEXT,
    )
    bpy.types.Image.hi3dgen_uses_normal_map = BoolProperty(
        name="Use This Map",
        description="Make meshes from this normal map instead of estimating the picture's normals",
        translation_context=CONTEXT,
    )


def unregister() -> None:
    """Forget them; they stay in the file."""
    del bpy.types.Image.hi3dgen_uses_normal_map
    del bpy.types.Image.hi3dgen_normal_map
