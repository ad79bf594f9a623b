# SPDX-License-Identifier: GPL-3.0-or-later
"""What is enclosed stays in front; what reaches the outline goes on; materials do not mix."""

import numpy as np

from backend.arrays import BoolArray, Float32Array
from backend.raster.ticks import Poll
from backend.texture import behind
from backend.texture.behind import enclosed, from_behind
from backend.texture.light import GREYS
from backend.texture.patches import complete
from backend.texture.votes import likely
from tests.backend.texture.shapes import nothing

SIDE = 128
ROWS, COLUMNS = np.indices((SIDE, SIDE))
RED, BLUE, WHITE = (0.7, 0.15, 0.1), (0.1, 0.25, 0.6), (0.9, 0.9, 0.9)


POLL: Poll = nothing


def disc(row: float, column: float, radius: float) -> BoolArray:
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 < radius**2


def portrait() -> tuple[Float32Array, BoolArray]:
    """A blue figure with a shaded body, a red belt from side to side, and two white eyes."""
    inside = disc(64, 64, 50)
    shade = (1.0 - 0.4 * ((ROWS - 64) ** 2 + (COLUMNS - 64) ** 2) / 50**2)[..., None]
    colours = np.where(np.abs(ROWS - 88)[..., None] < 11, RED, BLUE) * shade
    colours[disc(50, 48, 7) | disc(50, 80, 7)] = WHITE
    return np.where(inside[..., None], colours, 0.5).astype(np.float32), inside


def test_eyes_are_enclosed_and_a_belt_is_not() -> None:
    colours, inside = portrait()
    far = enclosed(colours, inside, POLL)
    assert far[50, 48]
    assert far[50, 80]
    assert not far[88, 30:98].any()
    assert not far[70, 64]  # however the shade changes


def test_a_face_has_no_second_one() -> None:
    colours, inside = portrait()
    back = from_behind(colours, colours, inside, POLL)
    assert back.shape == colours.shape
    for column in (48, 80):
        np.testing.assert_allclose(back[50, column], colours[50, 64], atol=0.12)
    np.testing.assert_allclose(back[88, 64], colours[88, 64], atol=0.02)


def test_a_face_is_a_face_up_to_its_last_pixel() -> None:
    """A line parts a white face, and the smaller part reaches the outline. The belt goes round."""
    colours, inside = portrait()
    face = disc(64, 88, 26)
    colours[face & inside] = WHITE
    colours[(np.abs(COLUMNS - 99) < 2) & face] = BLUE
    front = enclosed(colours, inside, POLL)
    strip = face & inside & (COLUMNS > 103)
    facing = behind.of_the_front(behind.told_apart(colours, inside), front)
    assert not front[strip].any()
    assert facing[strip].all()
    assert not facing[88, 20:50].any()
    assert not behind.of_the_front(behind.told_apart(colours, inside), inside)[20:40, 64].any(), (
        "what it is made of has no front alone"
    )


def test_white_and_black_are_not_what_an_object_is_made_of_together() -> None:
    """An owl: pale around its eyes, black within, and both are greys; together they are nearly a third of it."""
    inside, pale, pupil = disc(64, 64, 50), disc(60, 64, 24), disc(95, 64, 14)
    colours = np.where(inside[..., None], BLUE, 0.5) * np.ones((SIDE, SIDE, 1))
    colours[pale], colours[pupil] = WHITE, (0.04, 0.04, 0.04)
    assert 0.3 < (pale | pupil).sum() / inside.sum() < 0.35
    facing = behind.of_the_front(behind.told_apart(colours.astype(np.float32), inside), pale | pupil)
    np.testing.assert_array_equal(facing, pale | pupil)


def test_what_is_left_of_a_face_does_not_go_around_the_outline() -> None:
    colours, inside = portrait()
    face = disc(64, 88, 26)
    colours[face & inside] = WHITE
    colours[(np.abs(COLUMNS - 99) < 2) & face] = BLUE
    back = from_behind(colours, colours, inside, POLL)
    assert (back[60:68, 70:113, 0] < 0.4).all(), "white has all three"


