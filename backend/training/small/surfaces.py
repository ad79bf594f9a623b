# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up objects' true surfaces and cameras, by which normals count while the latents' flow model learns.

The surface is what the true distances at the cells' corners say: the best that the latents' decoder could do. One
camera looks as the pictures do, but from so far that its rays are nearly parallel; the others stand around the object.
"""

import math

import torch
from torch import Tensor

from ..norld.views import camera_at, on_sphere
from .latents import of_cells, surface_of, voxels_of

_PICTURES = 2  # of an object: each has a camera of its own number
_AROUND = 6  # further cameras
_FAR = 10.0  # sides of the volume
_FACE = 2 * math.atan(0.5 / (_FAR - 0.5))  # the field in which the camera sees the volume's front face


def placed(coords: Tensor, distances: Tensor) -> dict[str, Tensor]:
    """What `norld.objects` knows of an object's mesh and cameras, from its voxels (N, 3) and their distances (N, 27).

    extrinsics float32 (V, 4, 4), intrinsics (V, 3, 3), vertices (M, 3) in the volume, triangles int32 (F, 3).
    """
    cells = voxels_of([{"coords": coords}]).children
    surface = surface_of(cells.coords[:, 1:], of_cells(distances))
    around = [camera_at(yaw, pitch) for yaw, pitch in on_sphere(_AROUND).tolist()]
    cameras = [camera_at(-math.pi / 2, 0.0, _FAR, _FACE)] * _PICTURES + around
    return {
        "extrinsics": torch.stack([camera.extrinsics for camera in cameras]),
        "intrinsics": torch.stack([camera.intrinsics for camera in cameras]),
        "vertices": surface.vertices.float().contiguous(),
        "triangles": surface.triangles.int().contiguous(),
    }
