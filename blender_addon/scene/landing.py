# SPDX-License-Identifier: GPL-3.0-or-later
"""What one result's products share while they land: where they go, and what has been made of it so far."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...backend.wire.messages import Result
from .collection import collection_for
from .pictures import image_from_hdr, image_from_png

RECIPE = "hi3dgen"  # on an object: what it was made from
PRODUCT = "hi3dgen_product"  # on an image or object: the name of the product that it is, or is a part of
MADE = "hi3dgen_made"  # on an image that is a product: the hash of its file as it came
SEEDS = "hi3dgen_seeds"  # on an image: the seeds of the job that led to it
HDR = b"#?RADIANCE"  # how a file begins that holds light

Images = dict[tuple[str, bool, str], bpy.types.Image]


@dataclass
class Landing:
    """One result on its way into the scene.

    seed: what led to it. scene, collection: where its objects go, see `collection_for`. matrix: where its objects
    stand. scale, pivot: see `own`. images: those of the job so far, by product and content: what no seed changes is one
    image. normal_map: the result's, in the picture's frame. world: what it brings to light the scene, if it does.
    objects: what was added, meshes first. notes: sentences for the artist.
    """

    title: str
    seed: int
    picture: bpy.types.Image
    scene: bpy.types.Scene
    collection: int
    matrix: Matrix
    scale: float
    pivot: NDArray[np.float32]
    smooth: bool
    images: Images
    notes: list[str]
    normal_map: bpy.types.Image | None = None
    world: bpy.types.World | None = None
    objects: list[bpy.types.Object] = field(default_factory=list[bpy.types.Object])

    def own(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 3) of the result, in metres, in the coordinates of its objects, in Blender's units."""
        return points * np.float32(self.scale) - self.pivot

    def image(self, product: str, part: str, png: NDArray[np.uint8], *, data: bool) -> bpy.types.Image:
        """The bytes of a PNG or HDR file as an image, packed; one that the job has already is used again."""
        content = png.tobytes()
        key = (product, data, hashlib.sha256(content).hexdigest())
        if key not in self.images:
            self.images[key] = made_image(f"{self.title} {part}", product, content, data=data)
        image = self.images[key]
        image[SEEDS] = sorted({*image.get(SEEDS, ()), self.seed})
        return image

    def add(
        self, product: str, data: bpy.types.ID, name: str, into: bpy.types.Collection | None = None
    ) -> bpy.types.Object:
        """A new object in the scene, where the result stands. into: its collection, if it has one of its own."""
        thing = bpy.data.objects.new(name, data)
        thing[PRODUCT] = product
        thing.matrix_world = self.matrix
        into = into or collection_for(self.scene, self.collection)  # none is made for images alone
        into.objects.link(thing)
        self.objects.append(thing)
        return thing


def made_image(name: str, product: str, content: bytes, *, data: bool) -> bpy.types.Image:
    """The bytes of a PNG file, or of light, which are a product or a part of one, as a packed image of that name."""
    image = image_from_hdr(name, content) if content.startswith(HDR) else image_from_png(name, content, data=data)
    image[PRODUCT], image[MADE] = product, hashlib.sha256(content).hexdigest()
    return image


def recipe_for(landing: Landing, result: Result) -> dict[str, Any]:
    """What is written on the objects of a result: what it was made from, and what the artist should know."""
    return {"picture": landing.picture.name, **_plain(result.recipe), "notes": "\n".join(landing.notes)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON becomes ID properties
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def picture_hash_of(thing: bpy.types.Object) -> str:
    """The hash of the picture that a generated object was made from; empty if its recipe has none."""
    return (recipe_of(thing) or {}).get("inputs", {}).get("picture", "")


def recipe_of(thing: bpy.types.Object | None) -> Mapping[str, Any] | None:
    """What the object was made from, or None if it was not made here."""
    return thing[RECIPE] if thing is not None and RECIPE in thing else None
