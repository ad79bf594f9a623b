# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a body stands, and how far it may be tilted before it tips over.

A body on the floor comes to rest where its centre of mass is lowest. Tilted about its sole, the centre rises until it
is above the point that it turns about, and the body falls beyond that. So the greatest tilt in a direction is where
the height of the centre over the lowest point first stops rising; what is lowest at each angle is asked of all
vertices. A ball has nothing to rise over, whatever touches the floor.
"""

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..mesh.check import centre_of_mass
from ..mesh.stand import resting_turn, turned

MOST = 45.0
"""Degrees: no body is tilted further."""
STANDS = 2.0
"""Degrees: what tips over at less does not stand. So a ball does not, though it is made of small flat faces."""
_ROCKS = np.cos(np.radians(2.0))  # a body that comes to rest this near to upright stands as it is
DIRECTIONS = 48
"""In which tilts are tried: between two of them a corner may be missed by 0.2 % of the angle's tangent."""
_ANGLES = np.radians(np.concatenate([[0.1], np.arange(1.0, MOST + 1)]))


def tilt(vertices: Float64Array, triangles: Int64Array) -> float:
    """Return by how many degrees, up to 45, a closed body may be tilted in any direction before it tips over.

    vertices: float64 (V, 3), z up. triangles: int64 (T, 3). 0 if it does not stand: it comes to rest more than 2° from
    how it is.
    """
    turn = resting_turn(vertices, triangles)
    if turn is None or turn[2, 2] < _ROCKS:
        return 0.0
    centre = centre_of_mass(vertices, triangles)
    return _rise(turned(vertices - centre, turn))


def _rise(points: Float64Array) -> float:
    """Return the least of the tilts in degrees at which the centre, the origin, stops rising over points (N, 3)."""
    least = np.radians(MOST)
    down = -points[:, 2].astype(np.float32)
    sine, cosine = np.sin(_ANGLES).astype(np.float32), np.cos(_ANGLES).astype(np.float32)
    for direction in compass():
        out = np.einsum("ni,i->n", points[:, :2], direction)
        tilted = out.astype(np.float32)
        for number, angle in enumerate(_ANGLES):
            if angle > least:
                break
            touching = int((down * cosine[number] + tilted * sine[number]).argmax())
            highest = np.arctan2(out[touching], -points[touching, 2])
            if highest <= angle:
                before = _ANGLES[number - 1] if number else 0.0
                least = min(least, max(float(highest), before))
                break
    return float(np.degrees(least))


def tilt_of_sole(sole: Float64Array, centre: Float64Array) -> float:
    """The same of a body that stands on a flat sole; its convex hull counts.

    sole: float64 (N, 2), places of it. centre: float64 (3,), the centre of mass, its height above the sole.
    """
    reach = np.einsum("ni,di->nd", sole - centre[:2], compass()).max(axis=0).min()
    return float(np.clip(np.degrees(np.arctan2(reach, centre[2])), 0.0, MOST))


def compass() -> Float64Array:
    """Return the directions in which tilts are tried, float64 (D, 2), unit vectors."""
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
