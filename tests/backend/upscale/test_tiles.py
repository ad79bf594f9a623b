# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiles cover a picture once, are seen with what lies around them, and are as large as the memory allows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.upscale.tiles import MARGIN, SIDES, count, largest_side, tiles

LENGTHS = st.integers(1, 1500)


@settings(max_examples=40, deadline=None)
@given(LENGTHS, LENGTHS, st.sampled_from(SIDES))
def test_every_pixel_is_kept_once_and_seen_with_its_surroundings(height: int, width: int, side: int) -> None:
    kept = np.zeros((height, width), np.uint8)
    found = [*tiles(height, width, side)]
    for tile in found:
        for seen, its, length in zip(tile.seen, tile.kept, (height, width), strict=True):
            assert 0 < its.last - its.first <= side
            assert seen == (max(its.first - MARGIN, 0), min(its.last + MARGIN, length))
        rows, columns = (slice(*span) for span in tile.kept)
        kept[rows, columns] += 1
    assert (kept == 1).all()
    assert len(found) == count(height, width, side)


@given(LENGTHS, LENGTHS, st.floats(1, 1e6), st.floats(0, 1e11), st.floats(1, 4))
def test_more_room_never_makes_smaller_tiles_and_what_does_not_fit_is_the_smallest(
    height: int, width: int, each: float, room: float, more: float
) -> None:
    side = largest_side(height, width, each, room)
    seen = min(side + 2 * MARGIN, height) * min(side + 2 * MARGIN, width)
    assert seen * each <= room or side == SIDES[-1]
    assert largest_side(height, width, each, room * more) >= side
