# SPDX-License-Identifier: GPL-3.0-or-later
"""The UNet of Stable Diffusion 1 (Rombach et al. 2022) and its kin, from published names into diffusers' class.

Published names are those below `model.diffusion_model.`. Sizes follow from the tensors' shapes, but for the number of
heads. A network for frames has the same names, and more.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .published import Place, filled, form_of
from .video_unet_names import levels_of, video_unet_place

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

HEADS = 8
"""Of every attention in Stable Diffusion 1."""

_RESIDUAL = re.compile(r"\.resnets\.(\d+)\.")


def unet_place(name: str, layers: int, attended: tuple[bool, ...]) -> Place:
    """The place of a tensor of diffusers' UNet2DConditionModel.

    layers: residual blocks of a level on the way down. attended: whether each level, finest first, has attention.
    """
    return video_unet_place(_RESIDUAL.sub(r".resnets.\1.spatial_res_block.", name), layers, attended)


def unet_from_ldm(tensors: Mapping[str, Tensor], heads: int, source: str) -> "UNet2DConditionModel":
    """The network with published `tensors` of one dtype, in which every attention has so many heads.

    Raises UserError, which names the tensor and its `source`, if one is missing, unknown or of another shape.
    """
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    widths, layers, attended = levels_of(tensors, source)
    within = "middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    config = {
        "in_channels": form_of(tensors, "input_blocks.0.0.weight", source)[1],
        "out_channels": form_of(tensors, "out.2.weight", source)[0],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": [_kind("Down", crossed=one) for one in attended],
        "up_block_types": [_kind("Up", crossed=one) for one in reversed(attended)],
        "attention_head_dim": heads,  # the library's name for their number
        "cross_attention_dim": form_of(tensors, within, source)[1],
        "use_linear_projection": len(form_of(tensors, "middle_block.1.proj_in.weight", source)) == 2,
    }

    def build() -> UNet2DConditionModel:
        network: Any = UNet2DConditionModel.from_config(config)
        return network

    return filled(build, tensors, lambda name: unet_place(name, layers, attended), source, "UNet")


def _kind(way: str, *, crossed: bool) -> str:
    return f"{'CrossAttn' if crossed else ''}{way}Block2D"
