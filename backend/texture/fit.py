# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the camera that took a picture of a mesh, by the object's outline and its normals.

Directions all round are ranked by how alike the mesh from there and the picture are, see `likeness`, both cut out. The
best of them that lie apart are improved by a simplex search: first the direction alone, for a usual distance; then roll
and distance, which the perspective tells; at last all seven numbers of the camera in its picture, as the box around an
object is a coarse measure of its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float64Array
from ..raster.ticks import Poll
from .camera import field_of_view
from .cloud import Cloud
from .lens import Lens, Pose, centred, framed, lens_at, off_axis
from .likeness import Likeness, Target, likeness
from .simplex import minimised

POINTS = 16_000
"""As many points of a surface are drawn in a small view."""
DISTANCE = 2.5
"""Radii: the usual distance, at which a normal lens fills the picture with an object."""
_AZIMUTHS = np.arange(24) * 15.0 - 180.0
_ELEVATIONS = (-50.0, -25.0, 0.0, 25.0, 50.0, 75.0)
_DISTANCES = (1.4, 12.0)  # radii: nearer is a fisheye's, and farther looks alike
_WIDEST = 100.0  # degrees: a greater field of view costs
_APART = 25.0  # degrees between directions that are improved on their own
_STARTS = 6  # directions that are improved
_FINALISTS = 3  # of them, whose camera is found
_ROLL = 20.0  # degrees that cost as much as `_COST` of likeness: most cameras are held level
_COST = 0.02
_AIM = np.array([6.0, 6.0])  # the first steps of a search: degrees of azimuth and elevation
_BOXED = np.array([4.0, 4.0, 4.0, 0.25])  # the same with roll, and the distance's logarithm
_WHOLE = np.array([2.0, 2.0, 2.0, 0.1, 0.015, 0.015, 0.03])  # with the place in windows, and the focal length's


@dataclass(frozen=True)
class Candidate:
    """A camera and how alike the mesh seen by it and the picture are.

    pose: the direction to a surface's middle, and the distance in its radii. lens: the camera, in the space of the
    cloud.
    """

    pose: Pose
    lens: Lens
    likeness: Likeness


def fit(
    cloud: Cloud, wanted: Target, poll: Poll, *, start: Pose | None = None, focal: float | None = None
) -> list[Candidate]:
    """Find the cameras that see a surface as a picture shows it, the best first; each looks from another direction.

    start: near which it is; without it all directions are tried. focal: the focal length in pixels, if it is known.
    """
    distance = start.distance if start else DISTANCE
    usual = focal or float(np.ptp(wanted.box, axis=0).sum()) / 4 * distance
    turn = off_axis((wanted.box.mean(axis=0) - np.array(wanted.shape[::-1]) / 2) / usual)
    facing = replace(wanted, normals=wanted.normals @ turn.T.astype(np.float32))
    starts = [start] if start else [each.pose for each in ranked(cloud, facing, distance, poll)]
    found = _apart([aimed(cloud, facing, pose, poll) for pose in starts], _FINALISTS)
    return _apart([_freed(cloud, wanted, each.pose, focal, poll) for each in found], _FINALISTS)


def ranked(cloud: Cloud, wanted: Target, distance: float, poll: Poll) -> list[Candidate]:
    """The best directions of a grid all round that lie apart, best first. distance: the cameras', in radii."""
    found: list[Candidate] = []
    for elevation in _ELEVATIONS:
        poll()
        found += [_centred(cloud, wanted, Pose(float(turn), elevation, distance=distance)) for turn in _AZIMUTHS]
    return _apart(found, _STARTS)


def aimed(cloud: Cloud, wanted: Target, start: Pose, poll: Poll) -> Candidate:
    """The best direction near one: azimuth and elevation alone, for cameras that look at the surface's middle."""

    def posed(numbers: Float64Array) -> Candidate:
        poll()
        pose = replace(start, azimuth=float(numbers[0]), elevation=_within(numbers[1]))
        return _centred(cloud, wanted, pose)

    first = np.array([start.azimuth, start.elevation])
    return posed(minimised(lambda numbers: -posed(numbers).likeness.whole, first, _AIM, 32))


def framed_at(cloud: Cloud, wanted: Target, pose: Pose, focal: float | None = None) -> Candidate:
    """The camera of a pose that shows a surface in the picture's box; see `lens.framed`."""
    pose, lens = framed(cloud.outer, pose, wanted.box, wanted.shape, focal)
    return Candidate(pose, lens, likeness(cloud, lens, wanted))


def angle_between(one: Pose, other: Pose) -> float:
    """The angle between the directions of two poses, in degrees."""
    a, b = np.radians([[each.azimuth, each.elevation] for each in (one, other)])
    cosine = np.sin(a[1]) * np.sin(b[1]) + np.cos(a[1]) * np.cos(b[1]) * np.cos(a[0] - b[0])
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _freed(cloud: Cloud, wanted: Target, start: Pose, focal: float | None, poll: Poll) -> Candidate:
    """The best camera near a pose: direction, roll and distance by boxes, then all of its numbers."""

    def by_box(numbers: Float64Array) -> Candidate:
        poll()
        distance = start.distance if focal else _distance(numbers[3])
        pose = Pose(float(numbers[0]), _within(numbers[1]), float(numbers[2]), distance)
        return framed_at(cloud, wanted, pose, focal)

    first = np.array([start.azimuth, start.elevation, start.roll, np.log(start.distance)])
    count = 3 if focal else 4
    boxed = by_box(minimised(lambda numbers: _loss(by_box(numbers), wanted), first[:count], _BOXED[:count], 60))
    pose, at = boxed.pose, boxed.lens.seen(np.zeros((1, 3)))[0, :2]

    def whole(numbers: Float64Array) -> Candidate:
        poll()
        moved = Pose(float(numbers[0]), _within(numbers[1]), float(numbers[2]), _distance(numbers[3]))
        larger = 1.0 if focal else float(np.exp(numbers[6])) * moved.distance / pose.distance
        place = at + wanted.window[2] * numbers[4:6]
        lens = lens_at(moved, boxed.lens.focal * larger, place, wanted.shape)
        return Candidate(moved, lens, likeness(cloud, lens, wanted))

    first = np.array([pose.azimuth, pose.elevation, pose.roll, np.log(pose.distance), 0.0, 0.0, 0.0])
    count = 6 if focal else 7
    return whole(minimised(lambda numbers: _loss(whole(numbers), wanted), first[:count], _WHOLE[:count], 90))


def _centred(cloud: Cloud, wanted: Target, pose: Pose) -> Candidate:
    lens = centred(cloud.outer, pose, wanted.box)
    return Candidate(pose, lens, likeness(cloud, lens, wanted))


def _loss(each: Candidate, wanted: Target) -> float:
    """What a search makes small: what lacks in likeness, and more for cameras that are held askew or see too much."""
    wide = field_of_view(each.lens.focal, max(wanted.shape))
    return _COST * ((each.pose.roll / _ROLL) ** 2 + max(wide - _WIDEST, 0.0) / 10) - each.likeness.whole


def _apart(found: Sequence[Candidate], most: int) -> list[Candidate]:
    """The best of candidates that look from directions apart, best first."""
    kept: list[Candidate] = []
    for each in sorted(found, key=lambda each: -each.likeness.whole):
        if len(kept) < most and all(angle_between(each.pose, other.pose) > _APART for other in kept):
            kept.append(each)
    return kept


def _distance(logarithm: float) -> float:
    return float(np.clip(np.exp(logarithm), *_DISTANCES))


def _within(elevation: float) -> float:
    return float(np.clip(elevation, -89.9, 89.9))
