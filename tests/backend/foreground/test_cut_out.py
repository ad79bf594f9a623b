# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects on plain backgrounds of every kind are cut out; other pictures raise a sentence."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.arrays import Float32Array, Float64Array, UInt8Array
from backend.errors import Cancelled, UserError
from backend.flow.products import Cutout, Picture, Report
from backend.foreground.cut_out import cut_out
from backend.foreground.framing import MARGIN
from backend.raster.resample import crop_resize

SIZE = 128
Field = Callable[[Float32Array, Float32Array], Float64Array]


def silent(step: int, of: int) -> None:
    assert 0 <= step <= of


def axes(height: int, width: int) -> tuple[Float32Array, Float32Array]:
    """Return x and y of the pixels' centres, -1 to 1 over the longer side."""
    y, x = (np.mgrid[:height, :width] + 0.5).astype(np.float32)
    return (2 * x - width) / max(height, width), (2 * y - height) / max(height, width)


def plain(*tone: float) -> Field:
    return lambda x, _: np.broadcast_to(np.array(tone, float), (*x.shape, 3))


def gradient(angle: float, start: list[float], end: list[float]) -> Field:
    def field(x: Float32Array, y: Float32Array) -> Float64Array:
        along = ((x * np.cos(angle) + y * np.sin(angle)) / 1.4 + 1)[..., None] / 2
        return np.array(start) * (1 - along) + np.array(end) * along

    return field


def vignette(*tone: float) -> Field:
    return lambda x, y: np.array(tone) * (1 - 0.3 * (x * x + y * y))[..., None]


def disc(height: int, width: int, across: float = 0.0, down: float = 0.0, radius: float = 0.5) -> Float32Array:
    """Return the coverage of a disc with soft edges."""
    x, y = axes(height, width)
    return np.clip((radius - np.hypot(x - across, y - down)) * max(height, width) / 2 + 0.5, 0, 1)


def composed(alpha: Float32Array, tone: list[float], field: Field, grain: float = 0.0) -> Picture:
    """Return an object, shaded a little, over a background."""
    x, y = axes(*alpha.shape)
    shaded = np.array(tone) * (0.9 + 0.1 * np.sin(7 * x + 5 * y))[..., None]
    colours = shaded * alpha[..., None] + field(x, y) * (1 - alpha[..., None])
    colours = colours + np.random.default_rng(3).normal(0, grain, colours.shape) if grain else colours
    opaque = np.full((*alpha.shape, 1), 255.0)
    return np.rint(np.clip(np.concatenate([colours, opaque], axis=-1), 0, 255)).astype(np.uint8)


def overlap(cutout: Cutout, alpha: Float32Array) -> float:
    """Return the intersection over union of the cut-out's alpha and the true one, in the cut-out's frame."""
    crop = cutout.crop
    truth = crop_resize(alpha, crop.left, crop.top, crop.side, len(cutout.rgba), fill=0.0) > 0.5
    found = cutout.alpha > 0.5
    return float(np.sum(found & truth) / np.sum(found | truth))


BACKGROUNDS = {
    "white": plain(255, 255, 255),
    "black": plain(0, 0, 0),
    "grey": plain(128, 130, 133),
    "gradient across": gradient(0.0, [240, 240, 240], [150, 160, 190]),
    "gradient down": gradient(1.57, [90, 140, 220], [230, 240, 250]),
    "gradient aslant": gradient(0.9, [200, 230, 180], [110, 150, 120]),
    "vignette": vignette(215, 210, 200),
}


@pytest.mark.parametrize("grain", [0.0, 4.0, 9.0])
@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_disc_is_found_on_every_plain_background(name: str, grain: float) -> None:
    alpha = disc(240, 320, 0.1, -0.05, 0.45)
    cutout = cut_out(composed(alpha, [190, 60, 40], BACKGROUNDS[name], grain), SIZE, silent)
    assert cutout.rgba.shape == (SIZE, SIZE, 4)
    assert overlap(cutout, alpha) > 0.97


@settings(max_examples=15, deadline=None)
@given(
    st.integers(64, 400),
    st.integers(64, 400),
    st.floats(0, 6.28),
    st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(0.35, 0.6)),
    st.integers(64, 200),
)
def test_discs_anywhere_on_gradients_of_any_direction(
    height: int, width: int, angle: float, circle: tuple[float, float, float], size: int
) -> None:
    within = min(height, width) / max(height, width)
    alpha = disc(height, width, *(within * value for value in circle))
    background = gradient(angle, [220, 225, 235], [150, 170, 190])
    cutout = cut_out(composed(alpha, [120, 50, 30], background), size, silent)
    assert overlap(cutout, alpha) > 0.93


