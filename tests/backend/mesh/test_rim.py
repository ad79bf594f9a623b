# SPDX-License-Identifier: GPL-3.0-or-later
"""UVs near the outline move further inside."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Float32Array
from backend.mesh.rim import inset

SIZE = 64


def disc(radius: float) -> Float32Array:
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5 - SIZE / 2
    return np.clip(radius + 0.5 - np.hypot(x, y), 0.0, 1.0).astype(np.float32)


def polar(radius: float, angles: Float32Array) -> Float32Array:
    """Return the uv of points around the middle, `radius` pixels away."""
    return (0.5 + radius / SIZE * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).astype(np.float32)


def radii(uv: Float32Array) -> Float32Array:
    return np.hypot(uv[:, 0] - 0.5, uv[:, 1] - 0.5, dtype=np.float32) * np.float32(SIZE)


@given(st.floats(10.0, 28.0), st.floats(0.0, 2.0))
def test_uvs_on_the_rim_move_two_to_four_pixels_straight_inward(radius: float, inside: float) -> None:
    angles = np.linspace(0.0, 2 * np.pi, 32, endpoint=False)
    moved = inset(polar(radius - inside, angles), disc(radius))
    assert np.all(radii(moved) < radius - 1.9)
    assert np.all(radii(moved) > radius - 4.5)
    turned = np.angle(np.exp(1j * (np.arctan2(moved[:, 1] - 0.5, moved[:, 0] - 0.5) - angles)))
    assert np.abs(turned).max() < 0.1


def test_uvs_inside_stay() -> None:
    uv = polar(12.0, np.linspace(0.0, 6.0, 16))
    assert np.allclose(inset(uv, disc(20.0)), uv, atol=1e-6)


@given(st.integers(1, 4))
def test_thin_parts_move_to_their_middle_and_no_further(width: int) -> None:
    alpha = np.zeros((SIZE, SIZE), np.float32)
    alpha[:, 30 : 30 + width] = 1.0
    edges = np.array([[30 / SIZE, 0.5], [(30 + width) / SIZE, 0.5]], np.float32)
    moved = inset(edges, alpha)
    middle = (30 + width / 2) / SIZE
    assert np.abs(moved[:, 0] - middle).max() < 1.0 / SIZE
    assert np.allclose(moved[:, 1], 0.5, atol=0.02)


def test_uvs_stay_finite_for_any_alpha() -> None:
    uv = np.random.default_rng(0).random((500, 2), np.float32)
    for alpha in (np.zeros((SIZE, SIZE), np.float32), np.ones((SIZE, SIZE), np.float32), disc(2.0)):
        moved = inset(uv, alpha)
        assert np.isfinite(moved).all()
        assert moved.shape == uv.shape
        assert moved.dtype == np.float32
