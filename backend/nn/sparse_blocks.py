# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the sparse networks: going between resolutions, norms over voxels, and residual blocks.

Features are (N, C), a row a voxel. Attribute names are those of the checkpoints.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from .initial_weights import set_zero
from .layers import FeedForward, LayerNorm32, joined, layer_norm32, widened
from .sparse import Voxels, Windows
from .sparse_attention import WindowAttention
from .sparse_conv import SparseConv

_EPS = 1e-6
_NORMALISED = 2**24  # elements normalised at once in float32: 64 MiB


def gathered_in_cells(features: Tensor, voxels: Voxels) -> Tensor:
    """The features of the `cells` of `voxels`: the sum over the n voxels in a cell, divided by n + 1.

    The networks were trained with a mean that counted its starting value, zero, as one more voxel.
    """
    wide = widened(features)
    rows = torch.cat([wide, wide.new_zeros(1, features.shape[1])])
    count = (voxels.members < len(voxels)).sum(1, keepdim=True)
    return (rows[voxels.members].sum(1) / (count + 1)).to(features.dtype)


def of_items(values: Tensor, voxels: Voxels) -> Tensor:
    """Gives each voxel its item's row of `values` (B, C): (N, C). One row for the whole batch stays one row."""
    return values if len(values) == 1 else values[voxels.coords[:, 0].long()]


class ResBlock(nn.Module):
    """Two convolutions with a modulation by the time between them."""

    def __init__(self, channels: int, out_channels: int, time_channels: int) -> None:
        super().__init__()
        self.norm1 = LayerNorm32(channels, eps=_EPS)
        self.conv1 = SparseConv(channels, out_channels, 3)
        self.conv2 = SparseConv(out_channels, out_channels, 3)
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time_channels, 2 * out_channels))
        self.skip_connection = nn.Linear(channels, out_channels) if channels != out_channels else nn.Identity()
        set_zero(self.conv2)

    def forward(self, x: Tensor, time: Tensor, voxels: Voxels, *, unpacks: bool = False) -> Tensor:
        """Convolves `x` (N, C), modulated by the `time`'s embedding (1 or B, time channels): (N, out channels).

        If it `unpacks`, `x` (cells, C) is of the voxels' cells, and each voxel starts with its cell's features.
        """
        scale, shift = of_items(self.emb_layers(time), voxels).chunk(2, dim=1)
        h = self.conv1(functional.silu(self.norm1(x)), voxels, unpacks=unpacks)
        h = torch.addcmul(shift, layer_norm32(h, _EPS), 1 + scale)
        skip = self.skip_connection(x)
        return self.conv2(functional.silu(h), voxels) + (skip[voxels.cell_of] if unpacks else skip)


class GroupNormSiLU(nn.GroupNorm):
    """Group norm over all voxels of an item (Wu and He 2018), then SiLU, in float32; the output has the input's dtype.

    Statistics are found in two passes, and rows go in chunks, so that there is no float32 copy of the whole.
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  items are normalised apart
        self,
        input: Tensor,  # noqa: A002  the name that torch gave it
        lengths: list[int],
        output: Tensor | None = None,
    ) -> Tensor:
        """Normalises `input` (N, C), of which each item holds the next of `lengths` rows.

        The result may be written to `output`, if that is given; it may be the input.
        """
        chunk = max(1, _NORMALISED // self.num_channels)

        def normalised() -> Iterator[Tensor]:
            for rows in input.split(lengths):
                scale, shift = self._scale_and_shift(rows.split(chunk), len(rows))
                for part in rows.split(chunk):
                    yield functional.silu(torch.addcmul(shift, widened(part), scale))

        return joined(normalised(), torch.empty_like(input) if output is None else output)

    def _scale_and_shift(self, parts: tuple[Tensor, ...], rows: int) -> tuple[Tensor, Tensor]:
        def over_group(sums: Tensor) -> Tensor:
            """The mean over a group from each channel's sum, for each of its channels: (C,)."""
            means = sums.view(self.num_groups, -1).mean(1) / max(rows, 1)
            return means.repeat_interleave(self.num_channels // self.num_groups)

        zero = torch.zeros_like(self.weight)
        mean = over_group(sum((widened(part).sum(0) for part in parts), start=zero))
        variance = over_group(sum(((widened(part) - mean).square().sum(0) for part in parts), start=zero))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return scale, self.bias - mean * scale


class SubdivideBlock(nn.Module):
    """Divides each voxel into eight, with two convolutions of the children.

    Children start with their parent's features, so the first convolution reads the parents, and the skip connection is
    computed once for all eight.
    """

    def __init__(self, channels: int, out_channels: int, groups: int = 32) -> None:
        super().__init__()
        self.act_layers = nn.ModuleList([GroupNormSiLU(groups, channels)])
        self.out_layers = nn.ModuleList(
            [
                SparseConv(channels, out_channels, 3),
                GroupNormSiLU(groups, out_channels),
                nn.Identity(),  # the checkpoint counts the SiLU
                SparseConv(out_channels, out_channels, 3),
            ]
        )
        self.skip_connection = SparseConv(channels, out_channels, 1) if channels != out_channels else nn.Identity()
        set_zero(self.out_layers[-1])

    def forward(self, x: Tensor, voxels: Voxels) -> Tensor:
        """From `x` (N, C) at `voxels` to (8 N, out channels) at their children."""
        first, norm, _, second = self.out_layers
        children = voxels.children
        h = self.act_layers[0](x, voxels.lengths)
        h = first(h, voxels, subdivides=True)
        h = second(norm(h, children.lengths, output=h), children)
        h.view(len(voxels), 8, h.shape[1]).add_(self.skip_connection(x, voxels)[:, None])
        return h


class WindowBlock(nn.Module):
    """One block of a transformer over windows: attention, then a feed-forward part, each after a norm."""

    def __init__(self, channels: int, heads: int, mlp_ratio: float, *, qk_rms_norm: bool = False) -> None:
        super().__init__()
        self.attn = WindowAttention(channels, heads, qk_rms_norm=qk_rms_norm)
        self.mlp = FeedForward(channels, int(channels * mlp_ratio))

    def forward(self, x: Tensor, windows: list[Windows]) -> Tensor:
        """Transforms `x` (N, C) within `windows`."""
        x = x + self.attn(layer_norm32(x, _EPS), windows)
        return x + self.mlp(layer_norm32(x, _EPS))
