# SPDX-License-Identifier: GPL-3.0-or-later
"""The normals of what a decoder makes are rendered with right gradients, and learning lowers their error."""

from collections.abc import Sequence

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch
from torch import Tensor

from backend.surface.surface import CORNERS, extract_surface
from backend.training.norld.flow_matching import Draws, match
from backend.training.norld.mesh_losses import Rendering, render_truth
from backend.training.norld.normal_regularisation import (
    FrozenDecoder,
    Strength,
    Target,
    compare,
    normal_loss,
    weight_at,
)
from backend.training.norld.seen_surface import decoded_topology, look_at, moving_vertices, seen_normals
from backend.training.norld.views import Camera, camera_at
from tests.backend.training.norld.tiny import block, decoder, flow, shell, voxels_of

SIZE = 40
CAMERAS = tuple(camera_at(*at).to(dtype=torch.float64) for at in ((0.6, 0.4), (-2.0, -0.3)))


def targets_of(frozen: FrozenDecoder, latents: Tensor, cameras: Sequence[Camera] = CAMERAS) -> list[Target]:
    """What views show of the surface that latents decode to."""
    with torch.no_grad():
        features, fine = frozen.features(latents, voxels_of(block()))
        surface = extract_surface(fine.coords[:, 1:], features, frozen.resolution)
    return [Target(camera, render_truth(surface.vertices, surface.triangles, camera, SIZE)) for camera in cameras]


def of(seed: int) -> Tensor:
    return torch.randn(len(block()), 3, generator=torch.Generator().manual_seed(seed)).double()


def test_gradients_to_the_latents_are_central_differences() -> None:
    frozen, latents, voxels = decoder(), of(3), voxels_of(block())
    target = targets_of(frozen, of(4))[0]

    def loss(latents: Tensor) -> Tensor:
        features, fine = frozen.features(latents, voxels)
        topology = decoded_topology(fine.coords[:, 1:], features, frozen.resolution)
        assert topology is not None
        compared = compare(look, seen_normals(topology, features, look), target, 1.0)
        assert compared is not None
        return compared

    features, fine = frozen.features(latents, voxels)
    topology = decoded_topology(fine.coords[:, 1:], features, frozen.resolution)
    assert topology is not None
    look = look_at(topology, features, target.camera, SIZE)
    latents.requires_grad_()
    loss(latents).backward()
    assert latents.grad is not None
    with torch.no_grad():
        for seed in (5, 6, 7):
            along, step = of(seed), 1e-5
            found = (loss(latents + step * along) - loss(latents - step * along)) / (2 * step)
            assert (latents.grad * along).sum().item() == pytest.approx(found.item(), rel=1e-4)


def bumpy(coords: Tensor, resolution: int, bumps: Tensor) -> Tensor:
    """Features whose surface is a sphere with `bumps` (4,) on it."""
    places = (coords[:, None] + torch.tensor(CORNERS)).double() / resolution - 0.5
    waves = torch.stack([(9 * places[..., 0]).sin(), (7 * places[..., 1] + 1).cos()], dim=-1)
    waves = torch.cat([waves, waves * (8 * places[..., 2:]).sin()], dim=-1)
    distances = places.norm(dim=2) - 0.3 - 0.03 * (waves * bumps).sum(2)
    features = torch.zeros(len(coords), 53, dtype=torch.float64)
    features[:, 8:32] = 0.2 * (11 * places).sin().flatten(1)
    return torch.cat([distances + 1 / resolution, features[:, 8:]], dim=1)


def test_the_moving_vertices_are_the_products() -> None:
    coords = shell(20, 0.3)
    features = bumpy(coords, 20, torch.full((4,), 0.5).double())
    surface, topology = extract_surface(coords, features, 20), decoded_topology(coords, features, 20)
    assert topology is not None
    moving = moving_vertices(topology, features, torch.arange(len(surface.vertices)), surface.vertices)
    torch.testing.assert_close(moving, surface.vertices, rtol=0, atol=1e-7)


