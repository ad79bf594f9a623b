# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up shape as a picture shows it: in the axes of its camera, so that a pixel's surface is at the pixel.

The published networks turn every object upright, whatever the picture's side is, and learn to do so from hundreds of
thousands of objects. Here the volume has the picture's axes: x right, y away from the viewer, z up. Its front face is
the square of the normal map, `MARGIN` times the outline's longer side as the engine cuts it out, and its middle in
depth is the object's. So a flow model need not find a pose. What is deeper than the volume is left out.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float32Array, Float64Array
from ...flow.products import Picture
from ...foreground.framing import MARGIN
from ..geometry.views import Scene, estimated_normals, look_from_behind
from ..shapes import draw_camera
from ..shapes.field import distances
from ..shapes.sculptures import draw_shape
from ..shapes.solids import Shape
from ..shapes.tracing import Camera, look

RESOLUTION = 32
"""Voxels along the volume's sides."""

FINE = 2
"""Cells of the distances along a voxel's edge."""

PIXELS = 112
"""Along the sides of a normal map."""

CELLS = 32
"""Along the sides of the sheets that tokens are trained with."""

REACH = 3.0
"""Cells: distances are known so far from the surface."""

_FINER = 2  # pixels of a look across one of the map
_DEEPEST = 0.96  # of the volume's side
_FEWEST, _MOST = 60, 6000  # voxels
_STRETCH = (0.96, 1.05)  # of the margin


class Seen(NamedTuple):
    """A shape in the volume of a camera. side: of the volume, in the shape's lengths. middle: its place there."""

    scene: Scene
    side: float
    middle: Float64Array

    def places(self, volume: Float64Array) -> Float64Array:
        """Places (3, K) in the shape's space of those in the volume, (K, 3) in [-0.5, 0.5]."""
        x, y, z = volume.T * self.side
        right, up, back = self.scene.camera.turn
        moved = np.stack([right, -back, up], axis=1) @ np.stack([x, y, z])
        return np.ascontiguousarray(self.middle[:, None] + moved)


def draw_seen(random: np.random.Generator) -> Seen:
    """Draw a shape and a camera whose volume holds it."""
    while True:
        shape = draw_shape(random)
        rough = draw_camera(random, shape)
        camera = _framed(shape, rough._replace(half=rough.half * MARGIN), MARGIN * random.uniform(*_STRETCH))
        if camera is None:
            continue
        size = _FINER * PIXELS
        scene = Scene(shape, camera, look(shape, camera, size), look_from_behind(shape, camera, size))
        both = scene.seen.hit & scene.behind.hit
        if not both.any():
            continue
        side, back = 2 * camera.half, camera.turn[2]
        near, far = (scene.seen.places @ back)[both].max(), (scene.behind.places @ back)[both].min()
        if near - far > _DEEPEST * side:
            continue
        x, z = camera.centre
        return Seen(scene, side, x * camera.turn[0] + z * camera.turn[1] + (near + far) / 2 * back)


def distances_at(seen: Seen, volume: Float64Array) -> Float64Array:
    """The signed distances (K,), negative inside, of places (K, 3) in the volume, in its sides."""
    pixel = seen.side / (_FINER * PIXELS)
    return distances(seen.places(volume), seen.scene.shape, 1, pixel) / seen.side


def voxels(seen: Seen) -> tuple[Float32Array, Float32Array] | None:
    """The voxels that the surface passes through, as the corners of their cells show it; None if too few or many.

    Returns places float32 (N, 3), whole numbers in [0, 32), and distances float32 (N, 27) in cells, at most `REACH`, at
    the voxel's 3 x 3 x 3 corners of cells, z fastest.
    """
    points = RESOLUTION * FINE + 1
    along = np.arange(points) / (points - 1) - 0.5
    every = np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1).reshape(-1, 3)
    values = (distances_at(seen, every) * (points - 1)).astype(np.float32).reshape(points, points, points)
    windows = np.lib.stride_tricks.sliding_window_view(values, (FINE + 1,) * 3)[::FINE, ::FINE, ::FINE]
    around = windows.reshape(RESOLUTION, RESOLUTION, RESOLUTION, -1)
    crossed = (around.min(axis=-1) < 0) & (around.max(axis=-1) >= 0)
    if not _FEWEST <= crossed.sum() <= _MOST:
        return None
    return np.argwhere(crossed).astype(np.float32), around[crossed].clip(-REACH, REACH)


def true_picture(seen: Seen) -> Picture:
    """The map of the true normals as the engine shows it to its networks: uint8 (S, S, 3), x left, over white."""
    surface = seen.scene.seen
    return _picture(surface.normals @ seen.scene.camera.turn.T, surface.hit, _FINER)


def estimated_picture(seen: Seen, random: np.random.Generator) -> Picture:
    """The same of the normals that the draft engine's estimator finds in a photograph of the shape."""
    normals = estimated_normals(seen.scene, random, PIXELS)
    hit = seen.scene.seen.hit[_FINER // 2 :: _FINER, _FINER // 2 :: _FINER]
    return _picture(normals.astype(np.float64), hit, 1)


def sheets(seen: Seen) -> Float32Array:
    """What is in each cell of the picture, and behind it, float32 (9, 32, 32): zeros where there is no object.

    The share that is object; where rays enter and leave, along y in [-0.5, 0.5]; and the outward normals there, x
    right, y up, z to the viewer.
    """
    scene, (_, _, back) = seen.scene, seen.scene.camera.turn
    hit = scene.seen.hit & scene.behind.hit
    sides = scene.seen, scene.behind
    depths = [np.where(hit, (seen.middle @ back - side.places @ back) / seen.side, 0) for side in sides]
    normals = [np.where(hit[..., None], side.normals @ scene.camera.turn.T, 0).transpose(2, 0, 1) for side in sides]
    planes = [hit.astype(np.float64), *depths, *normals[0], *normals[1]]
    blocks = np.stack(planes).reshape(len(planes), CELLS, len(hit) // CELLS, CELLS, len(hit) // CELLS)
    means = blocks.mean(axis=(2, 4))
    means[1:] /= np.maximum(means[:1], 1e-6)  # means over the object alone
    return means.astype(np.float32)


def _framed(shape: Shape, camera: Camera, margin: float) -> Camera | None:
    """The camera whose square has `margin` times the longer side of the outline; None if it sees nothing."""
    size = _FINER * PIXELS
    rows, columns = np.nonzero(look(shape, camera, size).hit)
    if not len(rows):
        return None
    pixel = 2 * camera.half / size
    low, high, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    across = camera.centre[0] + ((low + high) / 2 - size / 2) * pixel
    up = camera.centre[1] - ((top + bottom) / 2 - size / 2) * pixel
    half = float(max(high - low, bottom - top) * pixel / 2 * margin)
    return camera._replace(centre=(float(across), float(up)), half=half)


def _picture(normals: Float64Array, hit: BoolArray, finer: int) -> Picture:
    """The engine's picture of normals (finer S, finer S, 3), x to the right, where there is an object."""
    colours = np.where(hit[..., None], (normals * (-1, 1, 1) + 1) / 2, 1).clip(0, 1)
    size = len(hit) // finer
    means = colours.reshape(size, finer, size, finer, 3).mean(axis=(1, 3))
    return np.rint(means * 255).astype(np.uint8)
