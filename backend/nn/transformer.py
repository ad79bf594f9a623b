# SPDX-License-Identifier: GPL-3.0-or-later
"""The diffusion transformer that both flow models have in their middle.

Its blocks are self-attention, cross-attention to the picture's tokens and a feed-forward part; the first and the last
are modulated by the time (DiT with adaLN-Zero; Peebles and Xie 2023, section 3.2). Two inputs of a block are computed
separately, because several evaluations share them: the *modulation* depends on the time alone, so all seeds and the
guided pair share it; the *context* depends on the picture alone, so all steps share it.

Tokens are (B, L, C), of the same number in each batch item. Objects of different sizes go through one at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from .attention import attend
from .initial_weights import set_linear, set_zero
from .layers import FeedForward, HeadRMSNorm, LayerNorm32, TimestepEmbedder, cast_but_norms, layer_norm32
from .recompute import recomputing
from .sampler import Velocity

_EPS = 1e-6
_TIMES = 128  # kept for each network: 38 MB for a full-size one in half precision


@dataclass(frozen=True)
class KeysValues:
    """The keys and values of a picture's tokens in one cross-attention, each (B, tokens, heads, D)."""

    keys: Tensor
    values: Tensor


Context = KeysValues | Tensor
"""The input of one cross-attention: a picture, or without one the vector (C,) that it adds to every token."""


@dataclass(frozen=True)
class Time:
    """The time for the network: its embedding (B, C) and every block's modulation (B, 1, 6 C)."""

    embedding: Tensor
    modulations: list[Tensor]


