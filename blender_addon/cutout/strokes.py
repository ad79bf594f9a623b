# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's strokes over a picture, and the picture of them that the backend takes. numpy alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

INPUT = "strokes"  # the name of the input that takes their picture

Point = tuple[float, float]

_KEEP, _DROP = (255, 255, 255, 255), (0, 0, 0, 255)


@dataclass
class Stroke:
    """A line over a picture.

    keep: whether it marks the object; else it marks what is none of it. radius: half its width. points: x and y of its
    corners. All in the picture's pixels, row 0 on top; points may lie beyond the border.
    """

    keep: bool
    radius: float
    points: list[Point] = field(default_factory=list[Point])


def picture_of(strokes: Iterable[Stroke], height: int, width: int) -> NDArray[np.uint8]:
    """The strokes as a picture, uint8 (height, width, 4): white keeps, black drops, transparent says nothing.

    Later strokes lie over earlier ones. Every stroke inside the picture marks a pixel, however thin it is.
    """
    picture = np.zeros((height, width, 4), np.uint8)
    for stroke in strokes:
        for start, end in pairwise([stroke.points[0], *stroke.points]) if stroke.points else ():
            _draw(picture, start, end, max(stroke.radius, 0.75), _KEEP if stroke.keep else _DROP)
    return picture


def _draw(picture: NDArray[np.uint8], start: Point, end: Point, radius: float, colour: tuple[int, ...]) -> None:
    """Colour the pixels whose centres are no further from the line between two points than `radius`."""
    box: list[int] = []
    for one, other, side in zip(start, end, picture.shape[1::-1], strict=True):
        box += (int(np.clip(edge, 0, side)) for edge in (min(one, other) - radius, max(one, other) + radius + 1))
    left, right, top, bottom = box
    x = np.arange(left, right)[None, :] + 0.5 - start[0]
    y = np.arange(top, bottom)[:, None] + 0.5 - start[1]
    along = (end[0] - start[0], end[1] - start[1])
    squared = along[0] ** 2 + along[1] ** 2
    share = np.clip((x * along[0] + y * along[1]) / squared, 0.0, 1.0) if squared else 0.0
    near = np.hypot(x - share * along[0], y - share * along[1]) <= radius
    picture[top:bottom, left:right][near] = colour
