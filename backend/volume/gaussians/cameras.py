# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras between those of an orbit."""

import numpy as np

from ...arrays import Float64Array
from ...flow.products import Camera
from ...texture.camera import angles_of

_APART = (30.0, 120.0)  # degrees: nearer neighbours tell what is in between, and farther ones see too little together


def between(cameras: tuple[Camera, ...], count: int) -> tuple[Camera, ...]:
    """So many cameras between each two neighbours that are 30 to 120 degrees apart, in equal steps.

    Neighbours follow by their azimuth, all around. A camera turns from one to the other around one axis (Shoemake 1985)
    while its place, in its own axes, goes straight on: so on an orbit all stay on it. There is none between neighbours
    of which one alone has a field of view.
    """
    ways = [angles_of(camera.matrix[:3, 2]) for camera in cameras]
    order = sorted(range(len(cameras)), key=ways.__getitem__)
    found: list[Camera] = []
    for one, other in zip(order, order[1:] + order[:1], strict=True):
        gap = ways[other][0] - ways[one][0] + (360 if one == order[-1] else 0)
        pair = cameras[one], cameras[other]
        turn = pair[0].matrix[:3, :3].T @ pair[1].matrix[:3, :3]
        if gap <= _APART[1] and _APART[0] <= _angle(turn) <= _APART[1] and bool(pair[0].fov) == bool(pair[1].fov):
            found += [_mixed(*pair, (step + 1) / (count + 1)) for step in range(count)]
    return tuple(found)


def _mixed(one: Camera, other: Camera, share: float) -> Camera:
    """The camera at this share of the way from one to the other."""
    turn = one.matrix[:3, :3].T @ other.matrix[:3, :3]
    matrix = np.eye(4)
    matrix[:3, :3] = one.matrix[:3, :3] @ _part(turn, share)
    places = [camera.matrix[:3, :3].T @ camera.matrix[:3, 3] for camera in (one, other)]
    matrix[:3, 3] = matrix[:3, :3] @ ((1 - share) * places[0] + share * places[1])
    return Camera(matrix, *((1 - share) * a + share * b for a, b in ((one.fov, other.fov), (one.width, other.width))))


def _angle(turn: Float64Array) -> float:
    """The angle, in degrees, by which a matrix turns."""
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def _part(turn: Float64Array, share: float) -> Float64Array:
    """A matrix that turns by a share of the angle around the same axis (Rodrigues); the angle is below 180 degrees."""
    angle = np.radians(_angle(turn))
    cross = (turn - turn.T) / (2 * np.sin(angle))
    part = angle * share
    return np.eye(3) + np.sin(part) * cross + (1 - np.cos(part)) * cross @ cross
