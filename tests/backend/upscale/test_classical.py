# SPDX-License-Identifier: GPL-3.0-or-later
"""The resampler: smooth, as bright as the picture was, and without halos."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float32Array, UInt8Array
from backend.raster.blur import box_mean
from backend.raster.resample import resample
from backend.upscale.classical import enlarged

SOME = settings(max_examples=20, deadline=None)
SEEDS = st.integers(0, 2**31)


def nothing() -> None:
    """Nobody asks how far it is."""


def whole(colours: UInt8Array, size: int) -> UInt8Array:
    return enlarged(colours, (0, 0, colours.shape[1], len(colours)), size, nothing)


def means(large: UInt8Array, side: int) -> Float32Array:
    """The means of side x side squares."""
    times = len(large) // side
    return large.reshape(side, times, side, times, 3).mean(axis=(1, 3), dtype=np.float32)


def random(seed: int, height: int, width: int) -> UInt8Array:
    """A picture of a few grey levels next to the least and the greatest."""
    return np.random.default_rng(seed).choice([0, 2, 100, 250, 255], (height, width, 3)).astype(np.uint8)


@SOME
@given(SEEDS, st.integers(2, 9), st.integers(2, 9), st.integers(9, 40))
def test_no_pixel_leaves_the_range_of_those_around_its_place(seed: int, height: int, width: int, size: int) -> None:
    colours = random(seed, height, width)
    large = whole(colours, size)
    assert large.shape == (size, size, 3)
    rows, columns = (
        np.clip(((np.arange(size) + 0.5) * length / size).astype(int), 0, length - 1) for length in colours.shape[:2]
    )
    padded = np.pad(colours, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.stack([padded[rows + down][:, columns + right] for down in range(3) for right in range(3)])
    assert (large >= around.min(axis=0)).all()
    assert (large <= around.max(axis=0)).all()


@SOME
@given(SEEDS, st.integers(2, 9), st.integers(1, 5))
def test_a_mirrored_picture_becomes_the_mirror_image(seed: int, side: int, times: int) -> None:
    colours = random(seed, side, side)
    difference = whole(colours, side * times).astype(int) - whole(colours[:, ::-1], side * times)[:, ::-1]
    assert np.abs(difference).max() <= 1, "but for how halves are rounded"


@SOME
@given(st.tuples(*[st.integers(0, 255)] * 3), st.floats(-3, 3), st.floats(4, 9), st.integers(9, 30))
def test_one_colour_stays_one_wherever_the_window_lies(
    colour: tuple[int, ...], left: float, side: float, size: int
) -> None:
    large = enlarged(np.full((6, 7, 3), colour, np.uint8), (left, 0.5, side, side), size, nothing)
    assert (large == np.array(colour)).all()


def test_squares_of_pixels_have_the_pictures_means_which_cubic_convolution_makes_flatter() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (48, 48, 3)).astype(np.float64)
    colours = np.rint(box_mean(noise, 1, beyond="edge")).astype(np.uint8)
    cubic = resample(colours, (0, 0, 48, 48), (192, 192))
    own, its = (np.abs(means(large, 48) - colours).mean() for large in (whole(colours, 192), cubic))
    assert own < its / 2


def test_a_picture_that_was_made_smaller_comes_back_sharper_than_by_cubic_convolution() -> None:
    rows, columns = np.mgrid[:160, :160] / 160
    truth = np.where((rows - 0.5) ** 2 + (columns - 0.45) ** 2 < 0.09, 220, 30)[..., None].repeat(3, axis=2)
    colours = np.rint(means(truth.astype(np.uint8), 40)).astype(np.uint8)
    cubic = resample(colours, (0, 0, 40, 40), (160, 160))
    own, its = (np.abs(large.astype(int) - truth).mean() for large in (whole(colours, 160), cubic))
    assert own < 0.9 * its
