# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the kinds that people try: what is not the object goes, what is stays, and doubts are said."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import BoolArray, Float64Array
from backend.errors import UserError
from backend.flow.products import Cutout, Picture
from backend.foreground.cut_out import cut_out
from backend.raster.blur import box_mean
from backend.raster.resample import paste_back

Layers = list[tuple[BoolArray, Float64Array]]

SIDE = 320
X, Y = np.meshgrid((np.arange(SIDE) + 0.5) * 2 / SIDE - 1, 1 - (np.arange(SIDE) + 0.5) * 2 / SIDE)


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def everywhere(*tone: float) -> Float64Array:
    return np.broadcast_to(np.array(tone), (SIDE, SIDE, 3)).astype(np.float64)


def ball(x: float, y: float, radius: float) -> tuple[BoolArray, Float64Array]:
    """Return where a ball is, and how it is lit from the upper left."""
    z = np.sqrt(np.maximum(radius**2 - (X - x) ** 2 - (Y - y) ** 2, 0)) / radius
    lit = 0.45 + 0.55 * np.maximum(-0.4 * (X - x) / radius + 0.5 * (Y - y) / radius + 0.77 * z, 0)
    return z > 0, lit


def figure(tone: tuple[float, float, float], ground: Float64Array, low: float = 0.0) -> tuple[BoolArray, Float64Array]:
    """Return a head on a body, lit as balls are, before a ground."""
    body, picture = np.zeros((SIDE, SIDE), np.bool_), ground.copy()
    for x, y, radius in (
        (0.0, -0.25 + low, 0.42),
        (0.0, 0.32 + low, 0.26),
        (-0.2, 0.55 + low, 0.1),
        (0.2, 0.55 + low, 0.1),
    ):
        there, lit = ball(x, y, radius)
        picture[there] = (np.array(tone) * lit[..., None])[there]
        body |= there
    return body, picture


def pixels(colours: Float64Array, alpha: BoolArray | None = None) -> Picture:
    """Return colours of up to 255 as a picture, with a little grain."""
    noisy = colours + np.random.default_rng(1).normal(0, 0.7, colours.shape)
    opaque = np.ones((SIDE, SIDE)) if alpha is None else alpha
    return np.rint(np.clip(np.dstack([noisy, 255 * opaque]), 0, 255)).astype(np.uint8)


def overlap(cutout: Cutout, truth: BoolArray) -> float:
    """Return the intersection over union with the true pixels, in the picture."""
    found = paste_back(cutout.rgba[..., 3:].astype(np.float32), cutout.crop)[..., 0] > 127
    return float((found & truth).sum() / (found | truth).sum())


BLUE = (70.0, 120.0, 180.0)
MUG, ON_WHITE = figure(BLUE, everywhere(255, 255, 255))


def framed() -> Float64Array:
    picture = ON_WHITE.copy()
    picture[[0, -1]], picture[:, [0, -1]] = 0, 0
    return picture


def cornered() -> Float64Array:
    picture = ON_WHITE.copy()
    corner = np.hypot(np.maximum(np.abs(X) - 0.9, 0), np.maximum(np.abs(Y) - 0.9, 0)) > 0.1
    picture[corner] = 0
    return picture


def scanned() -> Float64Array:
    picture = ON_WHITE.copy()
    picture[-2:] = 20
    return picture


def marked() -> Float64Array:
    picture = ON_WHITE.copy()
    picture[-22:-14, 230:310:6] = 150
    picture[-22:-14, 231:311:6] = 150
    return picture


def shadowed() -> Float64Array:
    picture = ON_WHITE * 0.93
    shadow = (np.abs(Y + 0.55 - 0.25 * (X - 0.3)) < 0.12) & (X > 0) & (X < 0.85)
    soft = box_mean(np.where(shadow, 0.45, 0.0)[..., None], 2, beyond="edge")
    return np.where(MUG[..., None], picture, picture * (1 - soft))


@pytest.mark.parametrize("draw", [framed, cornered, scanned, marked, shadowed], ids=lambda draw: draw.__name__)
def test_what_is_not_the_object_goes(draw: Callable[[], Float64Array]) -> None:
    cutout = cut_out(pixels(draw()), 256, ignore)
    assert overlap(cutout, MUG) > 0.96


