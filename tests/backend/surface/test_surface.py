# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces out of features at voxels, against the same on the whole dense grid, and against shapes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.surface.marching_cubes import marching_cubes
from backend.surface.surface import Surface, extract_surface, feature_channels, vertex_normals

CORNERS = torch.tensor([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)])

seeds = st.integers(0, 9999)


def on_the_dense_grid(coords: Tensor, features: Tensor, resolution: int) -> Surface:
    """The same with every array as large as the grid, corner by corner."""
    points = resolution + 1
    total = torch.zeros(points, points, points, 10, dtype=torch.float64)
    count = torch.zeros(points, points, points, 1)
    for place, row in zip(coords.long(), features.double(), strict=True):
        parts = [row[:8, None] - 1 / resolution, row[8:32].view(8, 3), row[53:].view(8, 6)]
        x, y, z = (place + CORNERS).unbind(1)
        total[x, y, z] += torch.cat(parts, dim=1)
        count[x, y, z] += 1
    mean = torch.where(count > 0, total / count.clamp_min(1), torch.eye(10, dtype=torch.float64)[0])
    places = torch.cartesian_prod(*[torch.arange(points)] * 3)
    positions = places / resolution - 0.5 + (1 - 1e-8) / (2 * resolution) * mean[..., 1:4].tanh().view(-1, 3)
    isosurface = marching_cubes(mean[..., 0].float())
    return Surface(
        isosurface.interpolate(positions[isosurface.points].float()),
        isosurface.triangles,
        isosurface.interpolate(mean[..., 4:].view(-1, 6)[isosurface.points].float()).sigmoid(),
    )


@settings(deadline=None, max_examples=60)
@given(resolution=st.integers(1, 7), share=st.floats(0, 1), seed=seeds)
def test_it_is_the_surface_on_the_dense_grid(resolution: int, share: float, seed: int) -> None:
    """In the same order, too: the lattice is a box of the grid's."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.cartesian_prod(*[torch.arange(resolution)] * 3).int()
    coords = places[torch.rand(len(places), generator=generator) <= share]
    coords = coords[torch.randperm(len(coords), generator=generator)]
    features = torch.randn(len(coords), feature_channels(colours=True), generator=generator)
    ours, theirs = extract_surface(coords, features, resolution), on_the_dense_grid(coords, features, resolution)
    assert torch.equal(ours.triangles, theirs.triangles)
    torch.testing.assert_close(ours.vertices, theirs.vertices, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.colours, theirs.colours, rtol=0, atol=1e-4)


def ball(resolution: int, radius: float, low: int = 0, whole: int | None = None) -> tuple[Tensor, Tensor]:
    """Voxels of a cube of `resolution` from `low` on, and the distances to a ball in its middle in their features."""
    places = torch.cartesian_prod(*[torch.arange(resolution)] * 3)
    distance = (places[:, None] + CORNERS - resolution / 2).norm(dim=-1) - radius
    features = torch.zeros(len(places), feature_channels(colours=False))
    features[:, :8] = distance + 1 / (whole or resolution)
    return (places + low).int(), features


def test_a_ball() -> None:
    coords, features = ball(24, 8.7)
    surface = extract_surface(coords, features, 24)
    assert surface.colours is None
    off = surface.vertices.norm(dim=1) * 24 - 8.7
    assert off.abs().max() < 0.03
    outward = (vertex_normals(surface.vertices, surface.triangles) * surface.vertices).sum(1)
    assert (outward / surface.vertices.norm(dim=1)).min() > 0.99


def test_voxels_far_from_the_origin_of_a_large_grid() -> None:
    """Nothing is as large as the grid, whose points int32 could not count."""
    whole = 2**20
    coords, features = ball(8, 3, low=whole - 20, whole=whole)
    surface = extract_surface(coords, features, whole)
    alone = extract_surface(*ball(8, 3), 8)
    assert torch.equal(surface.triangles, alone.triangles)
    assert bool((surface.vertices <= 0.5).all())


def test_the_surface_ends_open_at_the_grids_border_and_closes_at_missing_voxels() -> None:
    def borders(coords: Tensor, resolution: int) -> int:
        features = torch.full((len(coords), feature_channels(colours=False)), -1.0)
        triangles = extract_surface(coords, features, resolution).triangles
        steps = {(t[i], t[(i + 1) % 3]) for t in triangles.tolist() for i in range(3)}
        return sum((end, start) not in steps for start, end in steps)

    middle = torch.tensor([[2, 2, 2]], dtype=torch.int32)
    assert borders(middle, 5) == 0
    assert borders(torch.tensor([[2, 2, 0]], dtype=torch.int32), 5) > 0
    assert borders(middle - 2, 1) == 0
    assert len(extract_surface(middle - 2, torch.full((1, 53), -1.0), 1).triangles) == 0


@pytest.mark.parametrize("colours", [False, True])
def test_no_voxels_no_surface(colours: bool) -> None:  # noqa: FBT001  a case
    features = torch.zeros(0, feature_channels(colours=colours))
    surface = extract_surface(torch.zeros(0, 3, dtype=torch.int32), features, 256)
    assert surface.vertices.shape == (0, 3)
    assert surface.triangles.shape == (0, 3)
    assert (surface.colours is not None) == colours
    assert vertex_normals(surface.vertices, surface.triangles).shape == (0, 3)


def test_displaced_corners_stay_within_half_a_voxel() -> None:
    coords, features = ball(10, 3)
    plain = extract_surface(coords, features, 10)
    features[:, 8:32] = torch.randn(len(coords), 24, generator=torch.Generator().manual_seed(0)) * 100
    displaced = extract_surface(coords, features, 10)
    assert torch.equal(displaced.triangles, plain.triangles)
    assert 0.02 < (displaced.vertices - plain.vertices).abs().max() <= 0.05 + 1e-6
