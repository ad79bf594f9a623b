# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of a surface become images, by themselves or in the material of the mesh that brings them."""

import hashlib

import bpy

from ...backend.wire.products import Mesh, Texture
from .landing import MADE, Landing

PARTS = ("base_colour", "normal", "roughness", "metallic")
COLOURS = ("base_colour",)  # the others are data


def images_of(landing: Landing, name: str, product: Texture | Mesh) -> dict[str, bpy.types.Image]:
    """The images that are there, by their part of the surface."""
    pngs = {part: getattr(product, part) for part in PARTS}
    return {
        part: landing.image(name, part.replace("_", " "), png, data=part not in COLOURS)
        for part, png in pngs.items()
        if png is not None
    }


def is_artists(image: bpy.types.Image | None) -> bool:
    """Whether an image has anything of the artist: painted on, saved elsewhere, or not from a product at all."""
    if image is None or image.is_dirty or not image.packed_file:
        return image is not None
    return image.get(MADE) != hashlib.sha256(image.packed_file.data).hexdigest()


def land(landing: Landing, name: str, product: Texture) -> None:
    """Add the images."""
    images_of(landing, name, product)
