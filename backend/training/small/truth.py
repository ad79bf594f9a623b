# SPDX-License-Identifier: GPL-3.0-or-later
"""Held-out shapes as engines are given them, and as `geometry.evaluation` judges what engines make of them."""

import numpy as np
import torch

from ...arrays import Float32Array
from ...flow.products import Crop, Cutout, NormalMap, Picture
from ...raster.vectors import TO_VIEWER
from ...surface.marching_cubes import marching_cubes
from ..geometry.objects import Pictured
from ..geometry.silhouettes import occupied
from ..geometry.triangles import Triangles
from ..geometry.views import estimated_normals
from .views import Seen, distances_at

_CELLS = 128  # of the true surface, along the volume's sides


def surface_of(seen: Seen) -> Triangles:
    """A shape's surface in its volume, as the viewer sees it: x right, y up, z to the viewer."""
    along = np.arange(_CELLS + 1) / _CELLS - 0.5
    every = np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1).reshape(-1, 3)
    values = torch.from_numpy(distances_at(seen, every).astype(np.float32)).reshape((_CELLS + 1,) * 3)
    surface = marching_cubes(values)
    vertices = surface.interpolate(torch.from_numpy(every.astype(np.float32))[surface.points]).double().numpy()
    return Triangles(vertices[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0]), surface.triangles.long().numpy())


def pictured(seen: Seen, name: str) -> Pictured:
    """What is true of a shape: its box's middle is the origin, its longest side 1."""
    surface = surface_of(seen)
    low, high = surface.box
    placed = Triangles((surface.vertices - (low + high) / 2) / float((high - low).max()), surface.faces)
    return Pictured(name, placed, np.ones(len(placed.faces), np.bool_), occupied(placed), None)


def normal_map_of(seen: Seen, random: np.random.Generator | None = None) -> NormalMap:
    """The map of a shape's true normals, or with a generator of those that the draft engine estimates from a photo."""
    surface, turn = seen.scene.seen, seen.scene.camera.turn
    if random is None:
        normals = surface.normals @ turn.T
    else:
        normals = estimated_normals(seen.scene, random, len(surface.hit)).astype(np.float64)
    normals = np.where(surface.hit[..., None], normals, TO_VIEWER)
    return NormalMap(normals.astype(np.float32), surface.hit.astype(np.float32))


def cutout_of(normal_map: NormalMap) -> Cutout:
    """A cut-out in the colours of a normal map: engines that are given the map ask for no more of it."""
    side = len(normal_map.alpha)
    return Cutout(coloured(normal_map.normals, normal_map.alpha), Crop(0, 0, side, side, side))


def coloured(normals: Float32Array, alpha: Float32Array) -> Picture:
    """Normals (S, S, 3) as colours with an alpha, uint8 (S, S, 4)."""
    return np.rint(np.dstack([(normals + 1) / 2, alpha]).clip(0, 1) * 255).astype(np.uint8)
