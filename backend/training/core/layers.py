# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of small networks: residual blocks, an encoder, a decoder.

`backend.raster.layers` has the same layers in numpy. A change here is a change there.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

_CHANNELS_LAST = torch.channels_last


class Block(nn.Module):
    """x + conv(relu(conv(norm(x)))), the norm over the channels of each pixel; it begins as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        zero(self.second)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, C, H, W), and so is what comes back."""
        last = functional.layer_norm(x.permute(0, 2, 3, 1), self.scale.shape, self.scale, self.shift)
        return x + self.second(functional.relu(self.first(last.permute(0, 3, 1, 2))))


class Encoder(nn.Module):
    """A stem, then levels of blocks, each with half the side of the one before."""

    def __init__(self, inputs: int, channels: tuple[int, ...], blocks: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(inputs, channels[0], 3, padding=1)
        self.levels = nn.ModuleList(_blocks(width, count) for width, count in zip(channels, blocks, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(*pair, 2, stride=2) for pair in pairwise(channels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return every level's features, fine to coarse."""
        x = self.stem(x.contiguous(memory_format=_CHANNELS_LAST))
        features: list[Tensor] = []
        for index, level in enumerate(self.levels):
            x = level(x if index == 0 else self.down[index - 1](x))
            features.append(x)
        return features


class Decoder(nn.Module):
    """Levels of blocks from coarse to fine, each with twice the side of the one before, then a head."""

    def __init__(self, channels: tuple[int, ...], blocks: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(channels))
        self.levels = nn.ModuleList(_blocks(width, count) for width, count in zip(channels, blocks, strict=False))
        self.head = nn.Conv2d(channels[0], outputs, 1)
        zero(self.head)

    def forward(self, features: list[Tensor]) -> Tensor:
        """features: fine to coarse. Returns (N, outputs, H, W), as fine as the first."""
        x = features[-1]
        for up, level, beside in zip(reversed(self.up), reversed(self.levels), features[-2::-1], strict=True):
            x = level(functional.interpolate(up(x), scale_factor=2, mode="nearest") + beside)
        return self.head(x)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(channels) for _ in range(count)))


def zero(module: nn.Module) -> None:
    """Let a layer begin with the answer 0."""
    for value in module.parameters():
        nn.init.zeros_(value)
