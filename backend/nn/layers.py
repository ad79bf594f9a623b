# SPDX-License-Identifier: GPL-3.0-or-later
"""The small parts that the dense and the sparse networks share.

The published networks run in half precision, but sums over channels and angles stay in float32: the norms here compute
in float32 (in float64 if they are given that) and return the dtype that they were given; the embeddings are float32.
Attribute names are those of the checkpoints, so that tensors load under their published names.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


def widened(x: Tensor) -> Tensor:
    """`x` in float32 if it is of half precision, else as it is."""
    return x.float() if x.dtype.itemsize < torch.float32.itemsize else x


def joined(parts: Iterable[Tensor], into: Tensor) -> Tensor:
    """The `parts` (n, ...), one after the other, in the dtype of `into` (N, ...).

    Each part is written into `into` before the next is made, so that only one is held beside it; `into` may be what the
    parts are made from. If gradients are on, which such writing would break, `into` stays as it is.
    """
    if torch.is_grad_enabled() and len(into):
        return torch.cat([part.to(into.dtype) for part in parts])
    start = 0
    for part in parts:
        into[start : start + len(part)].copy_(part)
        start += len(part)
    return into


class LayerNorm32(nn.LayerNorm):
    """Layer norm over the last axis in float32, whatever the input's dtype; the output has the input's dtype."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that torch gave it
        """Normalises `input` (..., C)."""
        return super().forward(widened(input)).to(input.dtype)


def layer_norm32(x: Tensor, eps: float) -> Tensor:
    """Layer norm over the last axis of `x` (..., C) without affine, in float32; the output has x's dtype."""
    return functional.layer_norm(widened(x), x.shape[-1:], eps=eps).to(x.dtype)


class HeadRMSNorm(nn.Module):
    """Root-mean-square norm of every head's queries or keys: x / |x| * gamma * sqrt(D), in float32.

    `gamma` (heads, D) stays float32. (Query-key normalisation; Henry et al. 2020, Dehghani et al. 2023.)
    """

    def __init__(self, head_channels: int, heads: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(heads, head_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises `x` (..., heads, D); the output has x's dtype."""
        scale = self.gamma * math.sqrt(x.shape[-1])
        return (functional.normalize(widened(x), dim=-1) * scale).to(x.dtype)


def cast_but_norms(part: nn.Module, dtype: torch.dtype) -> None:
    """Gives every parameter inside `part` the dtype, except those of norms, which stay as they are."""
    for module in part.modules():
        if not isinstance(module, nn.LayerNorm | nn.GroupNorm | HeadRMSNorm):
            for parameter in module.parameters(recurse=False):
                parameter.data = parameter.data.to(dtype)


class FeedForward(nn.Module):
    """Two linear layers with a GELU in its tanh form between them: (..., C) to (..., C)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.GELU("tanh"), nn.Linear(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Applies both layers to `x` (..., C)."""
        return self.mlp(x)


class TimestepEmbedder(nn.Module):
    """The embedding of the time: sines and cosines, then two linear layers, in float32."""

    def __init__(self, channels: int, waves: int = 256) -> None:
        super().__init__()
        self.waves = waves
        self.mlp = nn.Sequential(nn.Linear(waves, channels), nn.SiLU(), nn.Linear(channels, channels))

    def forward(self, t: Tensor) -> Tensor:
        """Embeds `t` float32 (B,), the network's time in [0, 1000], as float32 (B, channels)."""
        first = next(self.mlp.parameters())
        return self.mlp(timestep_embedding(t, self.waves).to(first.dtype))


def timestep_embedding(t: Tensor, channels: int) -> Tensor:
    """Embeds `t` (B,) as [cos(t w), sin(t w)], float32 (B, channels), with w_m = 10000^(-m / (channels / 2)).

    The frequencies are rounded to float32 as the networks were trained with them: at t = 1000 another order of
    operations moves an angle by 1e-4. (Dhariwal and Nichol 2021, after Vaswani et al. 2017.)
    """
    half = channels // 2
    exponents = torch.arange(half, dtype=torch.float32, device=t.device)
    frequencies = torch.exp(-math.log(10_000) * exponents / half)
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def position_embedding(coordinates: Tensor, channels: int) -> Tensor:
    """Embeds integer `coordinates` (..., 3) absolutely, as float32 (..., channels).

    The axes follow each other, each as [sin(c w), cos(c w)] with w_m = 10000^(-m / f) and f = channels // 6
    frequencies; the remaining channels are zero. (Vaswani et al. 2017, section 3.5, for three axes.)
    """
    count = channels // 6
    exponents = torch.arange(count, dtype=torch.float32, device=coordinates.device) / count
    angles = coordinates[..., None] * (1 / 10_000**exponents)
    waves = torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)
    return functional.pad(waves, (0, channels - waves.shape[-1]))


def require_absolute_positions(pe_mode: str) -> None:
    """Raises ValueError unless a network's description asks for `position_embedding`, by its published name "ape"."""
    if pe_mode != "ape":
        raise ValueError(f"pe_mode is {pe_mode!r}: only 'ape' (absolute positions) is known")
