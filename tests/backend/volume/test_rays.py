# SPDX-License-Identifier: GPL-3.0-or-later
"""Rays go through what their pixels show, and through boxes where geometry says."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.flow.products import Camera
from backend.texture.camera import orbit, pixels
from backend.volume.rays import Rays, rays_of, through_box
from backend.volume.seen import pixels_of

angles = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
parts = st.tuples(*3 * [st.floats(-1, 1)])


def camera_at(angle: tuple[float, float], fov: float) -> Camera:
    return Camera(orbit(*angle, 2.5, 40.0).matrix, fov, 1.5)


@given(angles, st.sampled_from([0.0, 30.0, 49.0]), st.floats(0.5, 4))
def test_a_pixels_ray_passes_the_points_that_are_seen_at_its_middle(
    angle: tuple[float, float], fov: float, distance: float
) -> None:
    camera, shape = camera_at(angle, fov), (6, 8)
    rays = rays_of(camera, shape)
    points = (rays.origins + rays.directions * distance).numpy().astype(np.float64)
    found = pixels(points, camera, shape)[:, :2]
    rows, columns = np.divmod(np.arange(48), 8)
    np.testing.assert_allclose(found, np.stack([columns + 0.5, rows + 0.5], axis=1), atol=1e-3)
    np.testing.assert_allclose(pixels_of(torch.from_numpy(points).float(), camera, shape)[0], found, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(rays.directions, axis=1), 1, atol=1e-6)


@given(parts, parts, parts, st.floats(0, 1))
def test_a_ray_is_in_the_box_between_its_entry_and_its_exit_alone(
    origin: tuple[float, ...], towards: tuple[float, ...], half: tuple[float, ...], share: float
) -> None:
    way = np.array(towards) + np.array([0, 0, 1.5])
    rays = Rays(
        torch.tensor([origin], dtype=torch.float32) * 3, torch.from_numpy(way / np.linalg.norm(way)).float()[None]
    )
    high = torch.tensor(half).abs().float() + 0.1
    entry, leave = (float(part) for part in through_box(rays, -high, high))

    def beyond(distance: float) -> float:
        """By how much the place lies outside."""
        return float(((rays.origins + rays.directions * distance).abs() - high).max())

    if leave >= entry:
        assert beyond(entry + (leave - entry) * share) < 1e-4
        assert beyond(leave + 0.1) > 0
        assert entry == 0 or beyond(entry - 0.01) > -1e-4
    else:
        assert all(beyond(distance) > -1e-4 for distance in np.linspace(0, 8, 33))


def test_nothing_behind_the_camera_is_met() -> None:
    rays = Rays(torch.tensor([[0.0, 0.0, 3.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
    entry, leave = through_box(rays, -torch.ones(3), torch.ones(3))
    assert leave < entry
