# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture by attention: a picture's network reads keys and values from the tokens of another picture.

Only the UNet's last self-attentions do, whose tokens are the finest (HiFi-123, section 3.1; the idea is that of Cao et
al., MasaCtrl, 2023).
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

FIRST_LAYER = 12
"""The first of Stable Diffusion 2's 16 self-attentions, in the order in which they are computed, that reads others."""


def self_attentions(unet: "UNet2DConditionModel") -> list[nn.Module]:
    """The UNet's self-attentions in the order in which they are computed: down, in the middle, up."""
    blocks: Any = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [
        layer.attn1
        for block in blocks
        for transformer in getattr(block, "attentions", None) or ()
        for layer in transformer.transformer_blocks
    ]


@contextmanager
def recording(layers: Sequence[nn.Module]) -> Generator[list[Tensor]]:
    """Gives a list to which the tokens that each of the layers reads, (B, N, C), are added when it is computed."""
    seen: list[Tensor] = []

    def note(_: nn.Module, given: tuple[Any, ...]) -> None:
        seen.append(given[0])

    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def injecting(layers: Sequence[nn.Module], tokens: Sequence[Tensor]) -> Generator[None]:
    """Makes the layers read keys and values from `tokens`, one (1, N, C) for each layer; queries stay their own."""

    def inject(of: Tensor) -> Any:  # noqa: ANN401
        def read(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            own: Tensor = given[0]
            return given, {**named, "encoder_hidden_states": of.to(own).expand(len(own), -1, -1)}

        return read

    pairs = zip(layers, tokens, strict=True)
    hooks = [layer.register_forward_pre_hook(inject(of), with_kwargs=True) for layer, of in pairs]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
