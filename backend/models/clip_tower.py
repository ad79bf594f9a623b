# SPDX-License-Identifier: GPL-3.0-or-later
"""CLIP's picture tower (Radford et al. 2021) from OpenAI's and OpenCLIP's names into transformers' class.

Published names are those below `visual.`. OpenAI's model has a quick approximation of GELU, OpenCLIP's has GELU itself.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from .published import Place, count, filled, form_of

if TYPE_CHECKING:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

Activation = Literal["gelu", "quick_gelu"]
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the colours in [0, 1] that CLIP was trained with."""

REMNANTS = frozenset(
    {
        *("positional_embedding", "text_projection", "logit_scale"),
        *("token_embedding.weight", "ln_final.weight", "ln_final.bias"),
    }
)
"""What is left of the text tower in published checkpoints that need the picture tower alone, beside `visual.`."""

_NAMES = (
    (r"^vision_model\.embeddings\.class_embedding$", "class_embedding"),
    (r"^vision_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^vision_model\.embeddings\.patch_embedding\.", "conv1."),
    (r"^vision_model\.pre_layrnorm\.", "ln_pre."),
    (r"^vision_model\.post_layernorm\.", "ln_post."),
    (r"^vision_model\.encoder\.layers\.(\d+)\.", r"transformer.resblocks.\1."),
    (r"\.self_attn\.", ".attn."),
    (r"\.layer_norm([12])\.", r".ln_\1."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
)
_FUSED = re.compile(r"\.attn\.([qkv])_proj\.(weight|bias)$")


def tower_place(name: str) -> Place:
    """The place of a tensor of transformers' CLIPVisionModelWithProjection."""
    if name == "visual_projection.weight":
        return Place("proj", form="transposed")
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    fused = _FUSED.search(name)
    if fused:
        return Place(f"{name[: fused.start()]}.attn.in_proj_{fused[2]}", third="qkv".index(fused[1]))
    return Place(name)


def tower_config(
    tensors: Mapping[str, Tensor], head_width: int, activation: Activation, source: str
) -> "CLIPVisionConfig":
    """The description of the tower with published `tensors`, whose shapes give all sizes but that of a head.

    Raises UserError if a tensor that says a size is missing.
    """
    from transformers import CLIPVisionConfig  # noqa: PLC0415

    width, colours, patch, _ = form_of(tensors, "conv1.weight", source)
    places = form_of(tensors, "positional_embedding", source)[0]
    return CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=form_of(tensors, "transformer.resblocks.0.mlp.c_fc.weight", source)[0],
        projection_dim=form_of(tensors, "proj", source)[1],
        num_hidden_layers=count(tensors, "transformer.resblocks."),
        num_attention_heads=width // head_width,
        num_channels=colours,
        image_size=round((places - 1) ** 0.5) * patch,
        patch_size=patch,
        hidden_act=activation,
        layer_norm_eps=1e-5,
    )


def tower_from_openai(
    tensors: Mapping[str, Tensor], head_width: int, activation: Activation, source: str
) -> "CLIPVisionModelWithProjection":
    """The tower with published `tensors` of one dtype.

    Raises UserError, which names the tensor and its `source`, if one is missing, unknown or of another shape.
    """
    from transformers import CLIPVisionModelWithProjection  # noqa: PLC0415

    config = tower_config(tensors, head_width, activation, source)
    network = filled(lambda: CLIPVisionModelWithProjection(config), tensors, tower_place, source, "CLIP picture tower")
    parts: Any = network
    places = torch.arange(len(tensors["positional_embedding"]))
    parts.vision_model.embeddings.position_ids = places[None]  # no tensor of the checkpoint
    return network


def features(network: "CLIPVisionModelWithProjection", pixels: Tensor) -> Tensor:
    """The projected features (B, P) of `pixels` (B, 3, S, S), which have CLIP's mean 0 and deviation 1."""
    weight = next(network.parameters())
    return network(pixels.to(weight.dtype)).image_embeds


def normalised(pixels: Tensor) -> Tensor:
    """Colours in [0, 1], (B, 3, H, W), with CLIP's mean 0 and deviation 1."""
    mean, deviation = (pixels.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (pixels - mean) / deviation
