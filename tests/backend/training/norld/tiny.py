# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects and networks that are as small as can be, for the tests of the published networks' training."""

import math

import torch
from torch import Tensor

from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig, Normalization
from backend.nn.sparse import Voxels
from backend.training.norld.normal_regularisation import FrozenDecoder

RESOLUTION = 4  # of the structure


def block() -> Tensor:
    """Two voxels in the middle: int32 (2, 3)."""
    return torch.tensor([[1, 1, 1], [1, 1, 2]], dtype=torch.int32)


def shell(resolution: int, radius: float) -> Tensor:
    """The voxels that a sphere's surface passes through: int32 (N, 3)."""
    every = torch.cartesian_prod(*[torch.arange(resolution)] * 3)
    corners = torch.cartesian_prod(*[torch.arange(2)] * 3)
    distance = ((every[:, None] + corners) / resolution - 0.5).norm(dim=2) - radius
    return every[(distance.amin(1) <= 0) & (distance.amax(1) >= 0)].int()


def voxels_of(coords: Tensor, items: int = 1) -> Voxels:
    """The same voxels for several objects."""
    return Voxels(torch.cat([torch.nn.functional.pad(coords, (1, 0), value=i) for i in range(items)]), items)


def flow(seed: int = 1) -> LatentFlow:
    torch.manual_seed(seed)
    config = LatentFlowConfig(RESOLUTION, 3, 3, 24, 8, 1, 2, mlp_ratio=2, io_block_channels=[12], qk_rms_norm=True)
    return LatentFlow(config)


def decoder(steepest: float = math.inf, dtype: torch.dtype = torch.float64) -> FrozenDecoder:
    """A random decoder: its surface is the structure's border, with corners displaced as the latents say."""
    torch.manual_seed(2)
    network = LatentDecoder(LatentDecoderConfig(RESOLUTION, 256, 3, 1, 2, mlp_ratio=0.25, window_size=2))
    torch.nn.init.normal_(network.out_layer.weight[8:32], std=0.4)
    torch.nn.init.normal_(network.out_layer.weight[:8], std=1e-4)
    network.to(dtype).compute_in(dtype)
    return FrozenDecoder(network, Normalization((0.1, -0.2, 0.0), (1.5, 0.8, 1.0)), steepest)
