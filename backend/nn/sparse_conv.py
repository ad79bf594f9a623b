# SPDX-License-Identifier: GPL-3.0-or-later
"""Submanifold convolution: a convolution that looks at occupied voxels only, and answers at occupied voxels only.

A submanifold convolution (Graham, Engelcke and van der Maaten 2018) is a dense one with zeros for the missing voxels,
of which only the values at the voxels themselves are kept. Here it is a gather and a matrix product. On a GPU all
neighbours of some rows are gathered for one large product, which sums in the accumulators' precision. On a CPU only the
neighbours that exist are gathered, for one product for each of the 27: about half of a surface's neighbours are
missing, and the saved arithmetic is worth more than one large product.

There is less to do if features were just copied to smaller voxels. After a subdivision, a child's 27 neighbours are
children of 8 voxels, and 8 products with sums of the kernel are enough. After cells were unpacked, there are fewer
products of cells with the whole kernel than of voxels with their neighbours.
"""

import math
from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor, nn

from .layers import joined, widened
from .sparse import CHILDREN, OFFSETS, Voxels


class SparseConv(nn.Module):
    """A convolution of voxel features under the published names: `conv.weight` (out, k, k, k, in) and `conv.bias`.

    The kernel's axes are x, y, z in this order; nothing is flipped.
    """

    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        """`size` is 3, or 1 for a linear map of each voxel's features."""
        super().__init__()
        self.conv = _Kernel(in_channels, out_channels, size)
        self.size = size

    def forward(self, features: Tensor, voxels: Voxels, *, subdivides: bool = False, unpacks: bool = False) -> Tensor:
        """Convolves `features` (N, in) to (N, out) at the same voxels.

        If it `subdivides` (size 3), the result is (8 N, out) at the voxels' children, which start with their parent's
        features. If it `unpacks` (size 3), `features` are (cells, in), and each voxel starts with its cell's.
        """
        weight, bias = self.conv.weight, self.conv.bias
        if self.size == 1:
            return pointwise(features, weight, bias)
        if subdivides:
            return subdivided_submanifold(features, weight, bias, voxels)
        if unpacks:
            return unpacked_submanifold(features, weight, bias, voxels)
        return submanifold(features, weight, bias, voxels)


class _Kernel(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        super().__init__()
        reach = 1 / math.sqrt(size**3 * in_channels)  # as torch's own convolutions begin (He et al. 2015)
        self.weight = nn.Parameter(torch.empty(out_channels, size, size, size, in_channels).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-reach, reach))


