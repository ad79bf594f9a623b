# SPDX-License-Identifier: GPL-3.0-or-later
"""From where to look at a surface, so that few views see well what nothing has seen yet."""

import numpy as np

from ..flow.products import Camera
from ..raster.ticks import Poll
from ..texture.bake import View, without_rim
from ..texture.camera import focal_length
from .front import Front
from .rendering import look_at
from .surface import Surface
from .texels import seen_by

_AZIMUTHS = 8
_ELEVATIONS = (0.0, 35.0, -25.0)
_POLES = (85.0, -60.0)
_DONE = float(np.cos(np.radians(55.0)) ** 4)  # seen so well, a triangle needs no other view
_SIDE = 128  # of the z-buffers
_STEEP = 3.0  # the depth's slope, in pixels a pixel, up to which a point counts as the nearest


def candidates(surface: Surface) -> list[Camera]:
    """Cameras all around: three rings, from above, and from below."""
    around = [360.0 / _AZIMUTHS * number for number in range(_AZIMUTHS)]
    rings = [surface.camera(azimuth, elevation) for elevation in _ELEVATIONS for azimuth in around]
    return [*rings, *(surface.camera(0.0, elevation) for elevation in _POLES)]


def tolerance(surface: Surface, camera: Camera, size: int) -> float:
    """By how much the depth of a point that is seen may differ from a z-buffer of `size` pixels, in the mesh's unit."""
    if not camera.fov:
        return _STEEP * camera.width / size
    distance = float(np.linalg.norm(camera.matrix[:3, 3] - surface.middle))
    return _STEEP * distance / focal_length(camera.fov, size)


def plan(surface: Surface, front: Front, most: int, enough: float, poll: Poll) -> list[Camera]:
    """Choose at most `most` cameras, greedily, until less than `enough` of the surface's area is left.

    What counts is the area of triangles that are not seen yet, times how well a camera sees their middles: the cosine's
    fourth power. One that is seen at less than 55 degrees is done. What no candidate sees does not count. The cameras
    come in the order of their angle to the picture's own, so that each view borders on what is known.
    """
    a, b, c = np.moveaxis(surface.points[surface.triangles], 1, 0)
    cross = np.cross(b - a, c - a)
    areas = np.linalg.norm(cross, axis=1) / 2
    middles = ((a + b + c) / 3).astype(np.float32)
    normals = (cross / np.maximum(2 * areas, 1e-20)[:, None]).astype(np.float32)
    everything = np.arange(len(areas))
    left = 1 - np.minimum(front.weights(everything, np.full((len(areas), 3), 1 / 3)) / _DONE, 1)
    cameras = candidates(surface)
    each = np.empty((len(cameras), len(areas)), np.float32)
    for number, camera in enumerate(cameras):
        seen = look_at(surface, camera, _SIDE, poll)
        view = View(
            seen.depths, without_rim(seen.triangles >= 0, 1).astype(np.float32), tolerance(surface, camera, _SIDE)
        )
        each[number] = seen_by(surface, middles, normals, camera, view, poll)[1]
    found = np.minimum(each / _DONE, 1)
    left *= (found > 0).any(axis=0)
    chosen: list[int] = []
    while len(chosen) < most and float(areas @ left) > enough * float(areas.sum()):
        best = int(np.argmax(each @ (areas * left)))
        if best in chosen:
            break
        chosen.append(best)
        left = np.minimum(left, 1 - found[best])
    from_front = cameras[0].matrix[:3, 2]
    return sorted((cameras[number] for number in chosen), key=lambda camera: -float(camera.matrix[:3, 2] @ from_front))
