# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures that a flow model is shown of an object: maps of its true normals, as the normal estimator gives them.

Hi3DGen was trained on normals rendered from the true mesh (Ye et al. 2025). The engine shows its networks x to the
LEFT, y up, z to the viewer, over white; so do these.
"""

import math

import numpy as np
import torch
from torch import Tensor

from .mesh_losses import render_truth
from .views import Camera, camera_at, on_sphere

_NARROWEST, _WIDEST = math.radians(10), math.radians(70)
_REACH = math.sqrt(3) / 2  # of a corner of the unit cube
_MARGIN = 1.2  # a picture's side over the longer side of what it shows
_RENDERED = 1024  # pixels along a side before the picture is cut out


def condition_cameras(count: int, random: np.random.Generator) -> list[Camera]:
    """Cameras all around, each with a field of view of its own between 10 and 70 degrees, and the cube just in it.

    One over the square of the distance is uniform between its values at both ends.
    """
    far, near = (_REACH / math.sin(field / 2) for field in (_NARROWEST, _WIDEST))
    directions = on_sphere(count, tuple(random.random(2)))
    distances = random.uniform(far**-2, near**-2, count) ** -0.5
    return [
        camera_at(yaw, pitch, distance, 2 * math.asin(_REACH / distance))
        for (yaw, pitch), distance in zip(directions.tolist(), distances.tolist(), strict=True)
    ]


def normal_picture(vertices: Tensor, triangles: Tensor, camera: Camera, size: int, rendered: int = _RENDERED) -> Tensor:
    """The map of a mesh's normals, float32 (3, size, size) in [0, 1], (n + 1) / 2, x to the left, over white.

    It is cut out so that its side is 1.2 times the longer side of what is seen, which may reach past the render.
    """
    truth = render_truth(vertices, triangles, camera, rendered)
    turn = -camera.extrinsics[:3, :3]  # from x right, y down, z ahead to all three the other way
    normals = torch.einsum("ij,jhw->ihw", turn, 2 * truth.normal - 1)
    picture = torch.where(truth.mask > 0, (normals + 1) / 2, 1)
    rows, columns = (truth.mask[0].amax(axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        return picture.new_ones(3, size, size)
    middle = [int(places[0] + places[-1]) / 2 for places in (rows, columns)]
    half = int(max(int(places[-1] - places[0]) for places in (rows, columns)) * _MARGIN) // 2
    top, left = (int(at - half) for at in middle)
    side = max(1, 2 * half)
    padded = torch.nn.functional.pad(picture, (side, side, side, side), value=1.0)
    cut = padded[:, top + side : top + 2 * side, left + side : left + 2 * side]
    return _resized(cut, size)


def _resized(picture: Tensor, size: int) -> Tensor:
    """A picture (3, H, W) in [0, 1] resampled as the engine does it, in 8 bits."""
    from PIL import Image  # noqa: PLC0415

    pixels = (picture.clamp(0, 1) * 255).permute(1, 2, 0).round().byte().cpu().numpy()
    shrunk = Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(shrunk).copy()).permute(2, 0, 1).to(picture.device) / 255
