# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of some views is seen by the same camera as a true one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from ...flow.products import Camera
from ...texture.camera import angles_of

_TURN = 0.5  # degrees
_PLACE = 0.01  # of the true camera's distance from the origin
_SPAN = 0.01  # of what the true camera's picture spans: an angle, or a width


@dataclass(frozen=True)
class _Apart:
    """How far a camera is from a true one.

    turn: in degrees. place: in metres. span: its angle or width in those of the true one; infinite if one projection is
    parallel and the other is not. far: whether that is too much.
    """

    turn: float
    place: float
    span: float
    far: bool

    def __str__(self) -> str:
        span = f"spans {self.span:.2f} times as much" if np.isfinite(self.span) else "has another projection"
        return f"is turned by {self.turn:.1f} degrees, stands {self.place:.2f} metres away and {span}"


def partner(camera: Camera, others: Sequence[Camera], source: str) -> int:
    """The number of the camera that sees as `camera` does, within half a degree and a hundredth of distance and span.

    source: whose `others` are, for the sentence. Raises `UserError` if none does.
    """
    apart = [_apart(camera, other) for other in others]
    best = min(range(len(apart)), key=lambda number: (apart[number].far, apart[number].turn, apart[number].place))
    if apart[best].far:
        sentence = f"“{source}” has no view from {described(camera)}: the nearest {apart[best]}."
        raise UserError("other-cameras", sentence, "Render the true views with the cameras of the predicted ones.")
    return best


def described(camera: Camera) -> str:
    """Where a camera looks from, in words."""
    azimuth, elevation = (round(angle, 1) + 0.0 for angle in angles_of(camera.matrix[:3, 2]))
    return f"azimuth {azimuth:g}, elevation {elevation:g}"


def _apart(camera: Camera, other: Camera) -> _Apart:
    turned = camera.matrix[:3, :3].T @ other.matrix[:3, :3]
    axis = [turned[2, 1] - turned[1, 2], turned[0, 2] - turned[2, 0], turned[1, 0] - turned[0, 1]]
    turn = float(np.degrees(np.arctan2(np.linalg.norm(axis), np.trace(turned) - 1)))  # exact for small ones, too
    place = float(np.linalg.norm(other.matrix[:3, 3] - camera.matrix[:3, 3]))
    if (camera.fov > 0) != (other.fov > 0):
        span = np.inf
    else:
        span = other.fov / camera.fov if camera.fov else other.width / camera.width
    most = _PLACE * max(float(np.linalg.norm(camera.matrix[:3, 3])), 1e-9)
    return _Apart(turn, place, span, turn > _TURN or place > most or abs(span - 1) > _SPAN)
