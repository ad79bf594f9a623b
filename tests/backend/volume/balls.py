# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of a ball whose colours tell the direction, drawn from its equation."""

import numpy as np
import torch

from backend.arrays import Float32Array
from backend.flow.products import Camera, Picture
from backend.raster.vectors import unit
from backend.texture.camera import orbit
from backend.volume.rays import rays_of
from backend.volume.seen import Seen, seen

RADIUS = 0.4
SIDE = 64
_FINE = 4
CAMERAS = tuple(orbit(30.0 + 60 * k, (20.0, -10.0)[k % 2], 2.0, 40.0) for k in range(6))


def ball(camera: Camera, side: int = SIDE) -> tuple[Picture, Float32Array]:
    """What a camera sees: uint8 (S, S, 4), and its own normals, float32 (S, S, 3)."""
    fine = side * _FINE
    origins, directions = (part.numpy().astype(np.float64) for part in rays_of(camera, (fine, fine)))
    along = -(origins * directions).sum(axis=1)
    off = (origins**2).sum(axis=1) - along**2  # squared, of the ray from the ball's middle
    hits = off < RADIUS**2
    normals = unit(origins + directions * (along - np.sqrt(np.maximum(RADIUS**2 - off, 0)))[:, None], least=1e-9)
    samples = np.concatenate([(normals + 1) / 2 * hits[:, None], normals * hits[:, None], hits[:, None]], axis=1)
    means = samples.reshape(side, _FINE, side, _FINE, 7).mean(axis=(1, 3))
    alpha = means[..., 6:]
    colours = np.concatenate([means[..., :3] / np.maximum(alpha, 1e-9), alpha], axis=2)
    own = unit(means[..., 3:6] @ camera.matrix[:3, :3], least=1e-9)
    return np.rint(colours * 255).astype(np.uint8), own.astype(np.float32)


def seen_ball(*, normals: bool = False, cameras: tuple[Camera, ...] = CAMERAS) -> Seen:
    """The views that cameras have of it."""
    pictures, own = zip(*(ball(camera) for camera in cameras), strict=True)
    rgba = np.stack(pictures).astype(np.float32) / 255
    return seen(rgba[..., :3], rgba[..., 3], cameras, np.stack(own) if normals else None, torch.device("cpu"))
