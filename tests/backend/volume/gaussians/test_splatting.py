# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats against what Gaussians are by their formula, their order, and their gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.flow.products import Camera
from backend.texture.camera import focal_length, orbit
from backend.volume.gaussians.cloud import Cloud, rotations
from backend.volume.gaussians.projection import projected
from backend.volume.gaussians.splatting import render
from backend.volume.seen import pixels_of

SHAPE = (21, 37)  # no whole tiles
FRONT = orbit(0, 0, 2.0, 40.0)


def cloud(*means: tuple[float, float, float], size: float = 0.05, opacity: float = 0.8) -> Cloud:
    """Round Gaussians, red, green, blue."""
    count = len(means)
    return Cloud(
        torch.tensor(means),
        torch.full((count, 3), size).log(),
        torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        torch.full((count,), opacity).logit(),
        torch.eye(3)[:count],
    )


def scattered(count: int, seed: int = 2) -> Cloud:
    """Gaussians of all kinds, in double precision."""
    random = torch.Generator().manual_seed(seed)

    def some(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=random, dtype=torch.float64)

    return Cloud(0.25 * some(3), 0.4 * some(3) - 2.8, some(4), some(), torch.sigmoid(some(3)))


@pytest.mark.parametrize(
    "camera", [FRONT, orbit(130, 35, 2.0, 25.0), Camera(orbit(70, -20, 2.0, 1.0).matrix, 0.0, 1.4)]
)
def test_a_splat_has_the_moments_of_its_gaussian(camera: Camera) -> None:
    """Of points that are drawn from it, seen by the camera: their mean and covariances, and 0.3 pixels squared."""
    one = scattered(1)
    one = replace(one, sizes=one.sizes - 1.5)  # so small that the projection is nearly linear there
    splat = projected(one, camera, SHAPE)
    random = torch.Generator().manual_seed(1)
    drawn = torch.randn(100_000, 3, generator=random, dtype=torch.float64)
    axes = rotations(one.turns)[0] * one.sizes[0].exp()
    places, _ = pixels_of((one.means + drawn @ axes.T).float(), camera, SHAPE)
    np.testing.assert_allclose(splat.middles[0], places.mean(dim=0), atol=0.02)
    (xx, xy), (_, yy) = np.cov(places.numpy().T)
    np.testing.assert_allclose(splat.spreads[0], (xx + 0.3, xy, yy + 0.3), rtol=0.02, atol=0.01)


def test_one_gaussian_is_a_gaussian_in_the_picture() -> None:
    picture = render(cloud((0.0, 0.0, 0.0)), FRONT, SHAPE)
    scale = focal_length(40.0, SHAPE[1]) / 2
    variance = (0.05 * scale) ** 2 + 0.3
    rows, columns = np.indices(SHAPE) + 0.5
    squares = (columns - SHAPE[1] / 2) ** 2 + (rows - SHAPE[0] / 2) ** 2
    expected = 0.8 * np.exp(-squares / 2 / variance)
    expected[expected < 1 / 255] = 0
    assert expected.max() > 0.7
    np.testing.assert_allclose(picture[..., 3], expected, atol=1e-5)
    np.testing.assert_allclose(picture[..., 0], picture[..., 3], atol=1e-6)
    assert not picture[..., 1:3].any()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_what_is_in_front_hides_what_is_behind(order: tuple[int, ...]) -> None:
    three = cloud((0.0, -0.2, 0.0), (0.0, 0.0, 0.0), (0.0, 0.3, 0.0), size=0.5, opacity=0.5)
    turned = Cloud(*(part[list(order)] for part in three.parts()))
    front, back = (render(turned, camera, SHAPE) for camera in (FRONT, orbit(180, 0, 2.0, 40.0)))
    middle = SHAPE[0] // 2, SHAPE[1] // 2
    np.testing.assert_allclose(front[middle], (0.5, 0.25, 0.125, 0.875), atol=2e-3)
    np.testing.assert_allclose(back[middle], (0.125, 0.25, 0.5, 0.875), atol=2e-3)


def test_gradients_are_those_of_finite_differences() -> None:
    start = scattered(12)
    random = torch.Generator().manual_seed(5)
    aim = torch.rand(*SHAPE, 4, generator=random, dtype=torch.float64)
    shifts = [torch.randn(part.shape, generator=random, dtype=torch.float64) for part in start.parts()]

    def loss(parts: list[Tensor]) -> Tensor:
        return (render(Cloud(*parts), FRONT, SHAPE) * aim).sum()

    changing = [part.clone().requires_grad_() for part in start.parts()]
    slopes = torch.autograd.grad(loss(changing), changing)
    step = 1e-6
    for number, (slope, shift) in enumerate(zip(slopes, shifts, strict=True)):
        ends = [list(start.parts()), list(start.parts())]
        ends[0][number], ends[1][number] = ends[0][number] + step * shift, ends[1][number] - step * shift
        expected = (loss(ends[0]) - loss(ends[1])) / (2 * step)
        assert float((slope * shift).sum()) == pytest.approx(float(expected), rel=1e-3), number


def test_what_is_behind_the_camera_or_beside_the_picture_shows_nothing() -> None:
    three = cloud((0.0, -3.0, 0.0), (5.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    parts = [part.requires_grad_() for part in three.parts()]
    picture = render(Cloud(*parts), FRONT, SHAPE)
    assert picture.shape == (*SHAPE, 4)
    assert not picture[..., :2].any()
    for slope in torch.autograd.grad(picture.square().sum(), parts):
        assert not slope[:2].any()
        assert slope.isfinite().all()


def test_half_a_pixel_beside_the_last_ones_moves_nothing() -> None:
    one = cloud((0.1, 0.0, 0.05))
    whole, half = render(one, FRONT, (20, 36)), render(one, FRONT, (20.5, 36.5))
    assert half.shape == (21, 37, 4)
    for picture, size in ((whole, (20, 36)), (half, (20.5, 36.5))):
        scale = focal_length(40.0, size[1]) / 2
        weights = picture[..., 3].numpy()
        place = [np.average(axis, weights=weights) + 0.5 for axis in np.indices(weights.shape)]
        np.testing.assert_allclose(place, (size[0] / 2 - 0.05 * scale, size[1] / 2 + 0.1 * scale), atol=0.02)