def test_a_soft_shadow_goes_at_any_height_and_between_legs() -> None:
    legs = (np.abs(np.abs(X) - 0.35) < 0.05) & (Y < 0.1) & (Y > -0.6)
    chair = legs | ((np.abs(X) < 0.42) & (np.abs(Y - 0.15) < 0.06)) | ((np.abs(X + 0.35) < 0.05) & (Y > 0) & (Y < 0.7))
    shade = (
        1
        - 0.45 * np.exp(-((X / 0.5) ** 2) - ((Y + 0.55) / 0.12) ** 2)
        - 0.2 * np.exp(-((X - 0.7) ** 2) / 0.1 - Y**2 / 0.3)
    )
    picture = np.where(chair[..., None], [150.0, 105.0, 70.0], 235.0 * shade[..., None])
    assert overlap(cut_out(pixels(picture), 256, ignore), chair) > 0.93


@pytest.mark.parametrize("low", [0.0, -0.5])
def test_pale_objects_on_a_ground_of_their_own_hue_stay_whole(low: float) -> None:
    grounds = (
        np.repeat(np.linspace(130, 215, SIDE)[:, None, None], SIDE, axis=1) * np.ones(3),
        everywhere(160, 178, 200),
    )
    for ground, tone in zip(grounds, ((250.0, 250.0, 248.0), (236.0, 200.0, 186.0)), strict=True):
        body, picture = figure(tone, ground, low)
        assert overlap(cut_out(pixels(picture), 256, ignore), body) > 0.95


def test_a_portrait_that_the_border_cuts_is_whole_or_doubted() -> None:
    body, picture = figure((225.0, 180.0, 160.0), everywhere(236, 226, 205), -0.45)
    notes: list[str] = []
    assert overlap(cut_out(pixels(picture), 256, ignore, notes), body) > 0.95 or notes


def test_white_on_white_is_whole_or_doubted() -> None:
    body, picture = figure((250.0, 250.0, 250.0), everywhere(251, 251, 251))
    notes: list[str] = []
    assert overlap(cut_out(pixels(picture), 256, ignore, notes), body) > 0.95 or notes


def lit_before(ground: float, tone: float, parts: Layers) -> tuple[BoolArray, Float64Array]:
    """Return things whose parts, each where it is and how bright, lie on each other, in a tone before a ground."""
    picture, body = everywhere(ground, ground, ground).copy(), np.zeros((SIDE, SIDE), np.bool_)
    for there, lit in parts:
        picture[there] = np.minimum(tone * lit, 255)[there][:, None]
        body |= there
    return body, picture


def a_mug() -> Layers:
    ring, top = np.hypot(X - 0.36, Y) / 0.28, np.hypot(X / 0.36, (Y - 0.4) / 0.1)
    wall = ((np.abs(X) < 0.36) & (np.abs(Y) < 0.4)) | (np.hypot(X / 0.36, (Y + 0.4) / 0.1) < 1)
    handle = (ring < 1) & (ring > 0.62) & (X > 0.33)
    inside = (top < 0.85, 0.84 + 0.3 * X)
    return [(handle, 0.86 + 0.3 * Y), (wall, 0.8 + 0.17 * np.cos(3 * X + 0.5)), (top < 1, np.ones_like(X)), inside]


def a_sheet_of_paper() -> Layers:
    across, along = 0.97 * X + 0.24 * Y, 0.97 * Y - 0.24 * X
    sheet = (np.abs(across) < 0.45) & (np.abs(along) < 0.6)
    return [(sheet, 0.985 + 0.02 * across), (sheet & (across + along > 0.85), np.full_like(X, 0.9))]


def a_plate() -> Layers:
    far = np.hypot(X, Y / 0.6) / 0.65
    return [(far < 1, 0.985 + 0.03 * Y), (far < 0.68, 0.95 + 0.07 * far), (far < 0.6, np.full_like(X, 0.985))]


