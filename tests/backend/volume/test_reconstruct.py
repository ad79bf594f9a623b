# SPDX-License-Identifier: GPL-3.0-or-later
"""A ball and a thing of boxes out of six views, by a small grid: nearer to the truth than the visual hull."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.errors import UserError
from backend.flow.products import Mesh
from backend.mesh.check import is_closed, signed_volume
from backend.texture.camera import orbit
from backend.volume.field import Field
from backend.volume.hull import hull_box, hull_distances
from backend.volume.reconstruct import hull, levels, mesh_of, rays_at_once, reconstruct
from backend.volume.seen import Seen, seen
from tests.backend.texture.photographs import box, joined, photographed
from tests.backend.volume.balls import RADIUS, seen_ball

CELLS = 24
STEPS = 30


@pytest.fixture(scope="module")
def ball() -> Seen:
    return seen_ball()


def ignore(_step: int, _of: int) -> None:
    """A report that nobody reads."""


def off_ball(mesh: Mesh) -> float:
    """The mean distance of the vertices from the ball, in its radius."""
    return float(np.abs(np.linalg.norm(mesh.vertices, axis=1) / RADIUS - 1).mean())


def test_a_ball_comes_out_round_and_in_its_colours(ball: Seen) -> None:
    field, outermost = reconstruct(ball, CELLS, STEPS, 0, ignore), hull(ball, CELLS)
    assert (field.distances >= outermost.distances).all(), "it lies in the hull"
    fitted, carved = mesh_of(field), mesh_of(outermost)
    assert is_closed(fitted.triangles)
    assert off_ball(fitted) < off_ball(carved) < 0.02
    true = 4 / 3 * np.pi * RADIUS**3
    assert signed_volume(fitted.vertices, fitted.triangles) == pytest.approx(true, rel=0.025)
    assert signed_volume(carved.vertices, carved.triangles) > 1.03 * true
    assert fitted.colours is not None
    directions = fitted.vertices / np.linalg.norm(fitted.vertices, axis=1, keepdims=True)
    seen_well = np.abs(directions[:, 2]) < 0.7
    assert np.abs(fitted.colours - (directions + 1) / 2)[seen_well].mean() < 0.06


def test_a_seed_means_one_mesh(ball: Seen) -> None:
    first, again, other = (mesh_of(reconstruct(ball, 16, 5, seed, ignore)).vertices for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_the_mesh_of_a_front_and_a_back_view_is_closed() -> None:
    both = seen_ball(cameras=(orbit(0, 0, 2.0, 40.0), orbit(180, 0, 2.0, 40.0)))
    mesh = mesh_of(hull(both, CELLS))
    assert is_closed(mesh.triangles)
    assert np.abs(mesh.vertices).max() < 1.2


@pytest.mark.slow
def test_views_in_between_count_if_neighbours_are_far_apart() -> None:
    parts: list[float] = []
    cells = 28  # a coarse grid of 14, and a fine one
    near = tuple(orbit(22.5 * number, 0, 2.0, 40.0) for number in range(16))
    for views, alike in ((seen_ball(), False), (seen_ball(cameras=near), True)):
        parts.clear()
        drawn = reconstruct(views, cells, 5, 0, lambda step, of: parts.append(step / of), between=1)
        assert parts == sorted(parts)
        assert off_ball(mesh_of(drawn)) < 0.02
        assert torch.equal(drawn.distances, reconstruct(views, cells, 5, 0, ignore).distances) == alike


@pytest.mark.slow
def test_colours_carve_what_outlines_leave_and_normals_carve_more() -> None:
    mesh = joined([box((-0.5, -0.3, -0.2), (0.5, 0.3, 0.2))])
    cameras = [orbit(*angle, 3.0, 30.0) for angle in ((20, 25), (110, -25), (200, 25), (290, -25))]
    pictures, maps = zip(*(photographed(mesh, camera, (64, 64)) for camera in cameras), strict=True)
    rgba = np.stack(pictures).astype(np.float32) / 255
    normals = np.stack([one.normals for one in maps])
    off: list[float] = []
    for given in (normals, None):
        views = seen(rgba[..., :3], rgba[..., 3], tuple(cameras), given, torch.device("cpu"))
        off.append(_volume(reconstruct(views, 16, STEPS, 0, ignore)) / (1.0 * 0.6 * 0.4) - 1)
    carved = _volume(hull(views, 16)) / (1.0 * 0.6 * 0.4) - 1
    assert 0 < off[0] < off[1] < carved


def _volume(field: Field) -> float:
    mesh = mesh_of(field)
    return signed_volume(mesh.vertices, mesh.triangles)


def test_the_hull_is_what_all_views_show(ball: Seen) -> None:
    found = hull_box(ball)
    assert found is not None
    assert (found[0] < -RADIUS).all()
    assert (found[1] > RADIUS).all()
    assert (found[1] - found[0] < 2.7 * RADIUS).all()
    points = torch.tensor([[0.0, 0.0, 0.0], [0.0, -0.2, 0.1], [0.6, 0.0, 0.0], [0.0, 0.0, -5.0]])
    distances = hull_distances(points, ball)
    torch.testing.assert_close(
        distances[:2], torch.tensor([-RADIUS, np.sqrt(0.05) - RADIUS]).float(), atol=0.02, rtol=0
    )
    assert (distances[2:] > 0).all()


def test_views_without_a_common_place_are_refused(ball: Seen) -> None:
    apart = replace(ball, distances=ball.distances.clone())
    apart.distances[2] = 50.0
    with pytest.raises(UserError, match="No place in space"):
        reconstruct(apart, CELLS, STEPS, 0, ignore)


def test_a_report_ends_the_work(ball: Seen) -> None:
    parts: list[float] = []

    def cancelling(step: int, of: int) -> None:
        parts.append(step / of)
        if step / of > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconstruct(ball, CELLS, STEPS, 0, cancelling)
    assert parts == sorted(parts)
    assert parts[-1] < 1


def test_coarse_lattices_come_before_fine_ones() -> None:
    assert levels(24) == [24]
    assert levels(96) == [24, 48, 96]
    assert levels(64) == [16, 32, 64]


def test_steps_are_as_large_as_the_memory_has_room_for() -> None:
    assert rays_at_once(96, 10**6, 64 << 30) == 2048
    assert rays_at_once(96, 10**6, 350 << 20) < 2048
    with pytest.raises(UserError, match="256 cells"):
        rays_at_once(256, 10**6, 1 << 30)
