# SPDX-License-Identifier: GPL-3.0-or-later
"""What one result's products share while they land: where they go, and what has been made of it so far."""

import hashlib
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from .pictures import image_from_png

PRODUCT = "hi3dgen_product"  # on an image or object: the name of the product that it is, or is a part of
SEEDS = "hi3dgen_seeds"  # on an image: the seeds of the job that led to it

Vector = tuple[float, float, float]
Images = dict[tuple[str, bool, bytes], bpy.types.Image]


@dataclass
class Landing:
    """One result on its way into the scene.

    seed: what led to it. location: where its objects stand. images: those of the job so far, by product and content:
    what no seed changes is one image. normal_map: the result's, in the picture's frame. objects: what was added, meshes
    first. notes: sentences for the artist.
    """

    title: str
    seed: int
    picture: bpy.types.Image
    collection: bpy.types.Collection
    location: Vector
    images: Images
    notes: list[str]
    normal_map: bpy.types.Image | None = None
    objects: list[bpy.types.Object] = field(default_factory=list[bpy.types.Object])

    def image(self, product: str, part: str, png: NDArray[np.uint8], *, data: bool) -> bpy.types.Image:
        """The bytes of a PNG file as an image, packed; one that the job has already is used again."""
        content = png.tobytes()
        key = (product, data, hashlib.sha256(content).digest())
        if key not in self.images:
            self.images[key] = image_from_png(f"{self.title} {part}", content, data=data)
            self.images[key][PRODUCT] = product
        image = self.images[key]
        image[SEEDS] = sorted({*image.get(SEEDS, ()), self.seed})
        return image

    def add(self, product: str, data: bpy.types.ID, name: str) -> bpy.types.Object:
        """A new object in the scene, at the result's location."""
        thing = bpy.data.objects.new(name, data)
        thing[PRODUCT] = product
        thing.location = self.location
        self.collection.objects.link(thing)
        self.objects.append(thing)
        return thing
