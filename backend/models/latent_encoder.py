# SPDX-License-Identifier: GPL-3.0-or-later
"""From what pictures show at each voxel to structured latents: the encoder that belongs to `latent_decoder`.

The decoder's transformer over shifted windows, with image features of many views for its input (TRELLIS; Xiang et al.
2025, section 3.2). Only training needs it: it makes the latents that the latents' flow model learns from.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..nn.initial_weights import set_linear, set_zero
from ..nn.layers import cast_but_norms, layer_norm32, require_absolute_positions, widened
from ..nn.posterior import Posterior, posterior
from ..nn.sparse import Voxels
from .latent_decoder import WindowTransformer

_EPS = 1e-5


@dataclass(frozen=True)
class LatentEncoderConfig:
    """The network's sizes, by their names in the checkpoint's description."""

    resolution: int  # voxels along an axis of the structure; the network itself works at any
    in_channels: int
    model_channels: int
    latent_channels: int
    num_blocks: int
    num_heads: int
    mlp_ratio: float = 4
    attn_mode: str = "swin"
    window_size: int = 8
    pe_mode: str = "ape"
    qk_rms_norm: bool = False
    use_fp16: bool = False

    def __post_init__(self) -> None:
        require_absolute_positions(self.pe_mode)
        if self.attn_mode != "swin":
            raise ValueError(f"attn_mode is {self.attn_mode!r}: only 'swin' (shifted windows) is known")


class LatentEncoder(WindowTransformer):
    """The distribution of the latents at each voxel."""

    def __init__(self, config: LatentEncoderConfig) -> None:
        super().__init__(
            config.in_channels,
            config.model_channels,
            blocks=config.num_blocks,
            heads=config.num_heads,
            mlp_ratio=config.mlp_ratio,
            window_size=config.window_size,
            qk_rms_norm=config.qk_rms_norm,
        )
        self.config = config
        self.out_layer = nn.Linear(config.model_channels, 2 * config.latent_channels)
        set_linear(self)
        set_zero(self.out_layer)
        self.compute_in(torch.float16 if config.use_fp16 else torch.float32)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Sets the `dtype` that the blocks multiply in."""
        self.dtype = dtype
        cast_but_norms(self.blocks, dtype)

    def forward(self, features: Tensor, voxels: Voxels) -> Posterior:
        """The latents' distribution (N, C) from image `features` float32 (N, in channels) at `voxels`."""
        h = widened(self.transform(features, voxels, self.dtype))
        return posterior(self.out_layer(layer_norm32(h, _EPS)))
