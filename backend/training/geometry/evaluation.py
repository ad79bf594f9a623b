# SPDX-License-Identifier: GPL-3.0-or-later
"""How near a body comes to the true surface of the object in its picture.

The prediction is first brought to the truth's place, see `alignment`: what is measured is shape. Lengths are in units
of the truth's longest side.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ...arrays import Float64Array
from ...errors import UserError
from ...flow.products import Mesh
from ...raster.masks import overlap
from .alignment import aligned, through_lens
from .nearest import nearest, sample
from .objects import Pictured
from .sharp import beside_sharp_edges
from .silhouettes import depths, occupied, outline, seen_from, seen_from_above
from .triangles import Triangles, areas, from_scene, of_some, soundness, stands

_POINTS = 30_000
_SHARP_POINTS, _DENSE_POINTS = 4_000, 120_000  # of the truth's sharp edges, and of all of the prediction
_SEEDS = (1, 2)  # of the truth's points and the prediction's
_BOUNDS = (0.01, 0.02, 0.05)


class Score(NamedTuple):
    """What was measured of one body, or an average; NaN if there is no number. Lengths: the truth's longest side is 1.

    chamfer: the mean distance of points on either surface to the nearest on the other; the average of both ways.
    f01, f02, f05: the F-score, the harmonic mean of both ways' shares of points that are nearer than 0.01, 0.02, 0.05.
    normals: the mean |cosine| between the normals of nearest points. sharp: the mean angle in degrees, 0 to 90, between
    the truth's normals beside its sharp edges and those of the nearest points. volume: the intersection over the union
    of what is inside, if the truth tells. side0 to side180: the same of the outlines from so many degrees to the right
    of the front; top: from above. front, back: the mean error of the first and the last depth along the pixels' rays.
    extent: the prediction's depth over the truth's. watertight, winding, stands: 1 for yes. bodies: how many.
    """

    chamfer: float
    f01: float
    f02: float
    f05: float
    normals: float
    sharp: float
    volume: float
    side0: float
    side45: float
    side90: float
    side135: float
    side180: float
    top: float
    front: float
    back: float
    extent: float
    watertight: float
    winding: float
    bodies: float
    stands: float


def judge(truth: Pictured, mesh: Mesh, *, lens: bool = False, in_place: bool = False) -> tuple[Score, Triangles]:
    """Measure a mesh as an engine gives it, Blender's axes, standing on the floor; also return it in the truth's frame.

    lens: look at it through the truth's camera, see `alignment.through_lens`. in_place: it lies in the truth's frame
    already, and stays where it is.
    Raises `UserError` if the mesh has no surface, and with `lens` if the camera is not known.
    """
    scene = from_scene(mesh)
    if not areas(scene.corners).sum() > 0:
        raise UserError("empty-mesh", "The result has no surface.", "Try another engine or other settings.")
    if lens and (truth.camera is None or truth.camera[2] <= truth.surface.box[1][2]):
        sentence = f"objects.json does not say from where {truth.name} is seen."
        raise UserError("bad-example", sentence, "Add its camera, or measure without --lens.")
    if in_place:
        prediction = scene
    elif lens and truth.camera is not None:
        prediction = through_lens(scene, truth.surface, truth.camera)
    else:
        prediction = aligned(scene, truth.surface)
    sound = soundness(prediction.faces)
    extent, true_extent = (float((high - low)[2]) for low, high in (prediction.box, truth.surface.box))
    numbers = [
        *_by_points(truth, prediction),
        _at_sharp_edges(truth, prediction),
        float("nan") if truth.occupied is None else overlap(occupied(prediction), truth.occupied),
        *(_side(truth.surface, prediction, degrees) for degrees in (0, 45, 90, 135, 180)),
        overlap(*(outline(seen_from_above(one)) for one in (prediction, truth.surface))),
        *_by_depths(truth.surface, prediction),
        extent / true_extent if true_extent else float("nan"),
        *(float(number) for number in (*sound, stands(mesh))),
    ]
    return Score(*numbers), prediction


def mean(scores: Iterable[Score]) -> Score:
    """Average every number over those bodies that have it."""
    return _over(scores, lambda values: float(values.mean()))


def median(scores: Iterable[Score]) -> Score:
    """Return every number's median over those bodies that have it."""
    return _over(scores, lambda values: float(np.median(values)))


def _over(scores: Iterable[Score], average: Callable[[Float64Array], float]) -> Score:
    columns = np.array([*scores], np.float64).reshape(-1, len(Score._fields)).T
    known = [column[~np.isnan(column)] for column in columns]
    return Score(*(average(values) if len(values) else float("nan") for values in known))


def _by_points(truth: Pictured, prediction: Triangles) -> tuple[float, float, float, float, float]:
    """Return Chamfer distance, three F-scores and the normals' agreement, from points of what is seen from outside."""
    seen = of_some(truth.surface, truth.outer)
    (true, true_normals), (found, found_normals) = (
        sample(one, _POINTS, seed) for one, seed in zip((seen, prediction), _SEEDS, strict=True)
    )
    (missed, at), (wrong, true_at) = nearest(true, found), nearest(found, true)
    cosines = [
        np.abs((one * other).sum(axis=1)).mean()
        for one, other in ((true_normals, found_normals[at]), (found_normals, true_normals[true_at]))
    ]
    scores = [_f_score(missed, wrong, bound) for bound in _BOUNDS]
    return float(missed.mean() + wrong.mean()) / 2, scores[0], scores[1], scores[2], float(np.mean(cosines))


def _at_sharp_edges(truth: Pictured, prediction: Triangles) -> float:
    """Return the mean angle between the normals at the truth's sharp edges and the prediction's, degrees; or NaN."""
    found = beside_sharp_edges(of_some(truth.surface, truth.outer), _SHARP_POINTS, _SEEDS[0])
    if found is None:
        return float("nan")
    points, normals = sample(prediction, _DENSE_POINTS, _SEEDS[1])
    cosines = np.abs((found[1] * normals[nearest(found[0], points)[1]]).sum(axis=1))
    return float(np.degrees(np.arccos(np.minimum(cosines, 1))).mean())


def _f_score(missed: Float64Array, wrong: Float64Array, bound: float) -> float:
    recall, precision = float((missed < bound).mean()), float((wrong < bound).mean())
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def _side(truth: Triangles, prediction: Triangles, degrees: float) -> float:
    return overlap(*(outline(seen_from(one, degrees)) for one in (prediction, truth)))


def _by_depths(truth: Triangles, prediction: Triangles) -> list[float]:
    """Return the mean errors of the front and of the back over the pixels of both; NaN if there are none."""
    errors = [np.abs(one - other) for one, other in zip(depths(truth), depths(prediction), strict=True)]
    return [float(error[np.isfinite(error)].mean()) if np.isfinite(error).any() else float("nan") for error in errors]
