# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures from around the object become cameras that stand where they were seen from, each with its picture."""

import time

import bpy
import numpy as np
from mathutils import Matrix

from ...backend.wire.products import Views
from ..errors import AddonError
from .collection import collection_for
from .landing import Landing
from .lens import Sight
from .view_sets import SET, SHOWN, Kept, keep


def land(landing: Landing, name: str, product: Views) -> None:
    """Add the cameras, in a collection of their own, hidden from renders; they move with the mesh beside them.

    Raises `AddonError` for a broken pose.
    """
    if not np.isfinite(product.matrices).all():
        raise AddonError("A camera that arrived stands nowhere.", "Generate again; report it if it stays.")
    parent = next((thing for thing in landing.objects if thing.type == "MESH"), None)
    called, made = name.replace("_", " "), time.time()
    collection = bpy.data.collections.new(f"{landing.title} {called}")
    collection[SET] = made
    collection_for(landing.scene, landing.collection).children.link(collection)
    for number, png in enumerate(product.pictures):
        part = f"{called} {number + 1}"
        camera = bpy.data.cameras.new(f"{landing.title} {part}")
        image = landing.image(name, part, np.frombuffer(png, np.uint8), data=False)
        for length in ("clip_start", "clip_end"):
            setattr(camera, length, getattr(camera, length) * landing.scale)
        away = float(np.linalg.norm(product.matrices[number, :3, 3])) or 1.0
        camera.display_size = SHOWN * away * landing.scale
        pose = Matrix(product.matrices[number].tolist())
        pose.translation = landing.own(product.matrices[number, :3, 3])
        thing = landing.add(name, camera, camera.name, collection)
        thing.parent = parent
        thing.matrix_basis = pose if parent else landing.matrix @ pose
        thing.hide_render = True
        drawn = Sight(product.matrices[number].astype(np.float64), product.fovs[number], product.widths[number])
        keep(landing.scene, thing, Kept(made, number, drawn, landing.scale, image))