def test_of_the_faces_material_what_is_elsewhere_is_something_else() -> None:
    """An orange beak is enclosed; the feet are as orange, but reach the outline below."""
    inside, beak, feet = disc(64, 64, 50), disc(56, 64, 14), disc(112, 64, 10)
    colours = np.where((beak | feet)[..., None], (0.9, 0.5, 0.1), BLUE).astype(np.float32)
    facing = behind.of_the_front(behind.told_apart(colours, inside), beak)
    np.testing.assert_array_equal(facing, beak)


def test_what_lies_amid_the_enclosed_is_the_fronts_too() -> None:
    """A white ring has a narrow gap, through which its middle is reached; in even light that is green."""
    inside, middle = disc(64, 64, 50), disc(64, 64, 20)
    colours = np.where((disc(64, 64, 34) & ~middle)[..., None], WHITE, BLUE)
    colours[(np.abs(ROWS - 64) < 2) & (COLUMNS > 64)] = BLUE
    assert not enclosed(colours.astype(np.float32), inside, POLL)[64, 64]
    even = np.where(middle[..., None], (0.1, 0.7, 0.1), colours).astype(np.float32)
    np.testing.assert_allclose(from_behind(colours.astype(np.float32), even, inside, POLL)[64, 64], BLUE, atol=0.1)


def test_what_is_left_goes_on_to_the_outline_however_narrow_it_is() -> None:
    inside, lid = (np.abs(ROWS - 64) < 44) & (np.abs(COLUMNS - 64) < 44), ROWS < 27
    colours = np.where(lid[..., None], RED, BLUE).astype(np.float32)
    back = from_behind(colours, colours, inside, POLL)
    np.testing.assert_allclose(back[21, 40:90], np.broadcast_to(RED, (50, 3)), atol=0.1)


def test_texture_is_copied_and_a_line_is_not() -> None:
    """Cells of four pixels; all of them copy from the column of cells that a line goes through."""
    detail = np.where(np.indices((64, 64)).sum(axis=0) % 2, 0.02, -0.02).astype(np.float32)[..., None] * np.ones(3)
    detail[:, 22] = -0.3
    material, source = np.zeros((16, 16), np.int64), np.stack([np.indices((16, 16))[0], np.full((16, 16), 5)], axis=-1)
    found = behind.copied_detail(detail.astype(np.float32), material, source, COLUMNS[:16, :16] > 0)
    assert not found[:, :4].any(), "not asked for"
    assert np.abs(found[:, 6::4]).max() < 0.01, "the line"
    np.testing.assert_allclose(np.abs(found[:, 5::4]), 0.02, rtol=1e-5)


def test_what_the_object_is_made_of_goes_round_but_not_its_details() -> None:
    """A dark ring surrounds nearly all of a green body, which is thin outside of it. Its base is thick and red."""
    inside = disc(56, 64, 44) | (np.abs(ROWS - 108) < 10) & (np.abs(COLUMNS - 64) < 40)
    green, dark = (0.2, 0.6, 0.15), (0.05, 0.05, 0.08)
    colours = np.where((ROWS > 98)[..., None], RED, green) * np.ones((SIDE, SIDE, 1))
    colours[disc(56, 64, 37) & ~disc(56, 64, 32)] = dark
    colours[disc(48, 56, 5) | disc(48, 76, 5)] = WHITE
    colours = colours.astype(np.float32)
    back = from_behind(colours, colours, inside, POLL)
    for place in ((48, 56), (48, 76), (60, 64), (40, 50)):
        np.testing.assert_allclose(back[place], green, atol=0.12)


def test_a_ring_goes_round_in_its_own_colour_though_its_middle_is_enclosed() -> None:
    """A red ring from side to side, much brighter in its middle; it is less than what the figure is made of."""
    colours, inside = portrait()
    belt, bright = (np.abs(ROWS - 88) < 11) & inside, (np.abs(ROWS - 88) < 8) & (np.abs(COLUMNS - 64) < 24)
    colours[belt] = np.array(RED) * 0.6
    colours[bright] = RED
    assert enclosed(colours, inside, POLL)[bright].all()
    tones = behind.told_apart(colours, inside, GREYS)
    none = np.zeros_like(inside)
    whole = behind.of_the_whole(tones, behind.covers_much(tones), none)
    assert (whole[88, 30:98] == tones[88, 30]).all()
    assert (behind.of_the_whole(tones, none, belt)[88] < 0).all(), "what is the front's alone does not"
    np.testing.assert_allclose(from_behind(colours, colours, inside, POLL)[88, 64], np.array(RED) * 0.6, atol=0.1)


