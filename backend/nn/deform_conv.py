# SPDX-License-Identifier: GPL-3.0-or-later
"""Modulated deformable convolution, in plain torch: a convolution whose kernel is moved by the picture.

At every pixel each tap of the kernel is moved by an offset of its own, reads the picture there by interpolation between
four pixels, and is multiplied by a strength (Dai et al. 2017, formula 2; Zhu et al. 2019, formula 1). The readings are
gathered for some hundred pixels at a time, so that they take little memory, and go into one matrix product.
"""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

from .initial_weights import set_zero
from .layers import widened

_AT_ONCE = 2**22  # values gathered at a time: 16 MiB in float32; larger chunks are slower, smaller ones too many


class DeformableConv2d(nn.Module):
    """A deformable convolution whose offsets, and strengths from 0 to 2, come from two convolutions of its own.

    Attribute names are those of the published BiRefNet.
    """

    def __init__(self, channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        padding, taps = kernel_size // 2, kernel_size**2
        self.offset_conv = nn.Conv2d(channels, 2 * taps, kernel_size, padding=padding)
        self.modulator_conv = nn.Conv2d(channels, taps, kernel_size, padding=padding)
        self.regular_conv = nn.Conv2d(channels, out_channels, kernel_size, padding=padding, bias=False)
        set_zero(self.offset_conv, self.modulator_conv)  # training starts from a plain convolution

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H, W)."""
        strengths = 2 * self.modulator_conv(x).sigmoid()
        padding = self.regular_conv.kernel_size[0] // 2
        return deform_conv2d(x, self.regular_conv.weight, self.offset_conv(x), strengths, padding=padding)


def deform_conv2d(
    x: Tensor, weight: Tensor, offsets: Tensor, strengths: Tensor, *, stride: int = 1, padding: int = 0
) -> Tensor:
    """Modulated deformable convolution of `x` (B, C, H, W) with `weight` (C', C, I, J): (B, C', H', W').

    `offsets` (B, 2 I J, H', W') in pixels, for every tap of the kernel, row by row, down and then right; `strengths`
    (B, I J, H', W') are factors of what the taps read. The picture is zero outside, and interpolated to zero at its
    border. H' and W' are those of any convolution. All are of one floating dtype; positions are computed in at least
    float32, because half precision is too coarse for positions in a large picture.
    """
    batch, channels, height, width = x.shape
    out_channels, _, *kernel = weight.shape
    out_size = offsets.shape[2:]
    places = _places(offsets, kernel, stride, padding).flatten(0, 2)  # (B H' W', I J, 2)
    factors = strengths.movedim(1, -1).flatten(0, 2)  # (B H' W', I J)
    items = torch.arange(batch, device=x.device).repeat_interleave(out_size.numel())[:, None]
    pixels = x.movedim(1, -1).reshape(-1, channels)
    matrix = weight.permute(2, 3, 1, 0).reshape(-1, out_channels)
    rows = max(1, _AT_ONCE // len(matrix))
    chunks = zip(places.split(rows), factors.split(rows), items.split(rows), strict=True)
    read = (_read(pixels, (height, width), *chunk).flatten(1) @ matrix for chunk in chunks)
    return torch.cat(list(read)).view(batch, *out_size, out_channels).movedim(-1, 1)


def _places(offsets: Tensor, kernel: list[int], stride: int, padding: int) -> Tensor:
    """The position that every tap reads, (row, column) in pixels: at least float32 (B, H', W', taps, 2)."""
    across = [torch.arange(size, device=offsets.device) for size in (*offsets.shape[2:], *kernel)]
    corners = torch.cartesian_prod(*across[:2]).view(*offsets.shape[2:], 1, 2) * stride - padding
    taps = torch.cartesian_prod(*across[2:]).view(-1, 2)
    moved = offsets.unflatten(1, (-1, 2)).permute(0, 3, 4, 1, 2)
    return widened(moved) + (corners + taps)


def _read(pixels: Tensor, size: tuple[int, int], places: Tensor, factors: Tensor, items: Tensor) -> Tensor:
    """The values at `places` (N, K, 2) of the pictures `items` (N, 1), times `factors` (N, K): (N, K, C).

    `pixels` (B H W, C) are the pictures' of `size` (H, W), row by row.
    """
    sizes = torch.tensor(size, device=pixels.device)
    corners = torch.tensor(list(product((0, 1), repeat=2)), device=pixels.device)[:, None, None]
    places = places.clamp(
        -torch.ones_like(sizes), sizes
    )  # beyond all is zero; larger numbers would overflow as integers
    at = places.floor() + corners  # (4, N, K, 2)
    inside = (at >= 0) & (at < sizes)
    shares = (inside * (1 - (places - at).abs())).prod(-1).to(factors.dtype) * factors
    row, column = at.long().clamp(torch.zeros_like(sizes), sizes - 1).unbind(-1)
    total = pixels.new_zeros(*factors.shape, pixels.shape[1])
    for share, index in zip(shares, (items * size[0] + row) * size[1] + column, strict=True):
        total.addcmul_(functional.embedding(index, pixels), share[..., None])
    return total
