# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit views from around an object to a mesh of it, by their outlines.

The cameras of the views share one frame, so that a single similarity brings all of them to the mesh: a turn, a scale
and a shift. The picture that the views were drawn from tells where the turn begins; scale and shift begin where the
boxes around the outlines agree. A simplex search makes the outlines agree then, all at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Camera
from ..raster.ticks import Poll
from .cloud import Cloud
from .lens import lens_of
from .likeness import LEAST, Target, outlines
from .simplex import minimised

_SEARCHED = 6  # views, evenly chosen, that a search looks at
_ROUNDS = 4
_EVALUATIONS = 160
_TURN, _SCALE = 10.0, 0.1  # degrees, and of the scale's logarithm: what costs as much as `_COST` of likeness
_COST = 0.02
_STEPS = np.array([4.0, 3.0, 3.0, 0.04, 0.04, 0.04, 0.04])  # the first of a search: degrees, the logarithm, and radii


@dataclass(frozen=True)
class Similarity:
    """What brings the frame of views to that of a mesh: turn @ point * scale + shift.

    turn: float64 (3, 3). shift: float64 (3,), in the mesh's unit.
    """

    turn: Float64Array
    scale: float
    shift: Float64Array

    def of(self, camera: Camera) -> Camera:
        """A camera in the mesh's frame."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.turn @ camera.matrix[:3, :3]
        matrix[:3, 3] = self.scale * self.turn @ camera.matrix[:3, 3] + self.shift
        return Camera(matrix, camera.fov, camera.width * self.scale)


def fit_views(
    cloud: Cloud, cameras: Sequence[Camera], wanted: Sequence[Target], azimuth: float, elevation: float, poll: Poll
) -> tuple[Similarity, list[float]]:
    """Find the similarity, and how well each view's outline runs along the mesh's then, 0 to 1.

    cameras: in the frame of the views, in which the picture that they were drawn from is seen from -y. wanted: what
    each view shows. azimuth, elevation: in degrees, from where that picture sees the mesh.
    """
    found, agreement = _fitted(cloud, cameras, wanted, azimuth, elevation, poll)
    good = [number for number, each in enumerate(agreement) if each >= LEAST]
    if 1 < len(good) < len(cameras):  # once more, without those that show something else
        some, shown = [cameras[number] for number in good], [wanted[number] for number in good]
        found, _ = _fitted(cloud, some, shown, azimuth, elevation, poll)
        agreement = _agreement(cloud, found, cameras, wanted)
    return found, agreement


def _fitted(
    cloud: Cloud, cameras: Sequence[Camera], wanted: Sequence[Target], azimuth: float, elevation: float, poll: Poll
) -> tuple[Similarity, list[float]]:
    step = max(1, -(-len(cameras) // _SEARCHED))
    some, shown = cameras[::step], wanted[::step]

    def likeness(similarity: Similarity) -> float:
        poll()
        return float(np.mean([sum(each) / 2 for each in _outlines(cloud, similarity, some, shown)]))

    starts = [_boxed(cloud, some, shown, _turn(azimuth, tilt, 0.0)) for tilt in dict.fromkeys((0.0, -elevation))]
    start = max(starts, key=likeness)

    def moved(numbers: Float64Array) -> Similarity:
        turn = start.turn @ _turn(*numbers[:3])
        scale = start.scale * float(np.exp(numbers[3]))
        # About the mesh's middle, so that turn and scale move nothing.
        middle = start.turn.T @ (cloud.centre - start.shift) / start.scale
        shift = cloud.centre - scale * turn @ middle + cloud.radius * numbers[4:]
        return Similarity(turn, scale, shift)

    def loss(numbers: Float64Array) -> float:
        away = float((numbers[:3] ** 2).sum()) / _TURN**2 + float(numbers[3] / _SCALE) ** 2
        return _COST * away - likeness(moved(numbers))

    best = minimised(loss, np.zeros(7), _STEPS, _EVALUATIONS)
    best = minimised(loss, best, _STEPS / 4, _EVALUATIONS)
    found = moved(best)
    return found, _agreement(cloud, found, cameras, wanted)


def _agreement(
    cloud: Cloud, similarity: Similarity, cameras: Sequence[Camera], wanted: Sequence[Target]
) -> list[float]:
    return [along for _, along in _outlines(cloud, similarity, cameras, wanted)]


def _outlines(
    cloud: Cloud, similarity: Similarity, cameras: Sequence[Camera], wanted: Sequence[Target]
) -> Iterator[tuple[float, float]]:
    for camera, target in zip(cameras, wanted, strict=True):
        yield outlines(cloud, lens_of(similarity.of(camera), cloud.centre, cloud.radius, target.shape), target)


def _turn(azimuth: float, tilt: float, roll: float) -> Float64Array:
    """A turn of the views' frame, float64 (3, 3); angles in degrees.

    tilt: about the picture's right, and roll: about its axis, before all goes around z.
    """
    (a, b, c), (d, e, f) = (trigonometric(np.radians([azimuth, tilt, roll])) for trigonometric in (np.cos, np.sin))
    around: Float64Array = np.array([[a, -d, 0], [d, a, 0], [0, 0, 1]])
    tilted = np.array([[1, 0, 0], [0, b, -e], [0, e, b]])
    rolled = np.array([[c, 0, f], [0, 1, 0], [-f, 0, c]])
    return around @ tilted @ rolled


def _boxed(cloud: Cloud, cameras: Sequence[Camera], wanted: Sequence[Target], turn: Float64Array) -> Similarity:
    """The similarity of a turn with which the boxes around the outlines agree as well as they can.

    It begins with an object whose longest side is a metre in the frame of the views.
    """
    found = Similarity(turn, float(np.ptp(cloud.outer, axis=0).max()) * cloud.radius, cloud.centre)
    for _ in range(_ROUNDS):
        rows: list[Float64Array] = []
        apart: list[float] = []
        ratios: list[float] = []
        for camera, target in zip(cameras, wanted, strict=True):
            lens = lens_of(found.of(camera), cloud.centre, cloud.radius, target.shape)
            seen = lens.seen(cloud.outer)
            low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
            if (high - low).sum() <= 0:  # the mesh is behind this camera
                continue
            ratios.append(float((high - low).sum() / np.ptp(target.box, axis=0).sum()))
            off = (target.box.mean(axis=0) - (low + high) / 2) * float(seen[:, 2].mean()) / lens.focal
            rows += [lens.axes[:, 0], lens.axes[:, 1]]
            apart += [-off[0], off[1]]
        if not ratios:
            break
        moved = np.linalg.lstsq(np.array(rows), np.array(apart), rcond=1e-6)[0] * cloud.radius
        scale = found.scale * float(np.exp(np.mean(np.log(ratios))))
        # The scale is about the middle of the frame, which lies where the shift brings it.
        found = replace(found, scale=scale, shift=found.shift + moved)
    return found
