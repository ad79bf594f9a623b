# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians that are fitted to views of a ball draw it better from where no view was, and a seed means one cloud."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.flow.products import Camera
from backend.texture.camera import orbit
from backend.volume.gaussians.cameras import between
from backend.volume.gaussians.cloud import Cloud, rotations
from backend.volume.gaussians.fitting import fitted, on_surface
from backend.volume.gaussians.splatting import render
from backend.volume.gaussians.views import half_as_large, views_between
from backend.volume.reconstruct import hull
from backend.volume.seen import Seen
from tests.backend.volume.balls import CAMERAS, RADIUS, SIDE, ball, seen_ball

CELLS = 12
SPACING = 2 * RADIUS / CELLS
SIZE = (SIDE / 2, SIDE / 2)


def ignore(_fraction: float) -> None:
    """A tick that nobody waits for."""


def hedgehog() -> Cloud:
    """Grey Gaussians on a ball that is a little too large."""
    steps = torch.arange(300) + 0.5
    z, angle = 1 - 2 * steps / len(steps), math.pi * (1 + math.sqrt(5)) * steps  # Fibonacci's sphere
    ring = (1 - z.square()).sqrt()
    normals = torch.stack([ring * angle.cos(), ring * angle.sin(), z], dim=1)
    return on_surface(1.05 * RADIUS * normals, normals, torch.full((300, 3), 0.5), SPACING)


def off(cloud: Cloud, camera: Camera) -> float:
    """The mean squared error of what a camera sees of the cloud, in dB below 1."""
    picture, _ = ball(camera, SIDE // 2)
    true = torch.from_numpy(picture.astype(np.float32) / 255)
    true[..., :3] *= true[..., 3:]
    return -10 * math.log10(float((render(cloud, camera, SIZE) - true).square().mean()))


def test_gaussians_on_a_surface_are_flat_along_its_normals() -> None:
    normals = torch.nn.functional.normalize(torch.tensor([[0, 0, 1.0], [0, 0, -1], [1, 2, -3], [-1, 0, 0]]), dim=1)
    flat = on_surface(normals, normals, torch.zeros(4, 3), 0.1)
    torch.testing.assert_close(rotations(flat.turns)[:, :, 2], normals)
    assert (flat.sizes[:, 2] < flat.sizes[:, 0]).all()


def test_a_view_that_was_held_back_is_drawn_better_after_the_fit_and_a_seed_means_one_cloud() -> None:
    views, start = half_as_large(seen_ball()), hedgehog()
    clouds = [fitted(start, SPACING, CAMERAS, views, SIZE, 40, seed, ignore) for seed in (1, 1, 2)]
    for camera in between(CAMERAS, 1)[:2]:
        assert off(clouds[0], camera) > off(start, camera) + 5
    for first, again in zip(clouds[0].parts(), clouds[1].parts(), strict=True):
        assert torch.equal(first, again)
    assert not torch.equal(clouds[0].means, clouds[2].means)


def test_a_view_that_shows_no_gaussian_changes_none() -> None:
    away = orbit(180, 0, 2.0, 40.0).matrix
    away[:3, 3] *= -1  # it looks away from the ball
    start = hedgehog()
    found = fitted(start, SPACING, (Camera(away, 40.0),), torch.zeros(1, 32, 32, 4), SIZE, 2, 0, ignore)
    for before, after in zip(start.parts(), found.parts(), strict=True):
        assert torch.equal(before, after)


@pytest.fixture(scope="module")
def seen() -> Seen:
    return seen_ball(normals=True)


def test_views_in_between_show_the_ball_and_its_normals(seen: Seen) -> None:
    field = hull(seen, CELLS)
    (found,) = views_between(seen, field, field, 1, 0, ignore)
    assert found.normals is not None
    assert len(found.cameras) == len(found.alpha) == 6
    assert found.shape == (SIDE // 2, SIDE // 2)
    for number, camera in enumerate(found.cameras):
        picture, own = ball(camera, SIDE // 2)
        alpha = torch.from_numpy(picture[..., 3].astype(np.float32) / 255)
        assert float((found.alpha[number] - alpha).abs().mean()) < 0.03
        inside = alpha > 0.99
        colours = torch.from_numpy(picture[..., :3].astype(np.float32) / 255)
        assert float((found.colours[number] - colours).abs()[inside].mean()) < 0.06
        true = torch.from_numpy(own @ camera.matrix[:3, :3].T.astype(np.float32))
        assert float((found.normals[number] * true).sum(dim=2)[inside].mean()) > 0.9


def test_without_neighbours_or_a_surface_or_of_thin_things_there_are_none(seen: Seen) -> None:
    field = hull(seen, CELLS)
    opposite = orbit(0, 0, 2.0, 40.0), orbit(180, 0, 2.0, 40.0)
    empty = replace(field, distances=field.distances.clamp_min(0.5))
    thin = replace(field, stout=torch.where(field.lattice.points()[:, 2] < -RADIUS / 2, 0.0, 1.0))
    for views, outermost, fitted_to in (
        (replace(seen, cameras=opposite), field, field),
        (seen, field, empty),
        (seen, thin, field),
    ):
        assert views_between(views, outermost, fitted_to, 1, 0, ignore) == []
