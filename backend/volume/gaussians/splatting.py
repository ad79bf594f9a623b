# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of 3D Gaussians: in each tile of it, the splats over each other from front to back (Kerbl et al. 2023).

A splat's opacity at a pixel is o exp(-d^T C^-1 d / 2), and the picture the sum of what each shows by its opacity and
by what the ones before it let through (equation 3). The exponent is a polynomial of the pixel's place, so that those of
all splats of a tile are a product of two matrices.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...flow.products import Camera
from .cloud import Cloud
from .projection import Splats, projected

TILE = 8
"""Pixels along a tile's side."""
_LEAST = 1 / 255  # opacity: what is less is nothing
_MOST = 0.99  # opacity of a splat, so that gradients reach what is behind it
_AT_ONCE = 1 << 17  # pixels of all splats of some tiles
_NOTHING = -1e4  # the logarithm of the opacity of what is not there


@dataclass(frozen=True)
class Tiles:
    """Which splats each tile has.

    numbers: int64 (T,), of the tiles that have some, row by row. splats: int64 (P,), tile by tile, from front to
    back. counts: int64 (T,), how many each has.
    """

    numbers: Tensor
    splats: Tensor
    counts: Tensor


def render(cloud: Cloud, camera: Camera, size: tuple[float, float]) -> Tensor:
    """What a camera sees: `shows` times opacity, and opacity, in [0, 1], (H, W, C + 1).

    size: rows and columns; of half a pixel beside the last ones there is a whole one.
    """
    splats = projected(cloud, camera, size)
    shape = math.ceil(size[0]), math.ceil(size[1])
    tiles = tiled(splats, cloud.opacities, shape)
    rows, columns = _tile_counts(shape)
    shows = torch.cat([cloud.shows, torch.ones_like(cloud.shows[:, :1])], dim=1)
    found = composited(splats, cloud.opacities, shows, tiles, columns)
    picture = found.new_zeros(rows * columns, TILE * TILE, shows.shape[1]).index_copy(0, tiles.numbers, found)
    picture = picture.view(rows, columns, TILE, TILE, -1).transpose(1, 2).reshape(rows * TILE, columns * TILE, -1)
    return picture[: shape[0], : shape[1]]


@torch.no_grad()
def tiled(splats: Splats, opacities: Tensor, shape: tuple[int, int]) -> Tiles:
    """Which splats, of opacities (G,) as logits, reach which tiles of a picture with an opacity that counts."""
    size = torch.tensor(shape[::-1], device=opacities.device)
    reach = (2 * (functional.logsigmoid(opacities) - torch.tensor(_LEAST).log())).clamp_min(0).sqrt()
    half = reach[:, None] * splats.spreads[:, [0, 2]].sqrt()
    first = ((splats.middles - half) / TILE).floor().clamp_min(0)
    last = torch.minimum(((splats.middles + half) / TILE).floor(), ((size - 1) // TILE).to(half.dtype))
    spans = torch.where((splats.shown & (reach > 0))[:, None], last - first + 1, 0).clamp_min(0).long()
    front = splats.depths.argsort(stable=True)
    counts = spans.prod(dim=1)[front]
    which = front.repeat_interleave(counts)
    within = torch.arange(len(which), device=which.device) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    across = spans[which, 0]
    columns = _tile_counts(shape)[1]
    tiles = (first[which, 1].long() + within // across) * columns + first[which, 0].long() + within % across
    tiles, order = tiles.sort(stable=True)
    numbers, counts = tiles.unique_consecutive(return_counts=True)
    return Tiles(numbers, which[order], counts)


def composited(splats: Splats, opacities: Tensor, shows: Tensor, tiles: Tiles, columns: int) -> Tensor:
    """What splats show, (G, C), over each other in each tile that has some, row by row in it: (T, TILE², C)."""
    a, b, c = splats.spreads.unbind(1)
    squares = torch.stack([c, -2 * b, a], dim=1) / (-2 * (a * c - b * b))[:, None]  # factors of xx, xy, yy
    table = torch.cat([splats.middles, squares, functional.logsigmoid(opacities)[:, None], shows], dim=1)
    longest = tiles.counts.argsort(descending=True, stable=True)
    starts = tiles.counts.cumsum(0) - tiles.counts
    found: list[Tensor] = []
    for some in _alike(longest, tiles.counts):
        slots = torch.arange(int(tiles.counts[some[0]]), device=some.device)
        there = slots < tiles.counts[some, None]
        which = tiles.splats[torch.where(there, starts[some, None] + slots, 0)]
        rows = table.index_select(0, which.flatten()).view(*which.shape, -1)
        corners = torch.stack([tiles.numbers[some] % columns, tiles.numbers[some] // columns], dim=1) * TILE
        x, y = (rows[..., :2] - corners[:, None]).unbind(2)
        xx, xy, yy, height = rows[..., 2:6].unbind(2)
        height = torch.where(there, height + xx * x * x + xy * x * y + yy * y * y, _NOTHING)
        factors = torch.stack([xx, xy, yy, -2 * xx * x - xy * y, -2 * yy * y - xy * x, height], dim=2)
        found.append(_Over.apply(factors, rows[..., 6:]))
    return torch.cat(found)[longest.argsort()] if found else shows[:0, None].expand(0, TILE * TILE, -1)


class _Over(torch.autograd.Function):
    """Splats over each other in S tiles, with K in each.

    factors: (S, K, 6), of x², xy, y², x, y and 1 in the logarithm of a splat's opacity at a place in its tile. shows:
    (S, K, C). The gradient of an opacity is what the splat shows less what it hides (Kerbl et al. 2023, appendix C).
    """

    @staticmethod
    def forward(ctx: Any, factors: Tensor, shows: Tensor) -> Tensor:  # noqa: ANN401 - torch has no type for it
        opacity = (factors @ _places(factors)).exp_()
        opacity = torch.where(opacity < _LEAST, 0, opacity.clamp_max_(_MOST))
        light = functional.pad((1 - opacity[:, :-1]).cumprod(dim=1), (0, 0, 1, 0), value=1.0)  # (S, K, TILE²)
        ctx.save_for_backward(factors, shows, opacity, light)
        return (opacity * light).transpose(1, 2) @ shows

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        (slope,) = slopes
        factors, shows, opacity, light = ctx.saved_tensors
        seen = opacity * light
        worth = shows @ slope.transpose(1, 2)
        behind = (seen * worth).flip(1).cumsum(dim=1).flip(1)
        change = light * worth - (behind - seen * worth) / (1 - opacity)
        change = torch.where(opacity < _MOST, change * opacity, 0)
        return change @ _places(factors).T, seen @ slope


def _places(like: Tensor) -> Tensor:
    """x², xy, y², x, y and 1 at the middles of a tile's pixels, row by row: (6, TILE²)."""
    steps = torch.arange(TILE, device=like.device, dtype=like.dtype) + 0.5
    y, x = (part.flatten() for part in torch.meshgrid(steps, steps, indexing="ij"))
    return torch.stack([x * x, x * y, y * y, x, y, torch.ones_like(x)])


def _alike(longest: Tensor, counts: Tensor) -> Iterator[Tensor]:
    """Tiles in order, as many at once as have room; those that are longest come first."""
    while len(longest):
        size = max(_AT_ONCE // (int(counts[longest[0]]) * TILE * TILE), 1)
        yield longest[:size]
        longest = longest[size:]


def _tile_counts(shape: tuple[int, int]) -> tuple[int, int]:
    return -(-shape[0] // TILE), -(-shape[1] // TILE)
