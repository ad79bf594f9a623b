# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine estimates normals from any picture, and without weights from its outline."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import Float32Array, UInt8Array
from backend.engines.draft import normals as draft
from backend.errors import Cancelled, UserError
from backend.flow.products import Crop, Cutout, NormalMap
from backend.normals import outline
from backend.raster.ticks import unwatched


def silent(step: int, of: int) -> None:
    """Ignore a report."""


def cutout(rgba: UInt8Array) -> Cutout:
    side = rgba.shape[0]
    return Cutout(rgba, Crop(0, 0, side, side, side))


def angle(normals: Float32Array, truth: Float32Array) -> Float32Array:
    return np.degrees(np.arccos(np.clip((normals * truth).sum(axis=-1), -1, 1)))


def roof(size: int) -> tuple[Cutout, Float32Array]:
    """Return a square of a roof that leans back over a wall that faces the viewer, lit from above, and its normals.

    The outline does not show the edge between them.
    """
    rgba = np.zeros((size, size, 4), np.uint8)
    low, middle, high = size // 6, size // 2, size - size // 6
    rgba[low:high, low:high] = (120, 110, 100, 255)
    rgba[low:middle, low:high] = (200, 190, 180, 255)
    normals = np.zeros((size, size, 3), np.float32)
    normals[..., 2] = 1
    normals[low:middle] = np.array([0, 1, 1]) / np.sqrt(2)
    return cutout(rgba), normals


@given(hnp.arrays(np.uint8, st.integers(1, 40).map(lambda side: (side, side, 4))))
@settings(deadline=None, max_examples=40)
def test_normals_are_unit_and_face_the_viewer_for_any_picture(rgba: UInt8Array) -> None:
    picture = cutout(rgba)
    if not (picture.alpha > 0.5).any():
        with pytest.raises(UserError) as caught:
            draft.estimate(picture, silent)
        assert caught.value.code == "empty-cutout"
        return
    found = draft.estimate(picture, silent)
    assert found.normals.shape == (*picture.alpha.shape, 3)
    assert found.normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.normals, axis=-1), 1, atol=1e-5)
    assert (found.normals[..., 2] >= 0).all()
    assert (found.normals[picture.alpha == 0] == [0, 0, 1]).all()
    np.testing.assert_array_equal(found.alpha, picture.alpha)


@pytest.mark.parametrize("size", [64, 200, 512])
def test_it_is_better_than_the_outline_alone(size: int) -> None:
    picture, truth = roof(size)
    inside = picture.alpha > 0.5
    with_network = angle(draft.estimate(picture, silent).normals, truth)[inside].mean()
    from_outline = angle(outline.estimate(picture, silent).normals, truth)[inside].mean()
    assert with_network < from_outline - 3


@pytest.mark.parametrize("size", [48, 200])
def test_an_estimate_is_known_with_strokes_over_it_and_true_normals_are_not_taken_for_one(size: int) -> None:
    picture, truth = roof(size)
    found = draft.estimate(picture, silent)
    stroked = found.normals.copy()
    stroked[size // 3 : size // 2, size // 3 : size // 2] = (0, 0, 1)

    def is_estimate(normals: Float32Array) -> bool:
        return draft.is_estimate(NormalMap(normals, found.alpha, found.crop), picture, unwatched)

    assert is_estimate(found.normals)
    assert is_estimate(stroked)
    assert not is_estimate(truth)
    assert not draft.is_estimate(found, cutout(np.zeros((size, size, 4), np.uint8)), unwatched), "there is nothing"


def test_the_same_picture_gives_the_same_normals() -> None:
    picture, _ = roof(300)
    one, other = (draft.estimate(picture, silent).normals for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", [None, b"", b"PK damaged"])
def test_without_valid_weights_the_normals_come_from_the_outline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(draft, "WEIGHTS", path)
    picture, _ = roof(64)
    with caplog.at_level(logging.WARNING):
        found = draft.estimate(picture, silent)
    np.testing.assert_array_equal(found.normals, outline.estimate(picture, silent).normals)
    assert "The normals come from the outline alone" in caplog.text


def test_progress_is_counted_often_and_ends_complete() -> None:
    seen: list[tuple[int, int]] = []
    draft.estimate(roof(256)[0], lambda step, of: seen.append((step, of)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    assert len(seen) >= 5


@pytest.mark.parametrize("calls", [1, 4, 8])
def test_it_can_be_cancelled_at_any_report(calls: int) -> None:
    left = iter(range(calls))

    def cancel(step: int, of: int) -> None:
        if next(left, None) is None:
            raise Cancelled

    with pytest.raises(Cancelled):
        draft.estimate(roof(256)[0], cancel)


def plane(size: int, tilt: float, ripple: float) -> NormalMap:
    """Return a plane that leans to the right by `tilt`, with ripples of two pixels."""
    x = np.full((size, size), tilt)
    x[:, ::2] += ripple
    x[:, 1::2] -= ripple
    normals = np.stack([x, np.zeros_like(x), np.sqrt(1 - x**2)], axis=-1)
    return NormalMap(normals.astype(np.float32), np.ones((size, size), np.float32))


def test_joining_takes_low_frequencies_of_one_map_and_high_ones_of_the_other() -> None:
    joined = draft.join(plane(64, 0.3, 0.0), plane(64, -0.2, 0.1), 4.0, lambda: None)
    expected: Any = plane(64, 0.3, 0.1).normals
    assert angle(joined.normals, expected).max() < 2


def test_joining_lets_nothing_bleed_in_from_outside() -> None:
    low, high = plane(64, 0.3, 0.0), plane(64, -0.2, 0.0)
    alpha = np.zeros((64, 64), np.float32)
    alpha[20:40, 20:40] = 1
    wild = np.where(alpha[..., None] > 0, low.normals, -low.normals)
    joined = draft.join(NormalMap(wild, alpha), NormalMap(high.normals, alpha), 8.0, lambda: None)
    np.testing.assert_allclose(joined.normals[alpha > 0], low.normals[alpha > 0], atol=1e-3)
