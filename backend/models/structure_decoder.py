# SPDX-License-Identifier: GPL-3.0-or-later
"""From the latents of a sparse structure to its voxels: a convolutional decoder.

Residual blocks in a pyramid, each level twice as fine as the last; the result is how likely the surface passes through
each voxel (TRELLIS; Xiang et al. 2025, section 3.3 and appendix A).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..nn.initial_weights import set_zero
from ..nn.layers import LayerNorm32, cast_but_norms, widened


@dataclass(frozen=True)
class StructureDecoderConfig:
    """The network's sizes, by their names in the checkpoint's description."""

    out_channels: int
    latent_channels: int
    num_res_blocks: int  # at each level
    channels: Sequence[int]  # at each level, coarse to fine
    num_res_blocks_middle: int = 2
    use_fp16: bool = False


class StructureDecoder(nn.Module):
    """Latents to occupancy."""

    def __init__(self, config: StructureDecoderConfig) -> None:
        super().__init__()
        first, last = config.channels[0], config.channels[-1]
        self.input_layer = convolution(config.latent_channels, first)
        self.middle_block = nn.Sequential(*(ResidualBlock(first) for _ in range(config.num_res_blocks_middle)))
        levels = [[ResidualBlock(channels) for _ in range(config.num_res_blocks)] for channels in config.channels]
        steps = [UpsampleBlock(coarse, fine) for coarse, fine in pairwise(config.channels)]
        self.blocks = nn.Sequential(*levels[0])
        for step, level in zip(steps, levels[1:], strict=True):
            self.blocks.extend([step, *level])
        self.out_layer = nn.Sequential(ChannelNorm(last), nn.SiLU(), convolution(last, config.out_channels))
        self.compute_in(torch.float16 if config.use_fp16 else torch.float32)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Sets the `dtype` that all convolutions but the first and the last compute in."""
        self.dtype = dtype
        cast_but_norms(self.middle_block, dtype)
        cast_but_norms(self.blocks, dtype)

    def forward(self, z: Tensor) -> Tensor:
        """Log-odds float32 (B, 1, F, F, F) of occupancy from the latents `z` float32 (B, C, R, R, R).

        F is R times two to the number of levels less one.
        """
        h = self.input_layer(z).to(self.dtype)
        h = self.blocks(self.middle_block(h))
        return self.out_layer(widened(h))


class ChannelNorm(LayerNorm32):
    """Layer norm over the channels of every voxel, in float32: (B, C, ...) to (B, C, ...)."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that torch gave it
        """Normalises `input` (B, C, ...)."""
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class ResidualBlock(nn.Module):
    """Norm, SiLU and convolution, twice, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels)
        self.norm2 = ChannelNorm(channels)
        self.conv1 = convolution(channels, channels)
        self.conv2 = convolution(channels, channels)
        set_zero(self.conv2)

    def forward(self, x: Tensor) -> Tensor:
        """Transforms `x` (B, C, R, R, R)."""
        h = self.conv1(functional.silu(self.norm1(x)))
        return x + self.conv2(functional.silu(self.norm2(h)))


class UpsampleBlock(nn.Module):
    """Twice as fine: a convolution to eight times the channels, which become the eight voxels of a cell."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = convolution(channels, 8 * out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, R, R, R) to (B, C', 2R, 2R, 2R)."""
        return pixel_shuffle3(self.conv(x))


def pixel_shuffle3(x: Tensor) -> Tensor:
    """Takes channel 8 c + 4 i + 2 j + k of `x` (B, 8 C, X, Y, Z) to the voxels (2x + i, 2y + j, 2z + k) of channel c.

    (Sub-pixel convolution, in three dimensions; Shi et al. 2016.)
    """
    x = x.unflatten(1, (-1, 2, 2, 2)).permute(0, 1, 5, 2, 6, 3, 7, 4)  # (B, C, X, 2, Y, 2, Z, 2)
    return x.flatten(6, 7).flatten(4, 5).flatten(2, 3)


def occupied(logits: Tensor) -> Tensor:
    """The voxels of `logits` (B, 1, F, F, F) above zero: int32 (N, 4), each (item, x, y, z), in lexicographic order."""
    return torch.nonzero(logits[:, 0] > 0).int()


def convolution(channels: int, out_channels: int) -> nn.Conv3d:
    """A convolution of 3 x 3 x 3 voxels that keeps the grid's size."""
    return nn.Conv3d(channels, out_channels, kernel_size=3, padding=1)
