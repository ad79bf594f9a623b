# SPDX-License-Identifier: GPL-3.0-or-later
"""BiRefNet: how likely each pixel of a picture is the object (Zheng et al. 2024).

A Swin backbone sees the picture and the picture halved; at each of four scales the features of both are concatenated.
The decoder goes from the coarsest scale to the finest. At every level it sees the picture itself once more, cut into
tiles of the level's size that are stacked as channels (the paper's inward reference), and weights its features by how
likely it expects edges (the outward reference). Attribute names are those of the published checkpoint.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..nn.checkpoint import described, fill, read_description, read_tensors
from ..nn.checks import require_finite
from ..nn.deform_conv import DeformableConv2d
from .swin import STAGES, Swin

_COARSEST = 32  # pixels of the picture along the side of one at the decoder's first level
_EDGE_CHANNELS = 16
_KERNELS = (1, 3, 7)

TRAINING_ONLY = frozenset(
    f"decoder.{layer}.{kind}"
    for level in (2, 3, 4)
    for layer in (f"conv_ms_spvn_{level}", f"gdt_convs_pred_{level}.0")
    for kind in ("weight", "bias")
)
"""Tensors of the checkpoint that only its training used."""


@dataclass(frozen=True)
class BiRefNetConfig:
    """The network's sizes. The published description has none; the defaults are those of the published weights."""

    embed_dim: int = 192
    depths: Sequence[int] = (2, 2, 18, 2)
    num_heads: Sequence[int] = (6, 12, 24, 48)
    window_size: int = 12  # tokens along the side of the backbone's windows
    inter_channels: int = 64  # inside the decoder's blocks
    aspp_channels: int = 256  # of each branch of a block
    image_size: int = 1024  # pixels along the side of what the network sees

    def __post_init__(self) -> None:
        inside = (self.window_size, self.inter_channels, self.aspp_channels, self.image_size)
        if min(self.embed_dim, *self.depths, *self.num_heads, *inside) < 1:
            raise ValueError("every size is at least 1")
        if len(self.depths) != STAGES or len(self.num_heads) != STAGES:
            raise ValueError(f"depths and num_heads are of {STAGES} stages each")
        if self.embed_dim % 4 or any(self.embed_dim * 2**i % heads for i, heads in enumerate(self.num_heads)):
            raise ValueError("embed_dim is a multiple of 4, and each stage's channels are a multiple of its heads")
        if self.image_size % _COARSEST:
            raise ValueError(f"image_size is a multiple of {_COARSEST}")


def load_birefnet(folder: Path) -> "BiRefNet":
    """The network in `folder`, laid out as ZhengPeng7/BiRefNet: config.json, model.safetensors in half or single.

    config.json may hold sizes by their names in `BiRefNetConfig`; the published one holds none. The weights keep their
    dtype and are mapped into memory: moving the network to a device reads them. Raises UserError if a file is missing
    or damaged, or if a tensor is missing, unknown or of another shape.
    """
    description, weights = folder / "config.json", folder / "model.safetensors"
    given = read_description(description)
    sizes = {field.name: given[field.name] for field in fields(BiRefNetConfig) if field.name in given}
    with described(description, "BiRefNet"), torch.device("meta"):
        network = BiRefNet(BiRefNetConfig(**sizes))
    tensors = read_tensors(weights)
    half = any(tensor.dtype == torch.float16 for tensor in tensors.values())
    fill(network.to(torch.float16 if half else torch.float32), tensors, str(weights), TRAINING_ONLY)
    return network


@torch.inference_mode()
def log_odds(network: "BiRefNet", pixels: Tensor) -> Tensor:
    """The log-odds that a pixel is the object: float32 (B, 1, H, W) for `pixels` float32 (B, 3, H, W), both on the CPU.

    The colours have ImageNet's mean 0 and deviation 1. The network sees them at its own size, and computes on its
    device and in its dtype. Raises UserError if it computes non-finite numbers.
    """
    weight = next(network.parameters())
    shown = _resampled(pixels, (network.image_size, network.image_size)).to(weight.device, weight.dtype)
    answer = require_finite(network(shown), "foreground network")
    return _resampled(answer.float().cpu(), pixels.shape[2:])


