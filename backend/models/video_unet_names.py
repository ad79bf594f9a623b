# SPDX-License-Identifier: GPL-3.0-or-later
"""Stable Video Diffusion's network (Blattmann et al. 2023) and its kin, from published names into diffusers' class.

Published names are those below `model.diffusion_model.`. Hi3D's and SV3D's networks differ in the channels that they
take and in the width of the conditioning vector; all sizes but a head's follow from the tensors' shapes.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from .published import Place, count, filled, form_of

if TYPE_CHECKING:
    from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

HEAD_WIDTH = 64
"""Of every published network."""

_EPS = 1e-5
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_BLOCK = re.compile(r"^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.")
_HALF = re.compile(r"\.(spatial|temporal)_res_block\.(\w+)\.")


def video_unet_place(name: str, layers: int, attended: tuple[bool, ...]) -> Place:
    """The place of a tensor of diffusers' UNetSpatioTemporalConditionModel.

    layers: residual blocks of a level on the way down. attended: whether each level, finest first, has attention.
    """
    for ours, published in _ENDS.items():
        if name.startswith(f"{ours}."):
            name = published + name.removeprefix(ours)
    block = _BLOCK.match(name)
    if block:
        start = _block_name(block[1], int(block[2]), block[3], int(block[4]), layers, attended)
        rest = name[block.end() :]
        name = f"{start}.{rest.removeprefix('conv.') if start.endswith('.op') else rest}"
    half = _HALF.search(name)
    if half:
        stack = "" if half[1] == "spatial" else "time_stack."
        name = f"{name[: half.start()]}.{stack}{_RESIDUAL[half[2]]}.{name[half.end() :]}"
    name = name.replace(".temporal_transformer_blocks.", ".time_stack.")
    name = name.replace(".time_pos_embed.linear_1.", ".time_pos_embed.0.")
    return Place(name.replace(".time_pos_embed.linear_2.", ".time_pos_embed.2."))


def _block_name(way: str, level: int, part: str, number: int, layers: int, attended: tuple[bool, ...]) -> str:
    """The published name of a part of a level, whose blocks are counted through all levels."""
    if way == "down":
        first = 1 + level * (layers + 1)
        if part == "downsamplers":
            return f"input_blocks.{first + layers}.0.op"
        return f"input_blocks.{first + number}.{int(part == 'attentions')}"
    first = level * (layers + 1)
    if part == "upsamplers":
        return f"output_blocks.{first + layers}.{1 + attended[len(attended) - 1 - level]}"
    return f"output_blocks.{first + number}.{int(part == 'attentions')}"


def levels_of(tensors: Mapping[str, Tensor], source: str) -> tuple[list[int], int, tuple[bool, ...]]:
    """Of a published network: the levels' widths, the residual blocks of a level, and whether each has attention.

    A level ends with what shrinks it, the last with the way down. Raises UserError if a tensor that says so is missing.
    """
    blocks = count(tensors, "input_blocks.")
    levels = 1 + sum(f"input_blocks.{i}.0.op.weight" in tensors for i in range(blocks))
    layers = max(blocks // levels - 1, 1)
    firsts = [1 + level * (layers + 1) for level in range(levels)]
    widths = [form_of(tensors, f"input_blocks.{first}.0.in_layers.2.weight", source)[0] for first in firsts]
    return widths, layers, tuple(f"input_blocks.{first}.1.norm.weight" in tensors for first in firsts)


def video_unet_config(tensors: Mapping[str, Tensor], head_width: int, source: str) -> dict[str, Any]:
    """The arguments of diffusers' UNetSpatioTemporalConditionModel for published `tensors`.

    Raises UserError if a tensor that says a size is missing.
    """
    widths, layers, attended = levels_of(tensors, source)
    within = "middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    depth = sum(
        name.startswith("middle_block.1.transformer_blocks.") and name.endswith(".norm1.weight") for name in tensors
    )
    return {
        "in_channels": form_of(tensors, "input_blocks.0.0.weight", source)[1],
        "out_channels": form_of(tensors, "out.2.weight", source)[0],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": [_kind(one, "CrossAttnDown", "Down") for one in attended],
        "up_block_types": [_kind(one, "CrossAttnUp", "Up") for one in reversed(attended)],
        "num_attention_heads": [max(width // head_width, 1) for width in widths],
        "cross_attention_dim": form_of(tensors, within, source)[1],
        "transformer_layers_per_block": depth,
        "projection_class_embeddings_input_dim": form_of(tensors, "label_emb.0.0.weight", source)[1],
    }


def video_unet_from_sgm(
    tensors: Mapping[str, Tensor], head_width: int, source: str
) -> "UNetSpatioTemporalConditionModel":
    """The network with published `tensors` of one dtype.

    Raises UserError, which names the tensor and its `source`, if one is missing, unknown or of another shape.
    """
    from diffusers.models.unets.unet_spatio_temporal_condition import (  # noqa: PLC0415
        UNetSpatioTemporalConditionModel,
    )

    config = video_unet_config(tensors, head_width, source)
    _, layers, attended = levels_of(tensors, source)

    def build() -> UNetSpatioTemporalConditionModel:
        network: Any = UNetSpatioTemporalConditionModel.from_config(config)
        return _with_published_epsilon(network)

    return filled(build, tensors, lambda name: video_unet_place(name, layers, attended), source, "network of frames")


def _with_published_epsilon(network: "UNetSpatioTemporalConditionModel") -> "UNetSpatioTemporalConditionModel":
    """The network with 1e-5 in the norms of its residual blocks, as published; diffusers gives most of them 1e-6."""
    for name, part in network.named_modules():
        if isinstance(part, nn.GroupNorm) and _HALF.search(f".{name}."):
            part.eps = _EPS
    return network


def _kind(attended: bool, crossed: str, plain: str) -> str:  # noqa: FBT001
    return f"{crossed if attended else plain}BlockSpatioTemporal"
