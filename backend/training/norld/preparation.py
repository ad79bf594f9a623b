# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what `objects` reads from a mesh: structure, views and their tokens, without any other renderer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...models.image_tokens import SIDE
from ...models.imagenet import DEVIATION, MEAN
from ...models.latent_encoder import LatentEncoder
from ...models.structure_encoder import StructureEncoder, StructureEncoderConfig
from ...nn.checkpoint import load_network
from ...nn.sparse import Voxels
from .conditions import condition_cameras, normal_picture
from .voxelise import normalised, occupancy, touched_voxels

Tokens = Callable[[Tensor], Tensor]
"""From pixels (1, 3, H, W), ImageNet's mean 0 and deviation 1, to tokens (1, T, C): `models.image_tokens`, bound."""


def load_encoder(stem: Path) -> StructureEncoder:
    """The published encoder STEM.json and STEM.safetensors, in float32. Raises UserError as `load_network` does."""
    encoder = load_network(stem, "SparseStructureEncoder", _encoder)
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
    the encoder's distribution, as published. Latents need features of textured pictures, see `features` and
    `encoded_latents`. The published data have 24 views.
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
def encoded_latents(encoder: LatentEncoder, features: Tensor, coords: Tensor) -> Tensor:
    """The latents float32 (N, C) of one object: the mean of the encoder's distribution.

    features: float32 (N, channels), of `features.gathered_from_views`, at the voxels `coords` (N, 3).
    """
    voxels = Voxels(torch.nn.functional.pad(coords.int(), (1, 0)), 1)
    return encoder(features, voxels).mean.contiguous()


def _encoder(**sizes: Any) -> StructureEncoder:  # noqa: ANN401  a description's
    return StructureEncoder(StructureEncoderConfig(**sizes))