class BiRefNet(nn.Module):
    """From a picture to log-odds."""

    def __init__(self, config: BiRefNetConfig) -> None:
        super().__init__()
        self.image_size = config.image_size
        self.bb = Swin(config.embed_dim, config.depths, config.num_heads, config.window_size)
        wide = [2 * config.embed_dim * 2**i for i in reversed(range(STAGES))]  # coarse to fine
        self.squeeze_module = nn.Sequential(_block(sum(wide), wide[0], config))
        self.decoder = Decoder(wide, config)

    def forward(self, picture: Tensor) -> Tensor:
        """Log-odds (B, 1, H, W) of `picture` (B, 3, H, W), whose colours have ImageNet's mean 0 and deviation 1.

        H and W are multiples of 32.
        """
        half = _resized(picture, [side // 2 for side in picture.shape[2:]])
        features = [
            torch.cat([whole, _resized(halved, whole.shape[2:])], dim=1)
            for whole, halved in zip(self.bb(picture), self.bb(half), strict=True)
        ]
        *finer, coarsest = features
        context = [_resized(x, coarsest.shape[2:]) for x in finer]
        features[-1] = self.squeeze_module(torch.cat([*context, coarsest], dim=1))
        return self.decoder(picture, features)


class Decoder(nn.Module):
    """From features back to the picture's pixels. `wide`: the features' channels, from coarse to fine."""

    def __init__(self, wide: Sequence[int], config: BiRefNetConfig) -> None:
        super().__init__()
        out = (*wide[1:], wide[-1] // 2)
        shown = [channels // 8 for channels in (wide[0], *wide)]  # channels of the picture's tiles
        tiles = [3 * (_COARSEST // 2**i) ** 2 for i in range(STAGES)]
        inter = config.inter_channels

        self.ipt_blk5 = _convolutions(tiles[0], inter, shown[0])
        self.ipt_blk4 = _convolutions(tiles[1], inter, shown[1])
        self.ipt_blk3 = _convolutions(tiles[2], inter, shown[2])
        self.ipt_blk2 = _convolutions(tiles[3], inter, shown[3])
        self.ipt_blk1 = _convolutions(3, inter, shown[4])

        self.decoder_block4 = _block(wide[0] + shown[0], out[0], config)
        self.decoder_block3 = _block(wide[1] + shown[1], out[1], config)
        self.decoder_block2 = _block(wide[2] + shown[2], out[2], config)
        self.decoder_block1 = _block(wide[3] + shown[3], out[3], config)

        self.lateral_block4 = _lateral(wide[1])
        self.lateral_block3 = _lateral(wide[2])
        self.lateral_block2 = _lateral(wide[3])

        self.gdt_convs_4, self.gdt_convs_attn_4 = _edges(out[0])
        self.gdt_convs_3, self.gdt_convs_attn_3 = _edges(out[1])
        self.gdt_convs_2, self.gdt_convs_attn_2 = _edges(out[2])

        self.conv_out1 = nn.Sequential(nn.Conv2d(out[3] + shown[4], 1, 1))

    def forward(self, picture: Tensor, features: Sequence[Tensor]) -> Tensor:
        """Log-odds (B, 1, H, W) from `picture` (B, 3, H, W) and `features`, fine to coarse."""
        x1, x2, x3, x4 = features
        h = self.decoder_block4(torch.cat([x4, self.ipt_blk5(tiled(picture, x4))], dim=1))
        h = h * self.gdt_convs_attn_4(self.gdt_convs_4(h)).sigmoid()
        h = _resized(h, x3.shape[2:]) + self.lateral_block4(x3)
        h = self.decoder_block3(torch.cat([h, self.ipt_blk4(tiled(picture, x3))], dim=1))
        h = h * self.gdt_convs_attn_3(self.gdt_convs_3(h)).sigmoid()
        h = _resized(h, x2.shape[2:]) + self.lateral_block3(x2)
        h = self.decoder_block2(torch.cat([h, self.ipt_blk3(tiled(picture, x2))], dim=1))
        h = h * self.gdt_convs_attn_2(self.gdt_convs_2(h)).sigmoid()
        h = _resized(h, x1.shape[2:]) + self.lateral_block2(x1)
        h = self.decoder_block1(torch.cat([h, self.ipt_blk2(tiled(picture, x1))], dim=1))
        return self.read_out(picture, h)

    def read_out(self, picture: Tensor, h: Tensor) -> Tensor:
        """The last convolution, of `h` at the picture's size beside features of the picture.

        It is of single pixels, so each part goes through it alone, and `h` does before it grows 16 times larger.
        """
        last: Any = self.conv_out1[0]
        of_h, of_picture = last.weight.split([h.shape[1], last.in_channels - h.shape[1]], dim=1)
        grown = _resized(functional.conv2d(h, of_h, last.bias), picture.shape[2:])
        return grown + functional.conv2d(self.ipt_blk1(picture), of_picture)


class DeformableASPP(nn.Module):
    """Features of several ranges at once: deformable convolutions of 1, 3 and 7 pixels, and the picture's mean.

    (Atrous spatial pyramid pooling; Chen et al. 2017, made deformable by Zheng et al. 2024.)
    """

    def __init__(self, channels: int, branch: int) -> None:
        super().__init__()
        self.aspp1 = _branch(channels, branch, 1)
        self.aspp_deforms = nn.ModuleList(_branch(channels, branch, kernel) for kernel in _KERNELS)
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, branch, 1, bias=False), nn.BatchNorm2d(branch), nn.ReLU()
        )
        self.conv1 = nn.Conv2d((2 + len(_KERNELS)) * branch, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        parts = (self.aspp1, *self.aspp_deforms, self.global_avg_pool)
        weights = self.conv1.weight.chunk(len(parts), dim=1)
        # Each part goes through the last convolution alone: concatenated they would take hundreds of megabytes.
        mixed = (functional.conv2d(part(x), weight) for part, weight in zip(parts, weights, strict=True))
        return self.bn1(reduce(torch.add, mixed)).relu()


def _branch(channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            atrous_conv=DeformableConv2d(channels, out_channels, kernel),
            bn=nn.BatchNorm2d(out_channels),
            relu=nn.ReLU(inplace=True),
        )
    )


def _block(channels: int, out_channels: int, config: BiRefNetConfig) -> nn.Sequential:
    """A level of the decoder: (B, C, H, W) to (B, C', H, W)."""
    inter = config.inter_channels
    return nn.Sequential(
        OrderedDict(
            conv_in=nn.Conv2d(channels, inter, 3, padding=1),
            bn_in=nn.BatchNorm2d(inter),
            relu_in=nn.ReLU(inplace=True),
            dec_att=DeformableASPP(inter, config.aspp_channels),
            conv_out=nn.Conv2d(inter, out_channels, 3, padding=1),
            bn_out=nn.BatchNorm2d(out_channels),
        )
    )


def _convolutions(channels: int, inter: int, out_channels: int) -> nn.Sequential:
    """From the picture's tiles to features."""
    first, last = nn.Conv2d(channels, inter, 3, padding=1), nn.Conv2d(inter, out_channels, 3, padding=1)
    return nn.Sequential(OrderedDict(conv1=first, conv_out=last))


def _lateral(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(channels, channels, 1)))


def _edges(channels: int) -> tuple[nn.Sequential, nn.Sequential]:
    """The part that finds edges, and the part that gives from these each pixel's weight as log-odds."""
    find = nn.Conv2d(channels, _EDGE_CHANNELS, 3, padding=1)
    return (
        nn.Sequential(find, nn.BatchNorm2d(_EDGE_CHANNELS), nn.ReLU(inplace=True)),
        nn.Sequential(nn.Conv2d(_EDGE_CHANNELS, 1, 1)),
    )


def tiled(picture: Tensor, like: Tensor) -> Tensor:
    """Cuts `picture` (B, 3, H, W) into tiles of the size of `like` (B, C, h, w): (B, 3 H/h W/w, h, w).

    The red tiles come first, row by row, then the green, then the blue.
    """
    height, width = like.shape[2:]
    return picture.unflatten(3, (-1, width)).unflatten(2, (-1, height)).transpose(3, 4).flatten(1, 3)


def _resized(x: Tensor, size: Sequence[int]) -> Tensor:
    """`x` (B, C, H, W) at another size, with the centres of the corner pixels in the corners as before."""
    return functional.interpolate(x, list(size), mode="bilinear", align_corners=True)


def _resampled(x: Tensor, size: Sequence[int]) -> Tensor:
    """`x` (B, C, H, W) at another size, averaged if it shrinks; unchanged if it has that size."""
    return functional.interpolate(x, list(size), mode="bilinear", antialias=True)
