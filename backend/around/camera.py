# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of one more picture: near the side that it is said to be from, by the outline and the normals.

The surface that a picture is compared with was made without it, so that it is not quite the object's. A free search
would turn the camera until the surface's faults look least. So leaving the side that is named costs likeness.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Crop, NormalMap
from ..raster.ticks import Poll
from ..texture.cloud import Cloud
from ..texture.fit import DISTANCE, Candidate, framed_at
from ..texture.lens import Pose
from ..texture.likeness import outlines, target
from ..texture.simplex import minimised
from .stages import SIDES

LEAST = 0.7
"""Of the areas of two outlines: if less agrees, a picture is not used. docs/surface.md says why."""
_HEIGHTS = (0.0, 20.0, 40.0)  # elevations from which a search may begin, too: what is up is known to some degrees only
_FIRST = np.array([4.0, 4.0, 3.0])  # the first steps of a search, in degrees of azimuth, elevation and roll
_AWAY = 12.0  # degrees from where a search began that cost as much as `_COST` of likeness
_COST = 0.02
_EVALUATIONS = 60


@dataclass(frozen=True)
class Found:
    """The camera that sees a surface as a picture shows it, over the picture's square.

    area: the intersection of both outlines over their union.
    """

    camera: Candidate
    area: float

    @property
    def agrees(self) -> bool:
        """Whether the picture shows this surface, as far as outlines tell."""
        return self.area >= LEAST


def camera_of(
    cloud: Cloud, side: str, normal_map: NormalMap, elevation: float, poll: Poll, azimuth: float = 0.0
) -> Found | None:
    """Find the camera that sees a surface as a picture from a side shows it; None if the picture shows nothing.

    cloud: z up, the object's front towards -y. azimuth, elevation: from where the front's camera looks, in degrees; a
    side may be meant as the object has it, or as that camera does.
    """
    if not (normal_map.alpha > 0.5).any():
        return None
    size = len(normal_map.alpha)
    wanted = target(normal_map.alpha, normal_map.normals, Crop(0, 0, size, size, size))

    def posed(azimuth: float, elevation: float, roll: float) -> Candidate:
        poll()
        return framed_at(cloud, wanted, Pose(azimuth, float(np.clip(elevation, -89, 89)), roll, DISTANCE))

    starts = [
        posed(turn, height, 0.0)
        for turn in dict.fromkeys((SIDES[side], SIDES[side] + round(azimuth)))
        for height in dict.fromkeys((elevation, *_HEIGHTS))
    ]
    start = max(starts, key=lambda each: each.likeness.whole).pose
    first = np.array([start.azimuth, start.elevation, 0.0])

    def loss(numbers: Float64Array) -> float:
        away = (((numbers - first) / _AWAY) ** 2).sum()
        return _COST * float(away) - posed(*numbers.tolist()).likeness.whole

    found = posed(*minimised(loss, first, _FIRST, _EVALUATIONS).tolist())
    area, _ = outlines(cloud, found.lens, wanted)
    return Found(found, area)


def percent(found: Found | None) -> tuple[int, int]:
    """How far the outline agrees, and how far it has to, in per cent."""
    return int(100 * found.area) if found else 0, round(100 * LEAST)