def a_chair() -> Layers:
    legs = (np.abs(np.abs(X) - 0.38) < 0.04) & (Y < -0.05) & (Y > -0.7)
    seat = (np.abs(X) < 0.41 - 0.1 * Y) & (np.abs(Y + 0.02) < 0.14)
    back, edge = (np.abs(X) < 0.36) & (Y > 0.05) & (Y < 0.75), (np.abs(X) < 0.42) & (np.abs(Y + 0.16) < 0.03)
    return [(legs, 0.94 + 0.1 * X), (back, 0.985 + 0.03 * X), (seat, 0.99 + 0.05 * Y), (edge, np.full_like(X, 0.9))]


def an_egg() -> Layers:
    far = (X * (1 + 0.25 * Y) / 0.45) ** 2 + (Y / 0.6) ** 2
    facing = np.sqrt(np.maximum(1 - far, 0))
    return [(far < 1, 0.62 + 0.4 * np.maximum(0.83 * Y - 0.9 * X + 0.77 * facing, 0))]


@pytest.mark.parametrize(("ground", "tone"), [(251.0, 255.0), (205.0, 208.0)])
@pytest.mark.parametrize("thing", [a_mug, a_sheet_of_paper, a_plate, a_chair, an_egg], ids=lambda thing: thing.__name__)
def test_what_is_as_pale_as_its_ground_is_whole_or_doubted(
    thing: Callable[[], Layers], ground: float, tone: float
) -> None:
    """A soft shadow lies before it. What is left is most of it, never a corner."""
    body, picture = lit_before(ground, tone, thing())
    low, wide = Y[body].min(), np.abs(X[body]).max()
    shade = 1 - 0.12 * np.exp(-(((X - 0.1) / wide) ** 2) - ((Y - low - 0.03) / 0.13) ** 2)
    picture = np.where(body[..., None], picture, picture * shade[..., None])
    notes: list[str] = []
    found = overlap(cut_out(pixels(picture), 256, ignore, notes), body)
    assert found > 0.7
    assert found > 0.95 or any("by hand" in note for note in notes)


def test_openings_of_grids_and_letters_are_open() -> None:
    bars = (np.abs(X) < 0.7) & (np.abs(Y) < 0.7) & ((((X + 0.7) * 4) % 1 < 0.22) | (((Y + 0.7) * 4) % 1 < 0.22))
    ring = (np.hypot(X, Y) < 0.3) & (np.hypot(X, Y) > 0.2)
    for shape, ink in ((bars, 60.0), (ring, 30.0)):
        picture = np.where(shape[..., None], ink, 250.0) * np.ones(3)
        assert overlap(cut_out(pixels(picture), 256, ignore), shape) > 0.93


def test_hair_is_no_splinters() -> None:
    """Strands of a pixel or two, some of them in front of each other, about a head."""
    rng = np.random.default_rng(2)
    picture, head = ball(0.0, 0.0, 0.4)[0][..., None] * -145.0 + np.array([235.0, 232.0, 228.0]), X**2 + Y**2 < 0.4**2
    for _ in range(60):
        turn, length = rng.uniform(0, 2 * np.pi), np.linspace(0.38, rng.uniform(0.5, 0.7), 90)
        turns = turn + np.cumsum(rng.normal(0, 0.005, 90))
        rows, columns = (((1 - length * np.sin(turns)) * SIDE / 2), ((1 + length * np.cos(turns)) * SIDE / 2))
        picture[rows.astype(int), columns.astype(int)] = (90, 60, 40)
    notes: list[str] = []
    found = cut_out(pixels(box_mean(picture, 1, beyond="edge") * 0.3 + picture * 0.7), 256, ignore, notes)
    assert overlap(found, head) > 0.93
    assert any("hair" in note for note in notes)


def test_a_drawn_outline_encloses_the_object() -> None:
    far = np.hypot(X, Y * 0.8)
    picture = np.where(((far < 0.6) & (far > 0.55))[..., None], 10.0, 252.0) * np.ones(3)
    assert overlap(cut_out(pixels(picture), 256, ignore), far < 0.6) > 0.95


