# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be wrong with a cut-out, wherever it comes from: said to the artist, who can look and cut it out by hand."""

import numpy as np

from ..arrays import BoolArray
from ..raster.components import components

_LARGE = 0.2  # of the largest part's area
_MANY = 7  # parts are a text or a pattern
_RECTANGLE = 0.985  # of its bounding box
_MUCH = 0.2  # of a side of the picture
_MOST = 0.6  # of the picture
_BY_HAND = "cut the object out by hand: in Blender by Draw Cut-out, elsewhere so that all around it is transparent."
_ADVICE = f"If that is wrong, {_BY_HAND}"


def doubts(body: BoolArray) -> tuple[str, ...]:
    """Return what is unlikely about an object's pixels, bool (H, W), as sentences; none if nothing is."""
    parts = components(body, diagonal=True)
    if parts.count == 0:
        return ()
    found: list[str] = []
    large = int((parts.areas[1:] > _LARGE * parts.areas[1:].max()).sum())
    if 1 < large < _MANY:
        found.append(f"The cut-out has {large} separate parts. {_ADVICE}")
    rows, columns = (np.flatnonzero(body.any(axis=axis)) for axis in (1, 0))
    box = body[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if box.mean() > _RECTANGLE:
        found.append(f"The cut-out is a rectangle, like a picture within the picture. {_ADVICE}")
    return tuple(found)


def reached_sides(body: BoolArray) -> int:
    """Return how many sides of the picture an object, bool (H, W), reaches with a good part of them."""
    return sum(bool(side.mean() > _MUCH) for side in (body[0], body[-1], body[:, 0], body[:, -1]))


def framed(body: BoolArray) -> tuple[str, ...]:
    """Return what is unlikely about how an object's pixels, bool (H, W), lie in the picture, as sentences."""
    sides = reached_sides(body)
    if sides > 2:
        return (f"The object reaches {sides} sides of the picture, so that parts of it may be missing.",)
    if body.mean() > _MOST:
        return (f"The object fills most of the picture, so that some of the background may belong to it. {_ADVICE}",)
    return ()


def guessed_note() -> str:
    """Return the sentence for an object that a network found before a background that is not plain."""
    return f"The background is not plain, so what is the object was guessed. {_ADVICE}"


def stranded() -> str:
    """Return the sentence for an object of which strands were left out."""
    return f"Strands that stick out, such as hair, were left out. If they are to be kept, {_BY_HAND}"


def unsure() -> str:
    """Return the sentence for an object that is not what a network thinks likely."""
    return f"It is not sure where the object ends. If parts are missing or too much is kept, {_BY_HAND}"


def unclear(share: float) -> str:
    """Return the sentence for an outline of which only a share lies on edges of the picture, in [0, 1]."""
    missing = f"If parts are missing or too much is kept, {_BY_HAND}"
    return f"The object is hard to tell from its background: {share:.0%} of its outline is clear. {missing}"