def test_the_object_is_centred_with_its_margin() -> None:
    alpha = disc(300, 500, -0.3, 0.1, 0.25)
    cutout = cut_out(composed(alpha, [30, 60, 140], plain(250, 250, 250)), 200, silent)
    assert cutout.crop.side == pytest.approx(MARGIN * 125, abs=3)
    assert (cutout.crop.picture_width, cutout.crop.picture_height) == (500, 300)
    rows, columns = np.nonzero(cutout.alpha > 0.5)
    for ends in (rows, columns):
        assert (ends.min() + ends.max() + 1) / 2 == pytest.approx(100, abs=2)
        assert ends.max() + 1 - ends.min() == pytest.approx(200 / MARGIN, abs=4)


def test_edges_are_soft_and_free_of_the_old_background() -> None:
    alpha = disc(400, 400, radius=0.6)
    cutout = cut_out(composed(alpha, [200, 30, 30], plain(40, 220, 60)), 400, silent)
    crop = cutout.crop
    truth = crop_resize(alpha, crop.left, crop.top, crop.side, 400, fill=0.0)
    assert np.abs(cutout.alpha - truth).mean() < 0.004
    edge = (cutout.alpha > 0.05) & (cutout.alpha < 0.95)
    assert edge.sum() > 300
    red, green, _ = np.moveaxis(cutout.rgba[edge][:, :3].astype(int), -1, 0)
    # 180 less on the background, 140 more on the object.
    assert np.all(red - green > 50)


def test_hidden_pixels_near_the_object_carry_its_colour() -> None:
    alpha = disc(200, 200, radius=0.5)
    cutout = cut_out(composed(alpha, [200, 30, 30], plain(255, 255, 255)), 200, silent)
    hidden = cutout.rgba[cutout.rgba[..., 3] == 0][:, :3].astype(int)
    assert len(hidden) > 5000
    assert np.all(hidden[:, 0] - hidden[:, 1] > 90)


def test_an_object_may_touch_the_border() -> None:
    alpha = disc(300, 300, 0.0, 0.75, 0.6)
    cutout = cut_out(composed(alpha, [60, 40, 120], vignette(220, 220, 215)), SIZE, silent)
    assert overlap(cutout, alpha) > 0.96
    # Beyond the picture's border the cut-out is empty.
    bottom = int((300 - cutout.crop.top) / cutout.crop.side * SIZE)
    assert np.all(cutout.alpha[bottom + 3 :] == 0)
    assert cutout.alpha[bottom - 3].max() == 1


def dithered(height: int, width: int) -> Picture:
    """Return a disc before black and white pixels in turn, whose mean is one plain grey."""
    y, x = np.indices((height, width))
    picture = composed(disc(height, width), [200, 20, 20], plain(0, 0, 0))
    picture[..., :3][(disc(height, width) == 0) & ((x + y) % 2 > 0)] = 255
    return picture


def test_a_dithered_background_is_one_colour() -> None:
    assert overlap(cut_out(dithered(200, 260), SIZE, silent), disc(200, 260)) > 0.96


def test_small_patches_of_the_backgrounds_colour_stay_and_large_ones_are_holes() -> None:
    face = disc(300, 300, radius=0.7)
    eyes = disc(300, 300, -0.2, -0.2, 0.05) + disc(300, 300, 0.2, -0.2, 0.05)
    ring = np.clip(face - disc(300, 300, radius=0.3), 0, 1)
    with_eyes = cut_out(composed(face - eyes, [50, 90, 60], plain(255, 255, 255)), SIZE, silent)
    with_hole = cut_out(composed(ring, [50, 90, 60], plain(255, 255, 255)), SIZE, silent)
    assert overlap(with_eyes, face) > 0.98
    assert overlap(with_hole, ring) > 0.96


def test_a_shaded_patch_of_nearly_the_backgrounds_colour_is_no_hole() -> None:
    body, patch = disc(300, 300, radius=0.75), disc(300, 300, 0.0, -0.1, 0.3)
    picture = composed(body, [30, 70, 90], plain(205, 198, 188), 1.0)
    x, _ = axes(300, 300)
    cream = np.array([209, 202, 190]) + 80 * x[..., None]
    mixed = picture[..., :3] * (1 - patch[..., None]) + cream * patch[..., None]
    picture[..., :3] = np.rint(np.clip(mixed, 0, 255))
    assert overlap(cut_out(picture, SIZE, silent), body) > 0.98


def test_several_parts_stay_and_specks_go() -> None:
    parts = disc(300, 400, -0.45, 0.0, 0.3) + disc(300, 400, 0.4, 0.1, 0.25)
    specks = disc(300, 400, 0.0, 0.6, 0.008)
    cutout = cut_out(composed(parts + specks, [150, 80, 20], plain(235, 235, 240)), SIZE, silent)
    assert overlap(cutout, parts) > 0.97


