# SPDX-License-Identifier: GPL-3.0-or-later
"""Connected components of masks are those that a flood fill finds, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import BoolArray, Int32Array
from backend.raster.components import border, components, without_small

masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14)))
CROSS = [(-1, 0), (1, 0), (0, -1), (0, 1)]
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def flooded(mask: BoolArray, *, diagonal: bool) -> Int32Array:
    labels = np.zeros(mask.shape, np.int32)
    count = 0
    for seed in zip(*np.nonzero(mask), strict=True):
        if labels[seed]:
            continue
        count += 1
        waiting = [seed]
        while waiting:
            y, x = waiting.pop()
            if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not labels[y, x]:
                labels[y, x] = count
                waiting += [(y + dy, x + dx) for dy, dx in CROSS + (CORNERS if diagonal else [])]
    return labels


@given(masks, st.booleans())
def test_labels_are_those_of_a_flood_fill(mask: BoolArray, diagonal: bool) -> None:  # noqa: FBT001 (drawn by hypothesis)
    parts = components(mask, diagonal=diagonal)
    expected = flooded(mask, diagonal=diagonal)
    np.testing.assert_array_equal(parts.labels, expected)
    np.testing.assert_array_equal(parts.areas, np.bincount(expected.ravel(), minlength=parts.count + 1))
    assert parts.count == expected.max()


def test_one_winding_path_is_one_component() -> None:
    path = np.zeros((99, 64), np.bool_)
    path[::2] = True
    path[1::4, -1] = True
    path[3::4, 0] = True
    for mask in (path, path.T, path[::-1], path[:, ::-1].T):
        assert components(mask).count == 1
    path[50, 30] = False
    assert components(path).count == 2


@given(masks, st.integers(0, 12))
def test_small_components_are_cleared_and_the_others_stay(mask: BoolArray, smallest: int) -> None:
    labels = flooded(mask, diagonal=True)
    areas = np.bincount(labels.ravel())
    np.testing.assert_array_equal(without_small(mask, smallest), mask & (areas[labels] >= smallest))


@given(masks, st.integers(0, 2**32 - 1))
def test_touched_components_contain_a_seed(mask: BoolArray, seed: int) -> None:
    seeds = np.random.default_rng(seed).random(mask.shape) < 0.1
    parts = components(mask)
    touched = parts.touched(seeds)
    assert set(np.flatnonzero(touched)) == set(np.unique(parts.labels[seeds])) - {0}
    np.testing.assert_array_equal(parts.mask(touched), np.isin(parts.labels, np.flatnonzero(touched)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_a_thin_image_is_all_border(shape: tuple[int, int]) -> None:
    assert border(shape).all()
    assert components(np.ones(shape, np.bool_)).count == 1
    assert components(np.zeros(shape, np.bool_)).count == 0
