# SPDX-License-Identifier: GPL-3.0-or-later
"""From the voxels of a sparse structure to its latents: the encoder that belongs to `structure_decoder`.

Residual blocks in a pyramid, each level half as fine as the last (TRELLIS; Xiang et al. 2025, section 3.3 and
appendix A). Only training needs it: it makes the latents that the structure's flow model learns from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..nn.layers import cast_but_norms, widened
from ..nn.posterior import Posterior, posterior
from .structure_decoder import ChannelNorm, ResidualBlock, convolution


@dataclass(frozen=True)
class StructureEncoderConfig:
    """The network's sizes, by their names in the checkpoint's description."""

    in_channels: int
    latent_channels: int
    num_res_blocks: int  # at each level
    channels: Sequence[int]  # at each level, fine to coarse
    num_res_blocks_middle: int = 2
    norm_type: str = "layer"
    use_fp16: bool = False

    def __post_init__(self) -> None:
        if self.norm_type != "layer":
            raise ValueError(f"norm_type is {self.norm_type!r}: only 'layer' is known")


class StructureEncoder(nn.Module):
    """Occupancy to latents."""

    def __init__(self, config: StructureEncoderConfig) -> None:
        super().__init__()
        first, last = config.channels[0], config.channels[-1]
        self.input_layer = convolution(config.in_channels, first)
        levels = [[ResidualBlock(channels) for _ in range(config.num_res_blocks)] for channels in config.channels]
        steps = [DownsampleBlock(fine, coarse) for fine, coarse in pairwise(config.channels)]
        self.blocks = nn.Sequential(*levels[0])
        for step, level in zip(steps, levels[1:], strict=True):
            self.blocks.extend([step, *level])
        self.middle_block = nn.Sequential(*(ResidualBlock(last) for _ in range(config.num_res_blocks_middle)))
        self.out_layer = nn.Sequential(ChannelNorm(last), nn.SiLU(), convolution(last, 2 * config.latent_channels))
        self.compute_in(torch.float16 if config.use_fp16 else torch.float32)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Sets the `dtype` that all convolutions but the first and the last compute in."""
        self.dtype = dtype
        cast_but_norms(self.blocks, dtype)
        cast_but_norms(self.middle_block, dtype)

    def forward(self, occupancy: Tensor) -> Posterior:
        """The latents' distribution (B, C, R, R, R) from `occupancy` float32 (B, in channels, F, F, F) of 0 and 1.

        F is R times two to the number of levels less one.
        """
        h = self.input_layer(occupancy).to(self.dtype)
        h = self.middle_block(self.blocks(h))
        return posterior(self.out_layer(widened(h)))


class DownsampleBlock(nn.Module):
    """Half as fine: a convolution of each cell of 2 x 2 x 2 voxels."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, out_channels, kernel_size=2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 2R, 2R, 2R) to (B, C', R, R, R)."""
        return self.conv(x)
