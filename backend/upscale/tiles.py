# SPDX-License-Identifier: GPL-3.0-or-later
"""How a picture is taken apart for a network that has no room for all of it at once.

A tile is seen with what lies around it. What a network says near a tile's border is not used, as it does not know there
how the picture goes on: the tiles lie side by side, without a seam for all networks that look no further than that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

MARGIN = 32
"""Pixels that a tile is seen with on every side."""
SIDES = (512, 256, 128, 64, 32)
"""Pixels a side of tiles without their margins, the largest first."""


class Span(NamedTuple):
    """Pixels along one axis: from `first` to before `last`."""

    first: int
    last: int


@dataclass(frozen=True)
class Tile:
    """A part of a picture. seen: what the network is shown, rows and columns. kept: the part of it that is used."""

    seen: tuple[Span, Span]
    kept: tuple[Span, Span]


def tiles(height: int, width: int, side: int) -> Iterator[Tile]:
    """Yield tiles, each of at most side x side pixels, that cover a picture once."""
    for rows in _spans(height, side):
        for columns in _spans(width, side):
            yield Tile((_wider(rows, height), _wider(columns, width)), (rows, columns))


def count(height: int, width: int, side: int) -> int:
    """Return how many tiles these are."""
    return -(-height // side) * -(-width // side)


def largest_side(height: int, width: int, each: float, room: float) -> int:
    """Return the largest of `SIDES` whose tiles fit, the smallest if none is sure to.

    each: bytes that a network takes for a pixel that it sees. room: bytes that are free.
    """
    for side in SIDES:
        seen = min(side + 2 * MARGIN, height) * min(side + 2 * MARGIN, width)
        if seen * each <= room:
            return side
    return SIDES[-1]


def _spans(length: int, side: int) -> Iterator[Span]:
    """Parts of nearly the same length, at most `side`."""
    parts = -(-length // side)
    borders = [length * part // parts for part in range(parts + 1)]
    return (Span(first, last) for first, last in pairwise(borders))


def _wider(span: Span, length: int) -> Span:
    return Span(max(span.first - MARGIN, 0), min(span.last + MARGIN, length))
