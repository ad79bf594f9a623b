# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's look at a map does not depend on its size or on which way it is mirrored."""

import numpy as np
import pytest

from backend.flow.products import NormalMap
from backend.geometry.features import SIDE
from backend.geometry.look import answer, look_at, read_weights
from backend.geometry.network import WEIGHTS


def ignore() -> None:
    """Watch nothing."""


def lopsided(size: int) -> NormalMap:
    """Return a ball with a smaller one to its right, in a corner of the map."""
    rows, columns = (np.mgrid[:size, :size] + 0.5) / size
    normals = np.zeros((size, size, 3), np.float32)
    normals[..., 2] = 1
    alpha = np.zeros((size, size), np.float32)
    for x, y, radius in ((0.4, 0.4, 0.2), (0.65, 0.5, 0.12)):
        across, down = (columns - x) / radius, (rows - y) / radius
        inside = np.hypot(across, down) < 1
        z = np.sqrt(np.maximum(1 - across**2 - down**2, 0))
        normals[inside] = np.stack([across, -down, z], axis=2)[inside]
        alpha[inside] = 1
    return NormalMap(normals, alpha)


def mirrored(normal_map: NormalMap) -> NormalMap:
    turned = normal_map.normals[:, ::-1] * np.array([-1, 1, 1], np.float32)
    return NormalMap(turned, normal_map.alpha[:, ::-1])


def test_a_mirrored_map_is_answered_by_the_mirror_image() -> None:
    weights = read_weights(WEIGHTS)
    assert weights is not None
    one, other = (
        answer(weights, look_at(shown, ignore), 0.5, ignore) for shown in (lopsided(200), mirrored(lopsided(200)))
    )
    np.testing.assert_allclose(other.front[:, ::-1], one.front, atol=0.02)
    np.testing.assert_allclose(other.back[:, ::-1], one.back, atol=0.02)
    np.testing.assert_allclose(other.up * (-1, 1, 1), one.up, atol=0.01)
    assert (other.nearness, other.doubt) == pytest.approx((one.nearness, one.doubt), abs=0.005)


def test_the_square_is_the_objects_own_at_any_size() -> None:
    small, large = look_at(lopsided(150), ignore), look_at(lopsided(600), ignore)
    assert small.planes.shape == (SIDE, SIDE, 8)
    assert large.crop.side / 600 == pytest.approx(small.crop.side / 150, rel=0.02)
    both = small.inside & large.inside
    assert both.sum() > 0.95 * (small.inside | large.inside).sum()
    assert np.abs(small.planes - large.planes)[both].mean() < 0.03


def test_missing_weights_are_no_weights() -> None:
    assert read_weights(WEIGHTS.with_name("nowhere.npz")) is None
