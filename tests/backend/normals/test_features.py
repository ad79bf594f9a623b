# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's inputs do not depend on exposure and contrast; the inflated outline is that of `outline`."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend.arrays import UInt8Array
from backend.flow.products import Crop, Cutout
from backend.normals import outline
from backend.normals.features import GRID, inflate, standardise
from backend.raster.matmul import by_einsum, by_matmul, fastest


@given(hnp.arrays(np.uint8, (2, 8, 12, 4)))
@settings(deadline=None, max_examples=50)
def test_the_colours_have_no_mean_over_the_object_and_are_finite(rgba: UInt8Array) -> None:
    seen = standardise(rgba)
    assert seen.dtype == np.float32
    assert np.isfinite(seen).all()
    np.testing.assert_allclose(seen[..., 3], rgba[..., 3] / 255, atol=1e-6)
    np.testing.assert_allclose(seen[..., :3].sum(axis=(1, 2)), 0, atol=1e-2)
    assert not seen[rgba[..., 3] == 0].any()


def test_exposure_and_contrast_do_not_matter() -> None:
    random = np.random.default_rng(0)
    rgba = random.integers(0, 100, (1, 32, 32, 4)).astype(np.uint8)
    rgba[..., 3] = 255
    brighter = rgba.copy()
    brighter[..., :3] = rgba[..., :3] * 2 + 40
    assert np.abs(standardise(rgba) - standardise(brighter)).mean() < 0.2
    assert np.abs(standardise(rgba)[..., :3]).mean() > 0.4


def blob(size: int) -> NDArray[np.floating[Any]]:
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    return np.clip((0.7 - np.hypot(x, y) + 0.15 * np.sin(5 * np.arctan2(y, x))) * size / 2 + 0.5, 0, 1)


def test_the_inflated_outline_has_the_normals_of_the_outline_alone() -> None:
    alpha = blob(128).astype(np.float32)
    found = inflate(alpha[None])[0]
    rgba = np.zeros((128, 128, 4), np.uint8)
    rgba[..., 3] = np.rint(alpha * 255)
    whole = outline.estimate(Cutout(rgba, Crop(0, 0, 128, 128, 128)), lambda _, __: None).normals
    expected = whole.reshape(32, GRID, 32, GRID, 3).mean(axis=(1, 3))
    inside = alpha.reshape(32, GRID, 32, GRID).min(axis=(1, 3)) == 1
    cosine = (found * expected).sum(axis=-1)[inside] / np.linalg.norm(expected, axis=-1)[inside]
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 5


def test_pictures_of_a_batch_and_their_sides_do_not_mix() -> None:
    alphas = np.stack([blob(64), np.ones((64, 64)), np.zeros((64, 64))]).astype(np.float32)[:, :, 8:56]
    together = inflate(alphas)
    assert together.shape == (3, 16, 12, 3)
    for index in range(3):
        np.testing.assert_array_equal(together[index], inflate(alphas[index : index + 1])[0])
    np.testing.assert_allclose(np.linalg.norm(together, axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(together[2], np.broadcast_to([0, 0, 1], (16, 12, 3)))


@given(st.tuples(*[st.integers(1, 20)] * 3), st.integers(0, 9))
@settings(deadline=None)
def test_both_ways_to_multiply_give_the_product(sizes: tuple[int, int, int], seed: int) -> None:
    m, k, n = sizes
    random = np.random.default_rng(seed)
    rows, matrix = random.normal(size=(m, k)).astype(np.float32), random.normal(size=(k, n)).astype(np.float32)
    expected = rows.astype(np.float64) @ matrix.astype(np.float64)
    for multiply in (by_matmul, by_einsum, fastest()):
        np.testing.assert_allclose(multiply(rows, matrix), expected, atol=1e-4)
