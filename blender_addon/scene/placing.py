# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a result stands so that it is seen: geometry of boxes alone, known to nothing of Blender's.

A box is float64 (2, 3), its lowest and its highest corner; boxes are (N, 2, 3). All are in one frame, z up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPACING = 0.25  # between neighbours, in widths of the one that is placed
TOUCH = np.array((1e-3, 1e-3, 0.1))  # what a box may reach into another, in its own sizes: a floor is never quite flat

Boxes = NDArray[np.float64]


class Origin(Enum):
    """Where the origin of an object is."""

    FLOOR = auto()
    CENTRE = auto()
    CURSOR = auto()


class Stands(Enum):
    """Where a result stands."""

    ROW = auto()  # at the 3D cursor if there is room, else beside what stands there
    IN_PLACE = auto()  # in the place of one of the same picture, which is hidden
    CURSOR = auto()  # at the 3D cursor, whatever stands there


@dataclass(frozen=True)
class Placing:
    """How results come into the scene, as the artist has chosen.

    cursor: where the 3D cursor is. size: the longest side of a mesh of one metre, as engines give them. Both are in
    Blender's units. collection: the session UID of one in the scene, else the
    extension's. lights: whether a world that comes becomes the scene's.
    """

    cursor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: float = 1.0
    origin: Origin = Origin.FLOOR
    stands: Stands = Stands.ROW
    smooth: bool = True
    collection: int = 0
    lights: bool = False


def free_place(wanted: ArrayLike, box: Boxes, taken: Boxes, gap: float | None = None) -> NDArray[np.float64]:
    """Where a box is to be moved so that it reaches into none of the boxes `taken`: a vector (3,).

    wanted: the vector to take if there is room. Else the box goes on along x, past whatever is in its way, so that
    what comes one after the other stands in a row. gap: what is left between them, else `SPACING` decides.
    """
    place = np.array(wanted, np.float64)
    low, high = _core(box)
    beside = ((taken[:, 1] > low + place) & (taken[:, 0] < high + place))[:, 1:].all(axis=1)
    gap = float(SPACING * np.ptp(box[:, 0])) if gap is None else gap
    for left, right in sorted(taken[beside][:, :, 0].tolist()):
        if right > low[0] + place[0] and left < high[0] + place[0]:
            place[0] = right + gap - box[0, 0]
    return place


def box_around(points: ArrayLike) -> Boxes:
    """The smallest box around points (N, 3) with N > 0, its sides along the axes."""
    columns = np.asarray(points).T  # numpy is twenty times as fast along each as across all
    return np.array([[column.min() for column in columns], [column.max() for column in columns]], np.float64)


def floor_of(box: Boxes) -> NDArray[np.float64]:
    """The middle of a box's lowest side, (3,)."""
    return np.array((*box[:, :2].mean(axis=0), box[0, 2]))


def without_surroundings(boxes: Boxes, eye: Sequence[float]) -> Boxes:
    """The boxes that do not contain the point `eye` (3,): a room or a sky that is seen from within takes no place."""
    inside = ((boxes[:, 0] < np.array(eye)) & (boxes[:, 1] > np.array(eye))).all(axis=1)
    return boxes[~inside]


def _core(box: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners (3,) of what nothing else may reach into."""
    touch = TOUCH * np.ptp(box, axis=0)
    return box[0] + touch, box[1] - touch * (1, 1, 0)
