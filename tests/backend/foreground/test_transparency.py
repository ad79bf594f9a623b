# SPDX-License-Identifier: GPL-3.0-or-later
"""Alpha is read for what it is: noise, multiplied into the colours, nearly a mask, a shadow below the object."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import BoolArray, Float64Array
from backend.flow.products import Cutout, Picture
from backend.foreground.cut_out import cut_out, is_opaque
from backend.foreground.transparency import is_noise, straight

SIDE = 200
X, Y = np.meshgrid((np.arange(SIDE) + 0.5) * 2 / SIDE - 1, (np.arange(SIDE) + 0.5) * 2 / SIDE - 1)
BODY = np.hypot(X / 0.5, (Y + 0.1) / 0.7) < 1
TONE = np.dstack([170 + 60 * X, 120 - 50 * Y, np.full_like(X, 60)])


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def never() -> None:
    """Go on."""


def object_with(alpha: Float64Array, background: float = 0.0) -> Picture:
    """Return a shaded object, with an alpha of up to 255, and one grey where it is not."""
    colours = np.where(BODY[..., None], TONE, background)
    return np.rint(np.dstack([colours, alpha])).astype(np.uint8)


def soft(width: float) -> Float64Array:
    """Return the object's coverage, up to 255, with an edge of so many pixels."""
    distance = (1 - np.hypot(X / 0.5, (Y + 0.1) / 0.7)) * 0.5 * SIDE / 2
    return 255 * np.clip(distance / width + 0.5, 0, 1)


def overlap(cutout: Cutout, truth: BoolArray) -> float:
    clean = cut_out(object_with(255.0 * truth), len(cutout.rgba), ignore)
    assert abs(cutout.crop.side - clean.crop.side) < 0.03 * clean.crop.side
    one, other = cutout.alpha > 0.5, clean.alpha > 0.5
    return float((one & other).sum() / (one | other).sum())


GENERATOR = np.random.default_rng(5)
NOISE = {
    "any value": GENERATOR.integers(0, 256, (SIDE, SIDE)),
    "salt": np.where(GENERATOR.random((SIDE, SIDE)) < 0.03, 0, 255),
    "one pixel": np.where((np.arange(SIDE) == 70) & (np.arange(SIDE)[:, None] == 90), 0, 255),
    "pepper": np.where(GENERATOR.random((SIDE, SIDE)) < 0.03, 255, 0),
    "a chequered pattern": np.where((np.arange(SIDE) + np.arange(SIDE)[:, None]) % 2 == 0, 0, 255),
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_separates_nothing(name: str) -> None:
    picture = object_with(NOISE[name].astype(np.float64), 250)
    assert is_opaque(picture)
    assert overlap(cut_out(picture, 128, ignore), BODY) > 0.96


NETS = {
    "a hatch": (np.arange(SIDE) + np.arange(SIDE)[:, None]) % 8 == 0,
    "a net": ((np.arange(SIDE) + np.arange(SIDE)[:, None]) % 8 == 0)
    | ((np.arange(SIDE) - np.arange(SIDE)[:, None]) % 8 == 0),
    "a fence": np.arange(SIDE) % 8 < np.ones((SIDE, 1)),
    "a halftone": (np.arange(SIDE) % 4 == 0) & (np.arange(SIDE)[:, None] % 4 == 0),
}


@pytest.mark.parametrize("name", NETS)
def test_what_has_thin_strokes_is_no_noise(name: str) -> None:
    assert not is_noise(NETS[name] & BODY)


@settings(max_examples=60, deadline=None)
@given(st.integers(24, 90), st.integers(24, 90), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_noise_of_any_density_is_told_from_any_part(height: int, width: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert is_noise(rng.permutation(np.arange(height * width) < share * height * width).reshape(height, width))
    part = np.zeros((height, width), np.bool_)
    top, left = int(rng.integers(0, height - 4)), int(rng.integers(0, width - 4))
    part[top : top + 2 + int(30 * share), left : left + 2 + int(rng.integers(30))] = True
    assert not is_noise(part)
    assert not is_noise(~part)


@pytest.mark.parametrize("width", [1.5, 6.0, 24.0])
def test_colours_that_were_multiplied_by_alpha_are_divided_by_it(width: float) -> None:
    picture = object_with(soft(width))
    picture[..., :3] = np.rint(TONE)
    picture[picture[..., 3] == 0, :3] = 0
    multiplied = picture.copy()
    multiplied[..., :3] = np.rint(picture[..., :3] * (picture[..., 3:] / 255))
    divided = straight(multiplied, never)
    clear = picture[..., 3] > 40
    assert np.abs(divided[clear].astype(int) - picture[clear]).max() <= 4
    assert straight(picture, never) is picture
    assert straight(divided, never) is divided, "once is enough"
    for size in (64, 300):
        one, other = (cut_out(each, size, ignore).rgba.astype(int) for each in (multiplied, picture))
        shown = other[..., 3] > 60
        assert np.abs(one - other)[shown].max() <= 6


@pytest.mark.parametrize("tone", [0, 5, 40])
def test_dark_objects_with_soft_edges_stay_as_they_are(tone: int) -> None:
    """No colour exceeds its alpha, and yet nothing was multiplied."""
    alpha = soft(5)
    alpha[alpha < 45] = 0
    picture = np.dstack([np.full((SIDE, SIDE, 3), tone, np.uint8), np.rint(alpha).astype(np.uint8)])
    picture[picture[..., 3] == 0] = 0
    assert straight(picture, never) is picture


@pytest.mark.parametrize(("low", "high", "ripple"), [(0, 254, 0), (2, 253, 0), (2, 253, 3)])
def test_a_mask_that_is_nearly_binary_is_binary(low: int, high: int, ripple: float) -> None:
    alpha = np.where(BODY, high, low) + np.random.default_rng(3).normal(0, ripple, BODY.shape)
    cutout = cut_out(object_with(np.clip(alpha, 0, 255), 90), 256, ignore)
    exact = cut_out(object_with(255.0 * BODY, 90), 256, ignore)
    edge = np.abs(cutout.alpha - exact.alpha) > 0.08
    assert not edge.any()
    settled = (exact.alpha == 0) | (exact.alpha == 1)
    assert (cutout.alpha == exact.alpha)[settled].mean() > 0.99


@pytest.mark.parametrize("strength", [30, 80, 115])
def test_a_shadow_in_the_alpha_is_no_part_of_the_object(strength: int) -> None:
    shadow = strength * np.clip(3 - 3 * np.hypot(X / 0.95, (Y - 0.6) / 0.3), 0, 1)
    picture = object_with(np.where(BODY, 255, shadow))
    cutout, alone = cut_out(picture, 256, ignore), cut_out(object_with(255.0 * BODY), 256, ignore)
    assert cutout.crop == alone.crop
    assert np.abs(cutout.alpha - alone.alpha).mean() < 0.005
    away = alone.alpha == 0
    assert (cutout.alpha[away] > 0).mean() < 0.03


def test_a_bright_haze_and_a_dark_soft_edge_stay() -> None:
    haze = object_with(np.where(BODY, 255, 100.0 * (np.abs(X) < 0.9)), 230)
    assert (cut_out(haze, 256, ignore).alpha > 0.3).mean() > 0.8
    dark = object_with(soft(10))
    dark[..., :3] = 20
    assert ((cut_out(dark, 256, ignore).alpha > 0.1) & (cut_out(dark, 256, ignore).alpha < 0.4)).sum() > 500