def test_an_object_before_a_table_and_a_wall_is_guessed_and_the_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = np.where((Y > -0.1)[..., None], [205.0, 198.0, 180.0], [125.0, 92.0, 66.0])
    body, picture = figure(BLUE, ground)
    notes: list[str] = []
    assert overlap(cut_out(pixels(picture), 256, ignore, notes), body) > 0.93
    assert "guessed" in notes[0]

    def missing(_path: Path) -> None:
        """Read no weights."""

    monkeypatch.setattr("backend.foreground.cut_out.read_weights", missing)
    with pytest.raises(UserError, match="not plain"):
        cut_out(pixels(picture), 256, ignore)


def test_an_alpha_that_rounds_a_windows_corners_is_no_cut_out() -> None:
    corner = np.hypot(np.maximum(np.abs(X) - 0.9, 0), np.maximum(np.abs(Y) - 0.9, 0)) > 0.1
    assert overlap(cut_out(pixels(ON_WHITE, ~corner), 256, ignore), MUG) > 0.96


def test_stray_specks_of_an_alpha_do_not_set_the_frame() -> None:
    small, picture = ball(0.2, -0.3, 0.3)[0], everywhere(*BLUE)
    strays = small.copy()
    strays[[2, 3, -3], [3, 3, -4]] = True
    alone, among = (cut_out(pixels(picture, alpha), 256, ignore).crop for alpha in (small, strays))
    assert among == alone


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (ball(-0.5, 0, 0.35)[0] | ball(0.5, 0, 0.35)[0], "2 separate parts"),
        ((np.abs(X) < 0.6) & (np.abs(Y) < 0.5), "rectangle"),
        (MUG, ""),
    ],
)
def test_what_is_unlikely_is_said_of_any_cut_out(body: BoolArray, said: str) -> None:
    for picture in (pixels(everywhere(*BLUE), body), pixels(np.where(body[..., None], BLUE, 255.0))):
        notes: list[str] = []
        cut_out(picture, 128, ignore, notes)
        assert bool(notes) == bool(said)
        assert all(said in note and "by hand" in note for note in notes)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 90), st.integers(1, 90), st.integers(0, 3), st.integers(0, 2**32 - 1), st.sampled_from((0, 1, 8, 60))
)
def test_any_small_picture_gives_a_cut_out_or_a_sentence(
    height: int, width: int, frame: int, seed: int, rough: int
) -> None:
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 4), rng.integers(0, 256, 4), np.uint8)
    picture[..., :3] = np.clip(picture[..., :3] + rng.normal(0, rough, (height, width, 3)), 0, 255)
    top, left = (int(rng.integers(0, side)) for side in (height, width))
    picture[top : top + height // 2, left : left + width // 2, :3] = rng.integers(0, 256, 3)
    if frame:
        picture[:frame], picture[-frame:], picture[:, :frame], picture[:, -frame:] = [rng.integers(0, 256, 4)] * 4
    with suppress(UserError):
        assert cut_out(picture, 32, ignore, []).rgba.shape == (32, 32, 4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["smooth", "rough", "framed", "cut out", "noise in alpha"])
@pytest.mark.parametrize(("height", "width"), [(1, 20_000), (20_000, 1), (20_000, 600), (3, 7000), (4500, 5000)])
def test_any_large_picture_gives_a_cut_out_or_a_sentence(height: int, width: int, kind: str) -> None:
    rng = np.random.default_rng(height + width)
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = 200 + (np.arange(width) * 40 // width)[:, None]
    picture[height // 4 : -(-height * 3 // 4), width // 4 : -(-width * 3 // 4), :3] = (180, 60, 40)
    if kind == "rough":
        picture[..., :3] = np.clip(picture[..., :3] + rng.normal(0, 12, (height, width, 3)), 0, 255)
    elif kind == "framed":
        picture[:2], picture[-2:], picture[:, :2], picture[:, -2:] = 0, 0, 0, 0
        picture[..., 3] = 255
    elif kind == "cut out":
        picture[..., 3] = np.where(picture[..., 1] == 60, 255, 0)
    elif kind == "noise in alpha":
        picture[..., 3] = rng.integers(0, 256, (height, width))
    with suppress(UserError):
        assert cut_out(picture, 128, ignore, []).rgba.shape == (128, 128, 4)
