# SPDX-License-Identifier: GPL-3.0-or-later
"""The small network: NiRNE's two streams (Hi3DGen, section 3.1) as a convolutional network of a few million parameters.

The clean stream sees the picture at half its size and goes deep: it is there for the low frequencies. The noisy stream
is narrow, sees the picture at its full size, in training with noise over it, and is there for the high ones: noise
drowns a picture's low amplitudes first, which are its high frequencies, so that learning weighs them most. Its features
join the clean stream's as a ControlNet's do, through 1 x 1 convolutions that start at zero, before the one decoder.

`backend.normals.network` runs the same network in numpy. A change here is a change there.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...normals.features import GRID
from .config import Small

_CHANNELS_LAST = torch.channels_last


class Block(nn.Module):
    """x + conv(relu(conv(norm(x)))), the norm over the channels of each pixel; it begins as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        _zero(self.second)

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
    """Levels of blocks from coarse to fine, each with twice the side of the one before, then pixels."""

    def __init__(self, channels: tuple[int, ...], blocks: tuple[int, ...]) -> None:
        super().__init__()
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(channels))
        self.levels = nn.ModuleList(_blocks(width, count) for width, count in zip(channels, blocks, strict=False))
        self.head = nn.Conv2d(channels[0], 3 * GRID**2, 1)
        _zero(self.head)

    def forward(self, features: list[Tensor]) -> Tensor:
        """features: fine to coarse. Returns (N, 3, H, W), H and W `GRID` times those of the first."""
        x = features[-1]
        for up, level, beside in zip(reversed(self.up), reversed(self.levels), features[-2::-1], strict=True):
            x = level(functional.interpolate(up(x), scale_factor=2, mode="nearest") + beside)
        return functional.pixel_shuffle(self.head(x), GRID)


class DualStream(nn.Module):
    """The clean stream, the noisy stream, what joins them, the decoder."""

    CLEAN = ("clean.",)

    def __init__(self, widths: Small) -> None:
        super().__init__()
        picture = 4 * GRID**2
        self.dual = widths.dual
        self.clean = Encoder(picture + 3 * 4, widths.clean, widths.clean_blocks)
        self.noisy = Encoder(picture, widths.noisy, widths.noisy_blocks)
        decoder = (widths.noisy[0], *widths.clean)
        self.joints = nn.ModuleList(
            nn.Conv2d(*pair, 1) for pair in zip(widths.noisy, decoder[: len(widths.noisy)], strict=True)
        )
        for joint in self.joints[1:]:
            _zero(joint)
        self.decoder = Decoder(decoder, widths.decoder_blocks)

    def forward(self, picture: Tensor, inflated: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return normals that are yet to be made unit length.

        picture: (N, 4, H, W), H and W multiples of `Small.multiple`, as `features.standardise` makes it. inflated:
        (N, 3, H / GRID, W / GRID), as `features.inflate` makes it. noise: (N, 3, H, W), added to the colours that the
        noisy stream sees; None is no noise. Returns (N, 3, H, W), camera space, x right, y up, z to the viewer.
        """
        noised = picture if noise is None else torch.cat([picture[:, :3] + noise, picture[:, 3:]], dim=1)
        halved = functional.avg_pool2d(picture if self.dual else noised, 2)
        structure = torch.cat(
            [functional.pixel_unshuffle(halved, GRID), functional.pixel_unshuffle(inflated, 2)], dim=1
        )
        clean = self.clean(structure)
        noisy = self.noisy(functional.pixel_unshuffle(noised, GRID))
        joined = [joint(features) for joint, features in zip(self.joints, noisy, strict=True)]
        for level, features in enumerate(clean):
            if level + 1 < len(joined):
                joined[level + 1] = joined[level + 1] + features
            else:
                joined.append(features)
        base = functional.interpolate(inflated, scale_factor=GRID, mode="bilinear", align_corners=False)
        return base + self.decoder(joined).float()


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(channels) for _ in range(count)))


def _zero(module: nn.Module) -> None:
    for value in module.parameters():
        nn.init.zeros_(value)
