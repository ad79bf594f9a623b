# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what `objects` reads from a mesh: structure, views and their tokens, without any other renderer."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...models.image_tokens import SIDE
from ...models.imagenet import DEVIATION, MEAN
from ...models.latent_encoder import LatentEncoder, LatentEncoderConfig
from ...models.structure_encoder import StructureEncoder, StructureEncoderConfig
from ...nn.checkpoint import load_network
from ...nn.sparse import Voxels
from .appearance import Painted, appearance
from .conditions import condition_cameras, normal_picture
from .features import gathered_from_views
from .views import Camera, camera_at, on_sphere
from .voxelise import normalised, occupancy, touched_voxels

Tokens = Callable[[Tensor], Tensor]
"""From pixels (1, 3, H, W), ImageNet's mean 0 and deviation 1, to tokens (1, T, C): `models.image_tokens`, bound."""

_TOGETHER = 8  # views that go through the tokens' network at once


def load_encoder(stem: Path) -> StructureEncoder:
    """The published encoder STEM.json and STEM.safetensors, in float32. Raises UserError as `load_network` does."""
    encoder = load_network(stem, "SparseStructureEncoder", _encoder)
    encoder.float().compute_in(torch.float32)
    return encoder


def load_latent_encoder(stem: Path) -> LatentEncoder:
    """The published encoder of structured latents, in the same way."""
    encoder = load_network(stem, "SLatEncoder", _latent_encoder)
    encoder.float().compute_in(torch.float32)
    return encoder


@torch.no_grad()
def prepared(
    vertices: Tensor,
    triangles: Tensor,
    encoder: StructureEncoder,
    tokens: Tokens,
    random: np.random.Generator,
    views: int,
    *,
    resolution: int = 64,
    side: int = SIDE,
) -> dict[str, Tensor]:
    """The tensors of an object for the structures' flow model, and all that the normals need.

    vertices: float32 (V, 3), z up, anywhere, not all at one place; triangles int (T, 3). The structure is the mean of
    the encoder's distribution, as published. Latents need pictures of what the mesh looks like, see `seen_latents`. The
    published data have 24 views.
    """
    places = normalised(vertices)
    voxels = touched_voxels(places, triangles, resolution)
    cameras = condition_cameras(views, random)
    mean, deviation = (places.new_tensor(colour)[:, None, None] for colour in (MEAN, DEVIATION))
    pictures = [normal_picture(places, triangles, camera.to(places.device), side) for camera in cameras]
    return {
        "structure": encoder(occupancy(voxels, resolution)).mean[0].contiguous(),
        "coords": voxels.to(torch.uint8),
        "tokens": torch.cat([tokens(((picture - mean) / deviation)[None]) for picture in pictures]).half(),
        "extrinsics": torch.stack([camera.extrinsics for camera in cameras]),
        "intrinsics": torch.stack([camera.intrinsics for camera in cameras]),
        "vertices": places,
        "triangles": triangles.int(),
    }


@torch.no_grad()
def seen_latents(
    mesh: Painted,
    coords: Tensor,
    encoder: LatentEncoder,
    patches: Tokens,
    cameras: Sequence[Camera],
    *,
    resolution: int = 64,
    side: int = SIDE,
) -> Tensor:
    """The latents float32 (N, C) of an object at its voxels `coords` int (N, 3), from what the cameras see of it.

    patches: from pixels (B, 3, H, W) to a grid of tokens (B, C, rows, columns): `models.patch_tokens`, bound. The
    features are rounded to half precision, as the published ones were kept. The published data have 150 views.
    """
    positions = (coords.to(mesh.vertices.device).float() + 0.5) / resolution - 0.5
    mean, deviation = (positions.new_tensor(colour)[:, None, None] for colour in (MEAN, DEVIATION))

    def views() -> Iterator[tuple[Camera, Tensor]]:
        for first in range(0, len(cameras), _TOGETHER):
            some = [camera.to(positions.device) for camera in cameras[first : first + _TOGETHER]]
            pictures = torch.stack([appearance(mesh, camera, side) for camera in some])
            yield from zip(some, patches((pictures - mean) / deviation), strict=True)

    return encoded_latents(encoder, gathered_from_views(positions, views()).half().float(), coords.to(positions.device))


def feature_cameras(count: int, random: np.random.Generator) -> list[Camera]:
    """Cameras all around, as the published features were rendered from: 40 degrees wide, at a distance of 2."""
    return [camera_at(yaw, pitch) for yaw, pitch in on_sphere(count, tuple(random.random(2))).tolist()]


@torch.no_grad()
def encoded_latents(encoder: LatentEncoder, features: Tensor, coords: Tensor) -> Tensor:
    """The latents float32 (N, C) of one object: the mean of the encoder's distribution.

    features: float32 (N, channels), of `features.gathered_from_views`, at the voxels `coords` (N, 3).
    """
    voxels = Voxels(torch.nn.functional.pad(coords.int(), (1, 0)), 1)
    return encoder(features, voxels).mean.contiguous()


def _encoder(**sizes: Any) -> StructureEncoder:  # noqa: ANN401  a description's
    return StructureEncoder(StructureEncoderConfig(**sizes))


def _latent_encoder(**sizes: Any) -> LatentEncoder:  # noqa: ANN401
    return LatentEncoder(LatentEncoderConfig(**sizes))
