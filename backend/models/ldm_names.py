# SPDX-License-Identifier: GPL-3.0-or-later
"""The image autoencoder of latent diffusion (Rombach et al. 2022) from its published names into diffusers' class.

Published names are those below `first_stage_model.`. Sizes follow from the tensors' shapes.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .published import Place, count, filled, form_of

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

SCALING = 0.18215
"""What a latent is multiplied by, so that its deviation is about one."""

_NAMES = (
    (r"^(encoder|decoder)\.mid_block\.resnets\.0\.", r"\1.mid.block_1."),
    (r"^(encoder|decoder)\.mid_block\.resnets\.1\.", r"\1.mid.block_2."),
    (r"^(encoder|decoder)\.mid_block\.attentions\.0\.", r"\1.mid.attn_1."),
    (r"\.attn_1\.group_norm\.", ".attn_1.norm."),
    (r"\.attn_1\.to_([qkv])\.", r".attn_1.\1."),
    (r"\.attn_1\.to_out\.0\.", ".attn_1.proj_out."),
    (r"^encoder\.down_blocks\.(\d+)\.resnets\.", r"encoder.down.\1.block."),
    (r"^encoder\.down_blocks\.(\d+)\.downsamplers\.0\.", r"encoder.down.\1.downsample."),
    (r"^(encoder|decoder)\.conv_norm_out\.", r"\1.norm_out."),
    (r"\.conv_shortcut\.", ".nin_shortcut."),
)
_UP = re.compile(r"^decoder\.up_blocks\.(\d+)\.(resnets|upsamplers\.0)\.")
_MATRIX = re.compile(r"\.attn_1\.(q|k|v|proj_out)\.weight$")


def vae_place(name: str, levels: int) -> Place:
    """The place of a tensor of diffusers' AutoencoderKL with so many levels.

    The decoder's levels are published in the order of the encoder's, and built in the other. The attention's matrices
    are published as convolutions.
    """
    up = _UP.match(name)
    if up:
        part = "block" if up[2] == "resnets" else "upsample"
        name = f"decoder.up.{levels - 1 - int(up[1])}.{part}.{name[up.end() :]}"
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    return Place(name, form="convolution" if _MATRIX.search(name) else "same")


def vae_config(tensors: Mapping[str, Tensor], source: str) -> dict[str, Any]:
    """The arguments of diffusers' AutoencoderKL for published `tensors`, which need not hold the encoder.

    Raises UserError if a tensor that says a size is missing.
    """
    levels = max(count(tensors, "decoder.up."), 1)
    widths = [form_of(tensors, f"decoder.up.{i}.block.0.conv1.weight", source)[0] for i in range(levels)]
    return {
        "in_channels": form_of(tensors, "decoder.conv_out.weight", source)[0],
        "out_channels": form_of(tensors, "decoder.conv_out.weight", source)[0],
        "latent_channels": form_of(tensors, "decoder.conv_in.weight", source)[1],
        "block_out_channels": widths,
        "layers_per_block": count(tensors, "decoder.up.0.block.") - 1,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "use_quant_conv": "quant_conv.weight" in tensors,
        "use_post_quant_conv": "post_quant_conv.weight" in tensors,
        "scaling_factor": SCALING,
    }


def vae_from_ldm(tensors: Mapping[str, Tensor], source: str) -> "AutoencoderKL":
    """The autoencoder with published `tensors` of one dtype; without an encoder if they hold none.

    Then there is no convolution of the latent either, unless it is among them. Raises UserError, which names the tensor
    and its `source`, if one is missing, unknown or of another shape.
    """
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415

    config = vae_config(tensors, source)

    def build() -> AutoencoderKL:
        network: Any = AutoencoderKL.from_config(config)
        if not any(name.startswith("encoder.") for name in tensors):
            del network.encoder
        return network

    levels = len(config["block_out_channels"])
    return filled(build, tensors, lambda name: vae_place(name, levels), source, "autoencoder")