def test_a_mask_goes_from_side_to_side_in_most_of_its_rows() -> None:
    inside = disc(64, 64, 50)
    belt, patch = np.abs(ROWS - 88) < 11, disc(50, 30, 20)
    np.testing.assert_array_equal(behind.from_side_to_side((belt | patch) & inside, inside), belt & inside)


def test_a_small_detail_is_not_torn() -> None:
    inside, one, other, face = disc(64, 64, 50), disc(64, 24, 6), disc(64, 90, 6), disc(40, 64, 22)
    details = (one | other | face) & inside
    front = (COLUMNS > 26) & details
    material = np.select([one, other, inside], [1, 2, 0], -1)
    found = behind.untorn(front, inside & ~details, material)
    assert not found[one & inside].any()
    assert found[other].all()
    np.testing.assert_array_equal(found[face & inside], front[face & inside])


def test_a_small_detail_goes_with_its_like() -> None:
    inside, flowers, foot = disc(64, 64, 50), [disc(64, column, 7) for column in (19, 45, 70, 95)], disc(100, 40, 5)
    details = np.any([*flowers, foot], axis=0) & inside
    material = np.select([foot, details, inside], [2, 1, 0], -1)
    found = behind.untorn((COLUMNS > 30) & details & ~foot, inside & ~details, material)
    np.testing.assert_array_equal(found, details & ~foot)
    material[flowers[0]] = 2  # of another colour, and so like none of them
    assert not behind.untorn((COLUMNS > 30) & details, inside & ~details, material)[flowers[0]].any()


def test_what_does_not_reach_the_outline_is_loose() -> None:
    inside, speck, strip = disc(64, 64, 50), disc(70, 50, 4), disc(64, 108, 9)
    np.testing.assert_array_equal(behind.loose((speck | strip) & inside, inside), speck)


def test_front_and_back_agree_at_the_outline() -> None:
    colours, inside = portrait()
    ring = disc(64, 64, 46) & ~disc(64, 64, 42) & inside
    assert np.abs(from_behind(colours, colours, inside, POLL) - colours)[ring].mean() < 0.02


def test_an_object_of_one_pixel_and_one_without_any() -> None:
    colours = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    for inside in (disc(64, 64, 0.5), np.zeros((SIDE, SIDE), np.bool_)):
        assert np.isfinite(from_behind(colours, colours, inside, POLL)).all()


def test_a_hole_goes_on_with_the_pattern_around_it() -> None:
    stripes = np.where((COLUMNS // 4 % 2)[..., None] > 0, RED, WHITE).astype(np.float32)
    hole = disc(64, 64, 14)
    guess = np.where(hole[..., None], stripes.mean(axis=(0, 1)), stripes).astype(np.float32)
    filled, source = complete(guess, ~hole, hole, ~hole, POLL)
    assert not hole[source[hole][:, 0], source[hole][:, 1]].any()
    assert np.abs(filled - stripes)[hole].mean() < 0.5 * np.abs(guess - stripes)[hole].mean()
    np.testing.assert_array_equal(filled[~hole], stripes[~hole])


def test_the_same_hole_is_filled_the_same_way() -> None:
    colours, inside = portrait()
    np.testing.assert_array_equal(
        from_behind(colours, colours, inside, POLL), from_behind(colours, colours, inside, POLL)
    )


def test_votes_choose_one_of_two_colours() -> None:
    known = np.array([[0.0, 0], [0, 10], [0, 20], [0, 80], [0, 90]])
    colours = np.array([RED, RED, RED, BLUE, BLUE], np.float64)
    found = likely(np.array([[0.0, 40], [0, 70]]), known, colours, np.ones(5), 0, POLL)
    np.testing.assert_allclose(found, [RED, BLUE], atol=0.02)


def test_what_is_beside_counts_more_than_what_is_above() -> None:
    known = np.array([[0.0, 50], [50, 0]])  # upright, across
    found = likely(np.array([[0.0, 0]]), known, np.array([RED, BLUE], np.float64), np.ones(2), 0, POLL)
    np.testing.assert_allclose(found, [RED], atol=0.02)
