# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints are hardly taken for relief, on flat things and on round ones."""

from collections.abc import Callable

import numpy as np
import pytest

from backend.arrays import BoolArray, Float32Array, Float64Array
from backend.engines.draft.normals import estimate
from backend.flow.products import Crop, Cutout
from backend.raster.blur import box_mean
from backend.raster.morphology import eroded
from backend.raster.vectors import unit

SIDE = 256
PLACE = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
X, Y = np.broadcast_to(PLACE, (SIDE, SIDE)), np.broadcast_to(-PLACE[:, None], (SIDE, SIDE))
LIGHT = np.array([-0.4, 0.6, 0.7]) / np.linalg.norm([-0.4, 0.6, 0.7])

GROUND, INK = np.array([0.62, 0.58, 0.5]), np.array([0.2, 0.25, 0.4])

Shape = tuple[BoolArray, Float64Array, Float64Array, Float64Array]  # inside, normals, and where a print lies: u, v
Print = Callable[[Float64Array, Float64Array], Float64Array]  # in [0, 1]


def board() -> Shape:
    """A flat board that is turned a little to the right and up."""
    n = np.array([0.35, 0.3, 0.0])
    n[2] = np.sqrt(1 - n @ n)
    inside = (np.abs(X) < 0.75) & (np.abs(Y + 0.1 * X) < 0.6)
    return inside, np.broadcast_to(n, (SIDE, SIDE, 3)), X, Y


def pot() -> Shape:
    """An upright cylinder."""
    inside = (np.abs(X) < 0.6) & (np.abs(Y) < 0.8)
    x = np.clip(X / 0.6, -1, 1)
    z = np.sqrt(1 - x * x)
    return inside, np.stack([x, np.zeros_like(x), z], axis=2), 0.6 * np.arcsin(x), Y


def ball() -> Shape:
    """A ball."""
    z = np.sqrt(np.maximum(0.64 - X * X - Y * Y, 0))
    return z > 0, np.stack([X, Y, z], axis=2) / 0.8, 0.8 * np.arcsin(np.clip(X / 0.8, -1, 1)), Y


def stripes(u: Float64Array, v: Float64Array) -> Float64Array:
    """Broad stripes across."""
    return np.where((u + 0.6 * v) * 4 % 1 < 0.5, 1.0, 0.0)


def flowers(u: Float64Array, v: Float64Array) -> Float64Array:
    """Five petals in each cell of a grid that is moved row by row."""
    row = np.floor(v * 3)
    a, b = (u * 3 + 0.5 * row) % 1 - 0.5, v * 3 % 1 - 0.5
    return np.where(np.hypot(a, b) < 0.25 + 0.12 * np.cos(5 * np.arctan2(b, a)), 1.0, 0.0)


def stones(u: Float64Array, v: Float64Array) -> Float64Array:
    """Stones with dark joints between them."""
    middles = np.random.default_rng(2).uniform(-1.3, 1.3, (90, 2))
    far = np.sort(np.hypot(u[..., None] - middles[:, 0], v[..., None] - middles[:, 1]), axis=2)
    joint: Float64Array = far[..., 1] - far[..., 0]
    return np.minimum(30 * joint, 1)


def photographed(shape: Shape, colours: Float64Array) -> Cutout:
    """A matt thing of linear colours (S, S, 3), lit by a lamp and by the sky."""
    inside, normals, *_ = shape
    light = 0.25 + 0.85 * np.maximum(normals @ LIGHT, 0)
    shown = np.clip(colours * light[..., None], 0, 1) ** (1 / 2.2)
    rgba = np.concatenate([shown, inside[..., None]], axis=2)
    return Cutout(np.rint(rgba * 255).astype(np.uint8), Crop(0, 0, SIDE, SIDE, SIDE))


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def angles(one: Float32Array | Float64Array, other: Float32Array | Float64Array) -> Float64Array:
    """Return the angles between unit normals in degrees."""
    return np.degrees(np.arccos(np.clip((one * other).sum(axis=-1), -1, 1)))


def relief(shape: Shape, printed: Print | None) -> float:
    """Return how rough the estimated normals are, in degrees on the mean: their angle to what is smooth about them."""
    inside, _, u, v = shape
    share = printed(u, v)[..., None] if printed else 0.0
    colours = GROUND * (1 - share) + INK * share * np.ones((SIDE, SIDE, 1))
    normals = estimate(photographed(shape, np.broadcast_to(colours, (SIDE, SIDE, 3))), ignore).normals
    smooth = unit(box_mean(normals, 12, beyond="edge"))
    return float(angles(normals, smooth)[eroded(inside, 16)].mean())


@pytest.mark.parametrize("make", [board, pot, ball])
def test_a_print_is_no_relief(make: Callable[[], Shape]) -> None:
    shape = make()
    assert relief(shape, None) < 1
    assert relief(shape, stripes) < 3
    assert relief(shape, flowers) < 3
    assert relief(shape, stones) < 6.5  # dark joints look most like grooves


@pytest.mark.parametrize(("make", "limit"), [(pot, 12), (ball, 8)])
def test_a_plain_thing_is_seen_as_it_is(make: Callable[[], Shape], limit: float) -> None:
    shape = make()
    inside, normals, *_ = shape
    plain = np.broadcast_to(GROUND, (SIDE, SIDE, 3))
    assert angles(estimate(photographed(shape, plain), ignore).normals, normals)[inside].mean() < limit