def test_the_gradient_without_visibility_is_nearly_that_of_the_whole() -> None:
    """Extracted and rasterised anew on both sides of each difference."""
    coords = torch.cartesian_prod(*[torch.arange(32)] * 3).int()
    true = extract_surface(coords, bumpy(coords, 32, torch.zeros(4).double()), 32)
    camera = CAMERAS[0]
    target = Target(camera, render_truth(true.vertices.double(), true.triangles, camera, 2 * SIZE))

    def loss(bumps: Tensor) -> Tensor:
        features = bumpy(coords, 32, bumps)
        topology = decoded_topology(coords, features, 32)
        assert topology is not None
        look = look_at(topology, features, camera, 2 * SIZE)
        compared = compare(look, seen_normals(topology, features, look), target, 0.2)
        assert compared is not None
        return compared

    analytic, differences = [], []
    for seed in range(4):
        bumps = torch.randn(4, generator=torch.Generator().manual_seed(seed)).double().requires_grad_()
        loss(bumps).backward()
        assert bumps.grad is not None
        analytic += bumps.grad.tolist()
        with torch.no_grad():
            axes = torch.eye(4).double()
            differences += [(loss(bumps + 0.05 * axis) - loss(bumps - 0.05 * axis)).item() / 0.1 for axis in axes]
    both = torch.tensor([analytic, differences])
    assert both.corrcoef()[0, 1] > 0.95
    slope = (both[0] * both[1]).sum() / both[1].square().sum()
    assert 0.85 < slope < 1.15


def test_only_pixels_of_the_same_part_count() -> None:
    frozen = decoder()
    latents, voxels = of(3), voxels_of(block())
    [first, _] = targets_of(frozen, latents)
    same = normal_loss(frozen, latents, voxels, [first])
    assert same is not None
    assert same < 0.12  # the true normals are the triangles' own, the rendered ones are interpolated
    truth = first.truth
    away = Target(first.camera, Rendering(truth.mask, truth.depth + 5, truth.normal))
    assert normal_loss(frozen, latents, voxels, [away]) is None
    both = normal_loss(frozen, latents, voxels, [first, away])
    assert both is not None
    assert torch.equal(both, same)


def test_steep_gradients_of_distances_are_limited() -> None:
    frozen = decoder(steepest=10.0)
    latents = of(3).requires_grad_()
    features, _ = frozen.features(latents, voxels_of(block()))
    scale = torch.ones_like(features)
    scale[0, :2] = torch.tensor([1000.0, -1000.0])
    scale[1, 8] = 1000
    features.retain_grad()
    tamed = frozen._tamed(scale)  # pyright: ignore[reportPrivateUsage]
    assert tamed[0, :2].tolist() == [10.0, -10.0]
    assert tamed[1, 8] == 1000


def test_the_weight_falls_to_zero() -> None:
    assert [weight_at(t, 0.5) for t in (0.0, 0.25, 0.5, 0.9)] == [1.0, 0.25, 0.0, 0.0]


def test_the_strength_is_a_share_of_the_flows_gradient_and_then_stays() -> None:
    weights = torch.ones(3, requires_grad=True)
    strength = Strength(0.1, 3)
    for scale in (1.0, 100.0, 3.0, 1000.0):
        found = strength.factor((scale * weights).sum(), (2 * weights).sum(), weights)
    assert found == pytest.approx(0.1 * 1.5), "that of most looks, whatever a single one says; the fourth is too late"
    strength.agree(list)
    assert strength.factor(weights.sum(), weights.sum(), weights) == found
    again = Strength(0.1, 3)
    again.recall(strength.remembered())
    assert again.factor(weights.sum(), weights.sum(), weights) == found


@pytest.mark.slow
def test_fifty_steps_lower_the_rendered_error() -> None:
    frozen, network, voxels = decoder(dtype=torch.float32), flow(), voxels_of(block())
    frozen.network.recomputed = 0  # there is memory enough
    data = of(4).float()
    targets = targets_of(frozen, data, [camera.to(dtype=torch.float32) for camera in CAMERAS])
    draws = Draws(of(9).float(), torch.tensor([0.3]), torch.tensor([False]))
    tokens = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(8))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    errors: list[float] = []
    for _ in range(50):
        found = match(network, data, tokens, draws, voxels)
        error = normal_loss(frozen, found.data, voxels, targets)
        assert error is not None
        errors.append(error.item())
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    floor = normal_loss(frozen, data, voxels, targets)
    assert floor is not None
    assert errors[-1] - floor < 0.5 * (errors[0] - floor)
