# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells of voxels around known shapes, as the decoder gives them: exact distances at the corners of some voxels.

Not a test: the tests of surfaces make their input with it. A shape is a function from places (..., 3) in the unit cube
around the origin to distances, negative inside.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from backend.surface.surface import feature_channels

Shape = Callable[[Tensor], Tensor]

CORNERS = torch.tensor([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)])
BLOCK = 4  # fine voxels along a voxel of the structure


def ball(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Shape:
    """A ball."""

    def distance(p: Tensor) -> Tensor:
        return torch.linalg.vector_norm(p - torch.tensor(centre), dim=-1) - radius

    return distance


def box(x: float, y: float, z: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Shape:
    """A box by half its sides."""

    def distance(p: Tensor) -> Tensor:
        q = (p - torch.tensor(centre)).abs() - torch.tensor([x, y, z])
        return q.clamp_min(0).norm(dim=-1) + q.amax(-1).clamp_max(0)

    return distance


def torus(ring: float, tube: float) -> Shape:
    """A torus that lies flat."""

    def distance(p: Tensor) -> Tensor:
        across = torch.stack([torch.hypot(p[..., 0], p[..., 1]) - ring, p[..., 2]], dim=-1)
        return torch.linalg.vector_norm(across, dim=-1) - tube

    return distance


def union(*shapes: Shape) -> Shape:
    """All of some shapes."""
    return lambda p: torch.stack([shape(p) for shape in shapes]).amin(0)


def without(whole: Shape, part: Shape) -> Shape:
    """What is left of a shape."""
    return lambda p: torch.maximum(whole(p), -part(p))


def shell(shape: Shape, resolution: int, thickness: float = 0.0) -> tuple[Tensor, Tensor]:
    """Voxels around the surface of a shape, and their features: coords int32 (N, 3), features float32 (N, 53).

    As the decoder does, it takes whole blocks of voxels: those that the surface passes through, or passes by at no more
    than `thickness`, which is in voxels.
    """
    points = torch.cartesian_prod(*[torch.arange(resolution // BLOCK)] * 3)
    centres = (points + 0.5) * BLOCK / resolution - 0.5
    reach = (BLOCK * 3**0.5 / 2 + thickness) / resolution
    blocks = points[shape(centres).abs() <= reach]
    inner = torch.cartesian_prod(*[torch.arange(BLOCK)] * 3)
    coords = (blocks[:, None] * BLOCK + inner).view(-1, 3)
    return coords.int(), features_at(shape, coords, resolution)


def features_at(shape: Shape, coords: Tensor, resolution: int) -> Tensor:
    """The features float32 (N, 53) that give voxels `coords` (N, 3) the distances to a shape."""
    features = torch.zeros(len(coords), feature_channels(colours=False))
    for rows in torch.arange(len(coords)).split(1 << 18):
        places = (coords[rows, None] + CORNERS) / resolution - 0.5
        features[rows, :8] = shape(places) + 1 / resolution
    return features