def pointwise(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The 1x1x1 convolution that the networks were trained with: (N, in) to (N, out).

    The library that they were trained with multiplies by the memory of `weight` (out, 1, 1, 1, in) read as a matrix
    (in, out). That is not the transposed weight unless one of the sizes is 1.
    """
    return torch.addmm(bias, features, weight.reshape(features.shape[1], -1))


def submanifold(features: Tensor, weight: Tensor, bias: Tensor, voxels: Voxels) -> Tensor:
    """The 3x3x3 convolution of `features` (N, in) with `weight` (out, 3, 3, 3, in) and `bias` (out,): (N, out).

    out[p] = bias + sum over i, j, k of weight[:, i, j, k] features[p + (i - 1, j - 1, k - 1)].
    """
    kernels = weight.flatten(1, 3)[None]  # (1, out, 27, in)
    return _correlate(features, kernels, None, bias, voxels)[:, 0]


def subdivided_submanifold(features: Tensor, weight: Tensor, bias: Tensor, voxels: Voxels) -> Tensor:
    """The 3x3x3 convolution at the children of `voxels`, which have their parent's `features` (N, in): (8 N, out)."""
    kernels, steps = _kernels_of_children(weight)
    return _correlate(features, kernels, torch.tensor(steps, device=features.device), bias, voxels).flatten(0, 1)


def unpacked_submanifold(features: Tensor, weight: Tensor, bias: Tensor, voxels: Voxels) -> Tensor:
    """The 3x3x3 convolution at `voxels`, which have the `features` (M, in) of their cells: (N, out).

    The cells are few, so they are multiplied by the whole kernel first, and the products are gathered and summed.
    """
    channels, taps = weight.shape[0], len(OFFSETS)
    products = (features @ weight.view(channels, taps, -1).permute(2, 1, 0).flatten(1)).view(-1, channels)
    products = torch.cat([products, products.new_zeros(taps, channels)])  # of a missing voxel's cell
    first = taps * torch.cat([voxels.cell_of, voxels.cell_of.new_full((1,), len(features))])
    chunk = max(1, voxels.gathered // (taps * channels))

    def sums(start: int) -> Tensor:
        neighbours = voxels.neighbours(start, min(start + chunk, len(voxels)))
        rows = first[neighbours] + torch.arange(taps, device=first.device)
        gathered = products.index_select(0, rows.flatten()).view(-1, taps, channels)
        return gathered.sum(1, dtype=widened(bias).dtype) + bias

    return joined(map(sums, range(0, len(voxels), chunk)), features.new_empty(len(voxels), channels))


def _kernels_of_children(weight: Tensor) -> tuple[Tensor, list[list[int]]]:
    """The kernels of the 8 children for their parent's neighbours (8, out, 8, in), and which neighbours these are.

    Along an axis a first child has one neighbour in the voxel before and two, itself included, in its own.
    """
    kernels: list[Tensor] = []
    steps: list[list[int]] = []
    whole = widened(weight)
    for child in CHILDREN:
        spans = [
            ((-1, slice(0, 1)), (0, slice(1, 3))) if half == 0 else ((0, slice(0, 2)), (1, slice(2, 3)))
            for half in child
        ]
        taps = list(product(*spans))
        steps.append([OFFSETS.index((x[0], y[0], z[0])) for x, y, z in taps])
        kernels.append(torch.stack([whole[:, x[1], y[1], z[1]].sum((1, 2, 3)) for x, y, z in taps], dim=1))
    return torch.stack(kernels).to(weight.dtype), steps


def _correlate(features: Tensor, kernels: Tensor, steps: Tensor | None, bias: Tensor, voxels: Voxels) -> Tensor:
    """Sums neighbours' `features` (N, in) by each of the `kernels` (K, out, T, in), plus `bias`: (N, K, out).

    `steps` int64 (K, T): the neighbours that a kernel is for; None means all of them in their order.
    """
    count, outputs, taps, channels = kernels.shape
    chunk = max(8, voxels.gathered // (taps * channels) // 8 * 8)
    sums = sum_present if features.device.type == "cpu" else sum_at_once

    def by_kernel(start: int) -> Iterator[Tensor]:
        neighbours = voxels.neighbours(start, min(start + chunk, len(voxels)))
        for number, kernel in enumerate(kernels):
            yield sums(features, kernel, neighbours if steps is None else neighbours[:, steps[number]], bias)

    starts = range(0, len(voxels), chunk)
    if torch.is_grad_enabled() and starts:  # autograd would copy the whole for every write into a part of it
        return torch.cat([torch.stack(list(by_kernel(start)), dim=1) for start in starts])
    correlated = features.new_empty(len(voxels), count, outputs)
    for start in starts:
        for number, summed in enumerate(by_kernel(start)):
            correlated[start : start + chunk, number] = summed
    return correlated


def sum_at_once(features: Tensor, kernel: Tensor, neighbours: Tensor, bias: Tensor) -> Tensor:
    """One kernel (out, T, in) at rows whose `neighbours` (n, T) are rows of `features` (N, in): (n, out).

    The row of a missing neighbour is N. All are gathered for one product.
    """
    missing = (neighbours == len(features)).flatten()[:, None]
    gathered = features.index_select(0, neighbours.flatten().clamp_max(len(features) - 1)).masked_fill_(missing, 0)
    return torch.addmm(bias, gathered.view(len(neighbours), -1), kernel.flatten(1).t())


def sum_present(features: Tensor, kernel: Tensor, neighbours: Tensor, bias: Tensor) -> Tensor:
    """The same, one product for each of the T neighbours that exist, summed in float32."""
    total = widened(bias).repeat(len(neighbours), 1)
    for tap, rows in enumerate(neighbours.t().contiguous()):
        present = (rows < len(features)).nonzero()[:, 0]
        products = features.index_select(0, rows[present]) @ kernel[:, tap].t()
        total.index_add_(0, present, widened(products))
    return total.to(features.dtype)
