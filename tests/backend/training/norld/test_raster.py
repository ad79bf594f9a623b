# SPDX-License-Identifier: GPL-3.0-or-later
"""The rasteriser shows what rays through the pixels' centres hit first."""

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.training.norld.raster import barycentric, interpolated, rasterise
from backend.training.norld.views import Camera, camera_at

SIZE = 24


def shot(vertices: torch.Tensor, triangles: torch.Tensor, camera: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    """The depth of the first hit of each pixel's ray, and the triangle, by solving for all triangles (0: none)."""
    corners = camera.seen(vertices)[triangles]
    eye = Camera(torch.eye(4, dtype=vertices.dtype), camera.intrinsics)
    rays = eye.rays(SIZE).flatten(0, 1)  # of depth 1
    a, b, c = corners.unbind(1)
    normal = torch.linalg.cross(b - a, c - a)
    depth = (a * normal).sum(1) / (rays @ normal.T)
    points = depth[..., None] * rays[:, None]
    inside = torch.ones_like(depth, dtype=torch.bool)
    for start, stop in ((a, b), (b, c), (c, a)):
        inside &= (torch.linalg.cross((stop - start).expand_as(points), points - start) * normal).sum(2) > 0
    depth = torch.where(inside & (depth > 0), depth, torch.inf)
    first = depth.min(1)
    return first.values, first.indices


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(40, 10_000))
def test_it_finds_the_first_hit_of_every_ray(seed: int, candidates: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vertices = torch.rand(30, 3, generator=generator, dtype=torch.float64) - 0.5
    triangles = torch.randint(0, 30, (14, 3), generator=generator)
    yaw, pitch = (torch.rand(2, generator=generator) * 3 - 1.5).tolist()
    camera = camera_at(yaw, pitch, 1.4, 0.9).to(dtype=torch.float64)
    hits = rasterise(vertices, triangles, camera, SIZE, candidates)
    weights = barycentric(vertices, triangles, camera, hits)
    depths = interpolated(camera.seen(vertices)[:, 2:], triangles, weights, hits)[:, 0]
    picture = hits.picture(depths[:, None], elsewhere=torch.inf)[0].flatten()
    true, which = shot(vertices, triangles, camera)
    torch.testing.assert_close(picture, true)
    of_corners = triangles.sort(dim=1).values  # two triangles may have the same
    assert torch.equal(of_corners[hits.triangles], of_corners[which[hits.pixels]])
    points = interpolated(vertices, triangles, weights, hits)
    place = camera.projected(camera.seen(points)) * SIZE - 0.5
    torch.testing.assert_close(place, torch.stack([hits.pixels % SIZE, hits.pixels // SIZE], dim=1).double())


def test_nothing_is_hit_of_nothing_and_behind_the_camera() -> None:
    camera = camera_at(0.0, 0.0)
    behind = torch.tensor([[3.0, 0, 0], [3, 1, 0], [3, 0, 1]])
    for triangles in (torch.zeros(0, 3).int(), torch.tensor([[0, 1, 2]])):
        assert len(rasterise(behind, triangles, camera, SIZE).pixels) == 0


def test_neighbours_leave_no_gap() -> None:
    grid = torch.cartesian_prod(torch.linspace(-0.6, 0.6, 9), torch.linspace(-0.6, 0.6, 9))
    grid = torch.cat([torch.zeros(81, 1), grid], dim=1)
    first = torch.cartesian_prod(torch.arange(8), torch.arange(8)) @ torch.tensor([9, 1])
    triangles = torch.cat([first[:, None] + torch.tensor([0, 9, 10]), first[:, None] + torch.tensor([0, 10, 1])])
    camera = camera_at(0.0, 0.0, distance=1.2)
    assert len(rasterise(grid, triangles, camera, 64).pixels) == 64 * 64