class SelfAttention(nn.Module):
    """Multi-head attention of the tokens to each other, with normalised queries and keys if `qk_rms_norm`."""

    def __init__(self, channels: int, heads: int, *, qk_rms_norm: bool) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels are not a multiple of {heads} heads")
        self.heads = heads
        self.to_qkv = nn.Linear(channels, 3 * channels)
        self.q_rms_norm = HeadRMSNorm(channels // heads, heads) if qk_rms_norm else nn.Identity()
        self.k_rms_norm = HeadRMSNorm(channels // heads, heads) if qk_rms_norm else nn.Identity()
        self.to_out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Mixes `x` (B, L, C) with itself."""
        q, k, v = self.to_qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(-3)  # (B, L, H, D) each
        mixed = attend(self.q_rms_norm(q), self.k_rms_norm(k), v)
        return self.to_out(mixed.flatten(-2))


class CrossAttention(nn.Module):
    """Multi-head attention of the tokens to a picture's."""

    def __init__(self, channels: int, context_channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels)
        self.to_kv = nn.Linear(context_channels, 2 * channels)
        self.to_out = nn.Linear(channels, channels)

    def read(self, tokens: Tensor) -> KeysValues:
        """The keys and values of a picture's `tokens` (B, T, context channels)."""
        keys, values = self.to_kv(tokens).unflatten(-1, (2, self.heads, -1)).unbind(-3)
        return KeysValues(keys, values)

    def read_nothing(self) -> Tensor:
        """The vector (C,) that attention to tokens of zeros adds to every token.

        Their values are all the bias of `to_kv`, so every weighted mean of them is that bias too.
        """
        _, value = self.to_kv.bias.chunk(2)
        return self.to_out(value)

    def forward(self, x: Tensor, context: KeysValues) -> Tensor:
        """Mixes the picture into `x` (B, L, C)."""
        q = self.to_q(x).unflatten(-1, (self.heads, -1))
        return self.to_out(attend(q, context.keys, context.values).flatten(-2))


class ModulatedBlock(nn.Module):
    """One block: modulated self-attention, cross-attention as it is, modulated feed-forward."""

    def __init__(
        self, channels: int, context_channels: int, heads: int, mlp_ratio: float, *, qk_rms_norm: bool
    ) -> None:
        super().__init__()
        self.self_attn = SelfAttention(channels, heads, qk_rms_norm=qk_rms_norm)
        self.norm2 = LayerNorm32(channels, eps=_EPS)
        self.cross_attn = CrossAttention(channels, context_channels, heads)
        self.mlp = FeedForward(channels, int(channels * mlp_ratio))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(channels, 6 * channels))

    def modulation(self, embedding: Tensor) -> Tensor:
        """Shift, scale and gate of the self-attention, then of the feed-forward part: (B, C) to (B, 1, 6 C)."""
        return self.adaLN_modulation(embedding)[:, None]

    def context(self, tokens: Tensor | None) -> Context:
        """The input of the cross-attention for a picture's `tokens` (B, T, context channels), or for no picture."""
        return self.cross_attn.read_nothing() if tokens is None else self.cross_attn.read(tokens)

    def forward(self, x: Tensor, modulation: Tensor, context: Context) -> Tensor:
        """Transforms the tokens `x` (B, L, C)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation.chunk(6, dim=-1)
        x = x + gate1 * self.self_attn(_modulate(x, shift1, scale1))
        x = x + (self.cross_attn(self.norm2(x), context) if isinstance(context, KeysValues) else context)
        return x + gate2 * self.mlp(_modulate(x, shift2, scale2))


class DiffusionTransformer(nn.Module):
    """The time's embedding and the blocks; the flow models add the layers between their state and tokens."""

    out_layer: nn.Linear  # the last, which the flow models add

    def __init__(
        self,
        channels: int,
        context_channels: int,
        blocks: int,
        heads: int,
        mlp_ratio: float = 4,
        *,
        qk_rms_norm: bool = False,
    ) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.recomputed = 0  # so many blocks, the first, are computed again for their gradients
        self._times: dict[tuple[float, torch.dtype, torch.device], Time] = {}
        self.register_load_state_dict_post_hook(_forget_times)
        self.t_embedder = TimestepEmbedder(channels)
        self.blocks = nn.ModuleList(
            ModulatedBlock(channels, context_channels, heads, mlp_ratio, qk_rms_norm=qk_rms_norm) for _ in range(blocks)
        )

    def set_initial_weights(self) -> None:
        """Gives every linear layer the weights that training starts from; the velocity is 0 everywhere then.

        The modulation is 0, so that each block adds only what its cross-attention does (adaLN-Zero).
        """
        set_linear(self)
        for layer in self.t_embedder.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)
        for block in self._blocks():
            set_zero(block.adaLN_modulation)
        set_zero(self.out_layer)

    def time(self, t: Tensor) -> Time:
        """The time for the network from `t` float32 (B,) or (1,), the flow's time times 1000."""
        embedding = self.t_embedder(t).to(self.dtype)
        return Time(embedding, [block.modulation(embedding) for block in self._blocks()])

    def time_at(self, t: float, device: torch.device) -> Time:
        """The same for the flow's time `t` in [0, 1] and every item. The last times are kept, except in training.

        A schedule has the same times with every picture and seed.
        """
        if self.training or torch.is_grad_enabled():
            return self.time(torch.full((1,), 1000 * t, dtype=torch.float32, device=device))
        key = (t, self.dtype, device)
        if key not in self._times:
            if len(self._times) >= _TIMES:
                del self._times[next(iter(self._times))]
            # Filled on the device: a number from the CPU would have to wait for the device's queue.
            self._times[key] = self.time(torch.full((1,), 1000 * t, dtype=torch.float32, device=device))
        return self._times[key]

    def contexts(self, tokens: Tensor | None) -> list[Context]:
        """The contexts of all blocks for a picture's `tokens` (B, T, context channels); None is no picture (zeros)."""
        inner = None if tokens is None else tokens.to(self.dtype)
        return [block.context(inner) for block in self._blocks()]

    def transform(self, h: Tensor, time: Time, contexts: list[Context]) -> Tensor:
        """Runs the tokens `h` (B, L, C), in the blocks' dtype, through every block."""
        inputs = zip(self._blocks(), time.modulations, contexts, strict=True)
        for i, (block, modulation, context) in enumerate(inputs):
            h = recomputing(block, h, modulation, context) if i < self.recomputed else block(h, modulation, context)
        return h

    def bound_to(self, tokens: Tensor, *more: Any) -> Velocity[Tensor]:  # noqa: ANN401  whatever forward takes
        """The flow model as the sampler calls it, for the picture with `tokens` (1 or B, T, context channels).

        `more` follows the state, the time and the contexts in every call of `forward`. Contexts are computed here.
        """
        contexts = {True: self.contexts(tokens), False: self.contexts(None)}

        def velocity(x: Tensor, t: float, *, conditional: bool) -> Tensor:
            return self(x, self.time_at(t, x.device), contexts[conditional], *more)

        return velocity

    def compute_in(self, dtype: torch.dtype) -> None:
        """Sets the `dtype` that the blocks multiply in; the layers before and after them keep theirs."""
        self.dtype = dtype
        cast_but_norms(self.blocks, dtype)
        self.forget_times()

    def forget_times(self) -> None:
        """Drops the times that `time_at` keeps; call it after weights were changed in place."""
        self._times.clear()

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002  torch's own
        """Switches to training or, with `mode` False, to inference, with times of the weights that training made."""
        self.forget_times()
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:  # noqa: FBT001, FBT002  torch's own
        """Moves or casts every tensor, and drops the times, which were computed with the old ones."""
        self.forget_times()
        return super()._apply(fn, recurse)

    def _blocks(self) -> list[ModulatedBlock]:
        return [block for block in self.blocks if isinstance(block, ModulatedBlock)]


def _forget_times(network: nn.Module, _: object) -> None:
    """Drops the times, which other weights change."""
    if isinstance(network, DiffusionTransformer):
        network.forget_times()


def _modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return torch.addcmul(shift, layer_norm32(x, _EPS), 1 + scale)
