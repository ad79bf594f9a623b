# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures from around the object become cameras that stand where they were seen from, each with its picture."""

import math

import bpy
import numpy as np
from mathutils import Matrix

from ...backend.wire.products import Views
from ..errors import AddonError
from .landing import Landing


def land(landing: Landing, name: str, product: Views) -> None:
    """Add the cameras, hidden from renders; they move with the mesh beside them.

    Raises `AddonError` for a broken pose.
    """
    if not np.isfinite(product.matrices).all():
        raise AddonError("A camera that arrived stands nowhere.", "Generate again; report it if it stays.")
    parent = landing.objects[0] if landing.objects else None
    for number, png in enumerate(product.pictures):
        part = f"{name.replace('_', ' ')} {number + 1}"
        camera = bpy.data.cameras.new(f"{landing.title} {part}")
        camera.sensor_fit = "HORIZONTAL"  # both angle and width are across
        if product.fovs[number] > 0:
            camera.angle = math.radians(product.fovs[number])
        else:
            camera.type = "ORTHO"
            camera.ortho_scale = product.widths[number] * landing.scale
        for length in ("clip_start", "clip_end", "display_size"):
            setattr(camera, length, getattr(camera, length) * landing.scale)
        camera.show_background_images = True
        shown = camera.background_images.new()
        shown.image = landing.image(name, part, np.frombuffer(png, np.uint8), data=False)
        thing = landing.add(name, camera, camera.name)
        pose = Matrix(product.matrices[number].tolist())
        pose.translation = landing.own(product.matrices[number, :3, 3])
        thing.parent = parent
        thing.matrix_basis = pose if parent else landing.matrix @ pose
        thing.hide_render = True
