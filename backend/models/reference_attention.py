# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference attention: a picture's tokens attend to their own and to those of another picture (Zero123++, section 2.3).

The UNet goes over the other picture first. Every self-attention keeps the tokens that it reads; in the next pass it
reads keys and values from its own tokens and from those that it kept.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..nn.attention import attend

if TYPE_CHECKING:
    from diffusers.models.attention_processor import Attention
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel


class ReferenceAttention:
    """How one self-attention of diffusers is computed.

    remembering: whether to keep the tokens of this pass; else the kept ones are read as well. kept: (B, M, C).
    """

    def __init__(self) -> None:
        self.remembering = False
        self.kept: Tensor | None = None

    def __call__(
        self,
        attn: "Attention",
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """The attention's result for tokens (B, N, C), of the same shape. It has neither other tokens nor a mask."""
        if encoder_hidden_states is not None or attention_mask is not None:
            raise ValueError("a self-attention without a mask is expected")
        layer: Any = attn
        seen = hidden_states
        if self.remembering:
            self.kept = hidden_states
        elif self.kept is not None:
            seen = torch.cat([hidden_states, self.kept], dim=1)
        projected = (layer.to_q(hidden_states), layer.to_k(seen), layer.to_v(seen))
        q, k, v = (tokens.unflatten(-1, (layer.heads, -1)) for tokens in projected)
        return layer.to_out[0](attend(q, k, v).flatten(-2))


def attach(unet: "UNet2DConditionModel") -> list[ReferenceAttention]:
    """Gives every self-attention of `unet` a `ReferenceAttention`, and returns them."""
    from diffusers.models.attention import BasicTransformerBlock  # noqa: PLC0415

    attached: list[ReferenceAttention] = []
    for part in unet.modules():
        if isinstance(part, BasicTransformerBlock):
            own: Any = ReferenceAttention()  # the library lists the types of its own
            part.attn1.set_processor(own)
            attached.append(own)
    return attached


@contextmanager
def remembering(attentions: list[ReferenceAttention]) -> Generator[None]:
    """Inside the context every attention keeps the tokens that it reads."""
    for attention in attentions:
        attention.remembering = True
    try:
        yield
    finally:
        for attention in attentions:
            attention.remembering = False


def forget(attentions: list[ReferenceAttention]) -> None:
    """Lets the kept tokens go."""
    for attention in attentions:
        attention.kept = None
