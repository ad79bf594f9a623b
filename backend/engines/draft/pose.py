# SPDX-License-Identifier: GPL-3.0-or-later
"""How the picture's camera stands to the object: its lens bends the body, and its tilt makes it lie or lean.

The body is built over the picture's pixels as if their rays were parallel. They meet in the eye: what lies at the
height z before the middle is seen 1 / (1 - z / e) times as large, with e the eye's distance. Undone, parallel edges are
parallel again. Then the body is turned so that what is up in the object is up in the scene.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import Float64Array, Int32Array
from ...geometry.network import SURE
from ...mesh.stand import set_down, turn_to_z, turned

_NEAREST = 0.45  # over half the object's square: the greatest nearness that is undone


@dataclass(frozen=True)
class Pose:
    """The camera, over a lattice in pixels.

    nearness: one over the eye's distance from the height 0, in 1 / pixels, at least 0. column, row: where the viewing
    axis meets the lattice. up: float64 (3,), x right, y up, z to the viewer. doubt: see `geometry.network.Sheets`.
    """

    nearness: float
    column: float
    row: float
    up: Float64Array
    doubt: float


PARALLEL = Pose(0.0, 0.0, 0.0, np.array([0.0, 1.0, 0.0]), 2.0)
"""A camera whose rays are parallel, and that does not know what is up."""


def limited(nearness: float, half: float) -> float:
    """Return a nearness in halves of the square's side as one in pixels, within what is plausible."""
    return min(max(nearness, 0.0), _NEAREST) / half


def without_lens(places: Float64Array, pose: Pose) -> Float64Array:
    """Undo the perspective of columns, rows and heights, float64 (3, V); heights stay."""
    middle = np.array([[pose.column], [pose.row]])
    wide = 1.0 - np.minimum(places[2] * pose.nearness, 0.7)
    return np.concatenate([middle + (places[:2] - middle) * wide, places[2:]])


def set_upright(vertices: Float64Array, triangles: Int32Array, pose: Pose) -> Float64Array:
    """Turn a closed body, (V, 3), so that up is up and it stands, if that is sure; Blender's axes."""
    length = float(np.linalg.norm(pose.up))
    if pose.doubt > SURE or pose.up[1] <= 0:
        return vertices
    x, y, z = pose.up / length
    return set_down(turned(vertices, turn_to_z(np.array([x, -z, y]))), triangles)
