# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture's features at four scales: the Swin transformer (Liu et al. 2021).

Attention is inside square windows. In every second block the windows are shifted by half their side, cyclically, so
that neighbours from different windows attend to each other; a mask separates tokens that are in one window only because
of the cyclic shift. Each stage halves the picture and doubles the channels. Attribute names are those of the
checkpoints.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = 4
_PATCH = 4  # pixels along the side of what becomes a token


class Swin(nn.Module):
    """The backbone: stages of `depths` blocks, with `embed_dim` times 1, 2, 4 and 8 channels."""

    def __init__(self, embed_dim: int, depths: Sequence[int], num_heads: Sequence[int], window_size: int) -> None:
        super().__init__()
        widths = [embed_dim * 2**i for i in range(STAGES)]
        self.patch_embed = PatchEmbedding(embed_dim)
        self.layers = nn.ModuleList(
            SwinStage(width, depth, heads, window_size, merges=width < widths[-1])
            for width, depth, heads in zip(widths, depths, num_heads, strict=True)
        )
        self.norm0, self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for width in widths)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features of `picture` (B, 3, H, W): (B, C, H / 4, W / 4), (B, 2 C, H / 8, W / 8) and so on, rounded up.

        H and W are multiples of 4.
        """
        x = self.patch_embed(picture)
        features: list[Tensor] = []
        for stage, norm in zip(self.layers, (self.norm0, self.norm1, self.norm2, self.norm3), strict=True):
            blocks, x = stage(x)
            features.append(norm(blocks).movedim(-1, 1))
        return features


class PatchEmbedding(nn.Module):
    """From pixels to tokens."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, _PATCH, stride=_PATCH)
        self.norm = nn.LayerNorm(channels)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, H / 4, W / 4, C)."""
        return self.norm(self.proj(picture).movedim(1, -1))


class SwinStage(nn.Module):
    """Blocks at one scale and, if it `merges`, the step to the next."""

    def __init__(self, channels: int, depth: int, heads: int, window: int, *, merges: bool) -> None:
        super().__init__()
        self.window = window
        self.shift = window // 2
        self.blocks = nn.ModuleList(Block(channels, heads, window, (i % 2) * self.shift) for i in range(depth))
        self.downsample = PatchMerging(channels) if merges else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`x` (B, H, W, C) after the blocks, and the input of the next stage."""
        height, width = (-(-side // self.window) * self.window for side in x.shape[1:3])
        with x.device:
            mask = shift_mask(height, width, self.window, self.shift).to(x.dtype)
        for block in self.blocks:
            x = block(x, mask)
        return x, self.downsample(x)


class Block(nn.Module):
    """Attention inside windows that are shifted by `shift` tokens, then two layers on every token."""

    def __init__(self, channels: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window = window
        self.shift = shift
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, heads, window)
        self.norm2 = nn.LayerNorm(channels)
        hidden = 4 * channels
        self.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(channels, hidden), act=nn.GELU(), fc2=nn.Linear(hidden, channels))
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Transforms `x` (B, H, W, C); `mask`, from `shift_mask`, is used if the windows are shifted."""
        x = x + self._attend(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        # Zeros fill the last windows. As in the published network, tokens attend to them.
        x = functional.pad(x, (0, 0, 0, -width % self.window, 0, -height % self.window))
        padded = x.shape[1:3]
        if self.shift:
            x = x.roll((-self.shift, -self.shift), dims=(1, 2))
        x = self.attn(to_windows(x, self.window), mask if self.shift else None)
        x = from_windows(x, self.window, *padded)
        if self.shift:
            x = x.roll((self.shift, self.shift), dims=(1, 2))
        return x[:, :height, :width]


class WindowAttention(nn.Module):
    """Self-attention of a window's tokens, with a bias by the distance between two of them."""

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_positions(window))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Attention inside the windows `x` (B W, N, C); `mask` (W, N, N) is added to the scores of every item."""
        index = self.get_buffer("relative_position_index")
        bias = self.relative_position_bias_table[index].movedim(-1, 0)  # (heads, N, N)
        if mask is not None:
            bias = bias + mask.repeat(len(x) // len(mask), 1, 1)[:, None]
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B W, heads, N, D) each
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class PatchMerging(nn.Module):
    """From four tokens to one of twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to (B, H / 2, W / 2, 2 C), rounded up with zeros."""
        x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        # Of each four tokens the left two come first, the upper before the lower.
        x = x.unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return self.reduction(self.norm(x))


def to_windows(x: Tensor, window: int) -> Tensor:
    """Cuts `x` (B, H, W, C) into windows of tokens, row by row: (B windows, window², C)."""
    x = x.unflatten(2, (-1, window)).unflatten(1, (-1, window)).transpose(2, 3)
    return x.flatten(3, 4).flatten(0, 2)


def from_windows(windows: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of `to_windows`: (B, H, W, C)."""
    x = windows.view(-1, height // window, width // window, window, window, windows.shape[-1])
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def relative_positions(window: int) -> Tensor:
    """The row of the bias table for every two tokens of a window: int64 (window², window²).

    For a token d rows below the other and e columns to its right it is (d + window - 1) (2 window - 1) + e + window -
    1.
    """
    row, column = torch.cartesian_prod(torch.arange(window), torch.arange(window)).unbind(-1)
    down, right = row[:, None] - row, column[:, None] - column
    return (down + window - 1) * (2 * window - 1) + right + window - 1


def shift_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """The mask for shifted windows, added to the scores: 0, or -infinity for two tokens that are not neighbours.

    Float32 (windows, window², window²) for pictures of `height` x `width` tokens, both multiples of `window`.
    """
    went_down, went_right = ((torch.arange(side) >= side - shift).int() for side in (height, width))
    region = to_windows((2 * went_down[:, None] + went_right)[None, ..., None], window)[..., 0]
    return torch.where(region[:, None] == region[:, :, None], 0.0, -torch.inf)
