# SPDX-License-Identifier: GPL-3.0-or-later
"""Small differences from a background are magnified, and large ones stay in their order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.foreground.faint import raised


def on_ground(ground: int, tones: list[int]) -> list[int]:
    """Return the ground's tone, and then those of pixels on it, after their contrast is raised."""
    picture = np.full((16, 16, 4), 255, np.uint8)
    picture[..., :3] = ground
    picture[8, 4 : 4 + len(tones), :3] = np.array(tones)[:, None]
    after = raised(picture)
    assert (after[..., 3] == 255).all()
    return [int(after[0, 0, 0]), *(int(tone) for tone in after[8, 4 : 4 + len(tones), 0])]


@given(st.integers(0, 255))
def test_a_faint_object_differs_well_from_its_ground(ground: int) -> None:
    away = 4 if ground < 128 else -4
    before, after = on_ground(ground, [ground + away])
    assert (after - before) * np.sign(away) > 15


@given(st.integers(0, 255), st.lists(st.integers(0, 255), min_size=2, max_size=8))
def test_what_is_brighter_stays_as_bright_or_brighter(ground: int, tones: list[int]) -> None:
    after = on_ground(ground, sorted(tones))[1:]
    assert after == sorted(after)


def test_a_shadow_of_a_coloured_ground_keeps_its_direction() -> None:
    picture = np.full((16, 16, 4), 255, np.uint8)
    picture[..., :3] = (200, 150, 100)
    picture[6:10, 6:10, :3] = (180, 135, 90)
    after = raised(picture).astype(np.int64)
    away = (after[8, 8] - after[0, 0])[:3]
    assert np.abs(away - away[0] * np.array([1, 0.75, 0.5])).max() <= 1
