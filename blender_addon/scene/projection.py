# SPDX-License-Identifier: GPL-3.0-or-later
"""From where a mesh shows its picture: the axes of the picture's camera, read from the projection itself.

Engines turn bodies upright and artists apply rotations, but the UV map that projects the picture turns with neither: it
grows along the picture's right and up. So it is fitted by an affine map of the vertices' places, by least squares, and
the nearest right angles are taken (Schönemann 1966). A camera that is near bends the projection; its mean stays.
"""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

UV_MAP = "UVMap"
ATLAS = "All Round"  # lies in the image of the colours all round
CORNERS = 100_000  # of so many, evenly taken, the projection is known well
MAX_ERROR = 0.3  # root mean square that the fit may leave, in those of the UVs about their mean; 1 is no fit at all
MIN_SQUARE = 0.5  # the least scale of one axis in scales of the other


def axes_of(mesh: bpy.types.Mesh, size: Sequence[int]) -> Matrix | None:
    """The picture's right, up and way to the viewer, in the mesh's coordinates: the columns of a (3, 3) rotation.

    size: width and height of the picture, in any unit. None if the mesh's UV map is no projection from one side.
    """
    uv_map = mesh.uv_layers.get(UV_MAP)
    count = len(mesh.loops)
    if uv_map is None or len(uv_map.uv) != count or count < 3 or min(size) <= 0:  # empty in Edit Mode
        return None
    uv, points = np.empty((count, 2), np.float32), np.empty((len(mesh.vertices), 3), np.float32)
    corners = np.empty(count, np.int32)
    uv_map.uv.foreach_get("vector", uv.reshape(-1))
    mesh.attributes["position"].data.foreach_get("vector", points.reshape(-1))
    mesh.attributes[".corner_vert"].data.foreach_get("value", corners)
    taken = some_of(count)
    return axes_by(points[corners[taken]], uv[taken], size)


def some_of(count: int) -> slice:
    """Which ones of so many corners tell the projection."""
    return slice(None, None, max(-(-count // CORNERS), 1))


def axes_by(points: NDArray[np.float32], uv: NDArray[np.float32], size: Sequence[int]) -> Matrix | None:
    """The same as `axes_of` by corners: their places (N, 3) and UVs (N, 2)."""
    axes = fitted_axes(points, uv * np.array(size, np.float64))
    return None if axes is None else Matrix(axes.tolist())


def fitted_axes(points: NDArray[Any], places: NDArray[Any]) -> NDArray[np.float64] | None:
    """The axes by which points (N, 3) are seen at places (N, 2), x right and y up, in one unit: columns, (3, 3).

    None if the places are not those of a picture from one side.
    """
    points = points - points.mean(axis=0, dtype=np.float64)
    places = places - places.mean(axis=0, dtype=np.float64)
    slopes = np.linalg.lstsq(points, places, rcond=1e-6)[0]
    left = np.linalg.norm(places - points @ slopes)
    along, scales, across = np.linalg.svd(slopes, full_matrices=False)
    if left > MAX_ERROR * np.linalg.norm(places) or scales[1] <= MIN_SQUARE * scales[0]:
        return None
    right, up = (along @ across).T
    return np.stack([right, up, np.cross(right, up)], axis=1)
