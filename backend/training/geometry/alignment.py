# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a predicted surface into the frame of the true one, without a rotation.

What a picture cannot tell is taken out: the size and the place. The boxes around both, as they are seen from the front,
get the same middle and the same diagonal, and along the view the prediction moves until the difference of the two
fronts has the median 0, over the pixels of both.
"""

import numpy as np

from ...arrays import Float64Array
from .silhouettes import REACH, SIDE, depths
from .triangles import Triangles

_MARGIN = (
    0.6  # of the longer side of the true outline: how far the view reaches in which `through_lens` compares fronts
)
_NEAREST = 0.05  # nothing comes nearer to the camera than this


def aligned(prediction: Triangles, truth: Triangles) -> Triangles:
    """Return the prediction at the truth's place, seen along parallel rays."""
    vertices, _ = _fitted(prediction, truth)
    middle, true_middle = ((low + high)[2] / 2 for low, high in (Triangles(vertices, prediction.faces).box, truth.box))
    vertices[:, 2] += true_middle - middle  # if no pixel shows both, it stays there
    vertices[:, 2] += _between(Triangles(vertices, prediction.faces), truth, REACH)
    return Triangles(vertices, prediction.faces)


def through_lens(prediction: Triangles, truth: Triangles, camera: Float64Array) -> Triangles:
    """Return the prediction at the truth's place, seen through the truth's camera.

    An engine builds its mesh over the picture as if the picture's rays were parallel. Here every point goes to the ray
    that its place in the picture stands for: x and y become those of the picture, and grow with the distance from the
    camera. Depths keep the scale that the prediction has at the truth's front.

    camera: float64 (3,), its place; it looks along -z.
    """
    away = camera[2] - truth.vertices[:, 2]
    pictured = Triangles(np.column_stack([(truth.vertices - camera)[:, :2] / away[:, None], -away]), truth.faces)
    vertices, scale = _fitted(prediction, pictured)
    low, high = pictured.box
    middle, reach = (low + high)[:2] / 2, _MARGIN * float((high - low)[:2].max())
    centred = Triangles(pictured.vertices - np.append(middle, 0), truth.faces)
    distance = -float(np.nanmedian(depths(centred, SIDE, reach)[0]))
    vertices[:, 2] = prediction.vertices[:, 2] * scale * distance
    flat = Triangles(vertices - np.append(middle, 0), prediction.faces)
    away = np.maximum(-vertices[:, 2] - _between(flat, centred, reach), _NEAREST)
    return Triangles(
        np.column_stack([camera[:2] + vertices[:, :2] * away[:, None], camera[2] - away]), prediction.faces
    )


def _fitted(prediction: Triangles, truth: Triangles) -> tuple[Float64Array, float]:
    """Return the prediction's vertices, scaled and with the front box at its place, and by how much they are scaled."""
    (low, high), (true_low, true_high) = prediction.box, truth.box
    scale = float(np.linalg.norm((true_high - true_low)[:2]) / np.linalg.norm((high - low)[:2]))
    vertices = prediction.vertices * scale
    vertices[:, :2] += ((true_low + true_high) / 2 - scale * (low + high) / 2)[:2]
    return vertices, scale


def _between(prediction: Triangles, truth: Triangles, reach: float) -> float:
    """Return how far the prediction's front has to move along z; 0 if no pixel shows both."""
    difference = depths(truth, SIDE, reach)[0] - depths(prediction, SIDE, reach)[0]
    both = np.isfinite(difference)
    return float(np.median(difference[both])) if both.any() else 0.0