def test_a_soft_shadow_below_is_background() -> None:
    alpha = disc(400, 400, 0.0, 0.0, 0.5)
    x, y = axes(400, 400)
    shade = 1 - 0.4 * np.exp(-((x / 0.45) ** 2) - ((y - 0.52) / 0.12) ** 2)[..., None]
    cutout = cut_out(composed(alpha, [40, 110, 190], lambda x, y: plain(230, 228, 220)(x, y) * shade), SIZE, silent)
    assert overlap(cutout, alpha) > 0.96


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 48), st.integers(2, 48), st.integers(0, 2**32 - 1), st.integers(16, 400))
@example(5, 40, 1242, 300)
def test_a_pictures_own_alpha_is_used(height: int, width: int, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(64, 256, (height, width, 4), np.uint8)  # nothing in it is dark, as a shadow is
    picture[..., 3] = rng.integers(0, 256, (height, width))
    rows, columns = np.ogrid[:height, :width]
    away = np.abs(rows - rng.integers(height)) + np.abs(columns - rng.integers(width))
    picture[..., 3] //= 2  # what is solid is a part of the picture, and nothing beside it
    picture[away < rng.integers(2, 3 + min(height, width) // 2), 3] += 128
    one, other = rng.choice(height * width, 2, replace=False)
    picture[..., 3].flat[one], picture[..., 3].flat[other] = 128, 127  # the least alpha that separates
    cutout = cut_out(picture, size, silent)
    crop = cutout.crop
    expected = crop_resize(picture, crop.left, crop.top, crop.side, size, fill=0)
    # The cut-out is resampled in bands: the last bit of a sum may decide how a number is rounded, most if alpha is low.
    # What is nearly transparent or opaque may have become so.
    between = (expected[..., 3] > 16) & (expected[..., 3] < 239)
    off = np.abs(cutout.rgba.astype(int) - expected)
    assert off[between].max(initial=0) <= 1
    assert (off[between] > 0).sum() <= 1e-3 * max(between.sum() * 4, 2000)
    assert off[..., 3].max() <= 16
    rows, columns = np.nonzero(picture[..., 3] > 127)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert crop.side == pytest.approx(MARGIN * longer)
    assert crop.left + crop.side / 2 == pytest.approx((columns.min() + columns.max() + 1) / 2)
    assert crop.top + crop.side / 2 == pytest.approx((rows.min() + rows.max() + 1) / 2)


def barely_transparent(alpha: UInt8Array) -> Picture:
    """Return a disc on white with an alpha that is above one half everywhere."""
    picture = composed(disc(150, 200, 0.1, 0.0, 0.5), [190, 60, 40], plain(250, 250, 250))
    picture[..., 3] = alpha
    return picture


@pytest.mark.parametrize(
    "alpha",
    [
        np.full((150, 200), 254, np.uint8),
        np.full((150, 200), 128, np.uint8),
        np.where(np.arange(200) == 0, 254, np.full((150, 1), 255)).astype(np.uint8),
        np.where(np.arange(200) == 199, 128, np.full((150, 1), 255)).astype(np.uint8),
        np.random.default_rng(0).integers(128, 256, (150, 200), np.uint8),
    ],
    ids=["254 everywhere", "128 everywhere", "a column of 254", "a column of 128", "noise"],
)
def test_an_alpha_above_one_half_everywhere_is_ignored(alpha: UInt8Array) -> None:
    cutout = cut_out(barely_transparent(alpha), SIZE, silent)
    assert overlap(cutout, disc(150, 200, 0.1, 0.0, 0.5)) > 0.97
    assert cutout.alpha.max() == 1


def noise(height: int, width: int, cell: int) -> Picture:
    rng = np.random.default_rng(cell)
    cells = rng.integers(0, 256, (-(-height // cell), -(-width // cell), 4), np.uint8)
    picture = np.repeat(np.repeat(cells, cell, axis=0), cell, axis=1)[:height, :width]
    picture[..., 3] = 255
    return picture


def land_and_sky() -> Picture:
    picture = np.full((200, 260, 4), 255, np.uint8)
    picture[:100, :, :3] = [120, 170, 230]
    picture[100:, :, :3] = [70, 110, 50]
    return picture


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (noise(200, 260, 20), "no-plain-background"),
        (land_and_sky(), "no-plain-background"),
        (noise(200, 260, 1), "no-plain-background"),
        (np.full((90, 120, 4), 255, np.uint8), "nothing-on-background"),
        (composed(np.zeros((90, 120), np.float32), [0, 0, 0], vignette(200, 180, 160), 5.0), "nothing-on-background"),
        (np.full((15, 300, 4), 255, np.uint8), "picture-too-small"),
        (np.full((1, 1, 4), 255, np.uint8), "picture-too-small"),
        (np.zeros((50, 50, 4), np.uint8), "picture-empty"),
        (np.full((50, 50, 4), 100, np.uint8), "picture-faint"),
        (np.pad(np.full((1, 1, 4), 127, np.uint8), ((9, 9), (9, 9), (0, 0))), "picture-faint"),
        (np.full((1, 1, 4), 128, np.uint8), "picture-too-small"),
        (np.full((1, 1, 4), 1, np.uint8), "picture-faint"),
    ],
)
def test_a_picture_that_cannot_be_cut_out_raises_a_sentence(picture: Picture, code: str) -> None:
    with pytest.raises(UserError) as raised:
        cut_out(picture, SIZE, silent)
    assert raised.value.code == code
    assert raised.value.sentence.endswith(".")
    assert ("transparent all over" in raised.value.sentence) == (code == "picture-empty")
    assert "transparent" in raised.value.advice or "opaque" in raised.value.advice


def test_what_is_guessed_among_many_colours_is_noted() -> None:
    notes: list[str] = []
    cut_out(noise(200, 260, 60), SIZE, silent, notes)
    assert "guessed" in notes[0]


@pytest.mark.parametrize("shape", [(16, 12_000), (12_000, 16)])
def test_a_picture_that_is_a_thousand_times_as_long_as_wide_is_cut_out(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 4), 255, np.uint8)
    picture[..., :3] -= np.random.default_rng(0).integers(0, 30, (*shape, 3), np.uint8)
    part = tuple(slice(side // 4, side // 2) for side in shape)
    picture[part] = (200, 20, 20, 255)
    crop = cut_out(picture, SIZE, silent).crop
    along = (crop.left, crop.top)[shape[0] > shape[1]] + crop.side / 2
    assert along == pytest.approx(0.375 * max(shape), rel=0.02)


@pytest.mark.parametrize("shape", [(16, 16), (20, 40)])
def test_tiny_pictures_are_cut_out(shape: tuple[int, int]) -> None:
    alpha = disc(*shape, radius=0.35)
    assert overlap(cut_out(composed(alpha, [20, 20, 90], plain(255, 255, 255)), 64, silent), alpha) > 0.85


def test_a_giant_picture_gives_the_cut_out_of_a_small_one() -> None:
    alpha = disc(2200, 2700, 0.2, 0.1, 0.3)
    picture = composed(alpha, [190, 60, 40], gradient(0.9, [200, 230, 180], [110, 150, 120]))
    cutout = cut_out(picture, SIZE, silent)
    assert overlap(cutout, alpha) > 0.97
    picture[..., 3] = np.rint(alpha * 255)
    assert overlap(cut_out(picture, SIZE, silent), alpha) > 0.99


def cancelling(at: int, after: int) -> Report:
    """Return a report that raises Cancelled once a step is reached and was reported so many times."""
    left = iter(range(after))

    def report(step: int, _of: int) -> None:
        if step > at or (step == at and next(left, None) is None):
            raise Cancelled

    return report


@pytest.mark.parametrize("transparent", [False, True])
def test_any_report_can_cancel_the_job(transparent: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    alpha = disc(120, 120, radius=0.6)
    picture = composed(alpha, [190, 60, 40], plain(255, 255, 255))
    if transparent:
        picture[..., 3] = np.rint(alpha * 255)
    steps: list[tuple[int, int]] = []
    cut_out(picture, 64, lambda step, of: steps.append((step, of)))
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    last = steps[-1][0]
    for step in range(last + 1):  # of one step there are the more reports, the longer threads take
        for after in (0, 1, 4):
            with pytest.raises(Cancelled):
                cut_out(picture, 64, cancelling(step, 0 if step == last else after))


@pytest.mark.parametrize("transparent", [False, True])
def test_larger_pictures_report_more_often(transparent: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    def reports(side: int, size: int) -> int:
        alpha = disc(side, side, radius=0.6)
        picture = composed(alpha, [190, 60, 40], plain(255, 255, 255))
        if transparent:
            picture[..., 3] = np.rint(alpha * 255)
        steps: list[int] = []
        cut_out(picture, size, lambda step, _of: steps.append(step))
        return len(steps)

    small = reports(100, 64)
    assert reports(100, 1024) >= small + 7  # 128 rows of the result at a time
    assert reports(3000, 64) >= small + 2  # 16 MiB of the picture at a time


def test_the_same_picture_gives_the_same_cut_out() -> None:
    picture = composed(disc(150, 150), [20, 90, 140], vignette(210, 220, 200), 6.0)
    before = picture.copy()
    first, second = (cut_out(picture, SIZE, silent) for _ in range(2))
    np.testing.assert_array_equal(first.rgba, second.rgba)
    assert first.crop == second.crop
    np.testing.assert_array_equal(picture, before)
