# SPDX-License-Identifier: GPL-3.0-or-later
"""MiDaS 3's DPT-Hybrid (Ranftl et al. 2021) from its published names into transformers' class.

Published names are those of `dpt_hybrid_384.pt`. All sizes but a head's follow from the tensors' shapes.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from .published import Place, count, filled, form_of

if TYPE_CHECKING:
    from transformers import DPTConfig, DPTForDepthEstimation

HEAD_WIDTH = 64
"""Of the published network."""

REMNANTS = frozenset({"pretrained.model.head.weight", "pretrained.model.head.bias"})
"""The classifier of what the network was made from; nothing reads it."""

_STANDARDISATION = 1e-8  # what is added to a convolution's variance before its weights are divided by the root
_NAMES = (
    (r"^dpt\.embeddings\.cls_token$", "pretrained.model.cls_token"),
    (r"^dpt\.embeddings\.position_embeddings$", "pretrained.model.pos_embed"),
    (r"^dpt\.embeddings\.projection\.", "pretrained.model.patch_embed.proj."),
    (r"^dpt\.embeddings\.backbone\.bit\.embedder\.convolution\.", "pretrained.model.patch_embed.backbone.stem.conv."),
    (r"^dpt\.embeddings\.backbone\.bit\.embedder\.", "pretrained.model.patch_embed.backbone.stem."),
    (
        r"^dpt\.embeddings\.backbone\.bit\.encoder\.stages\.(\d+)\.layers\.",
        r"pretrained.model.patch_embed.backbone.stages.\1.blocks.",
    ),
    (r"^dpt\.encoder\.layer\.(\d+)\.attention\.output\.dense\.", r"pretrained.model.blocks.\1.attn.proj."),
    (r"^dpt\.encoder\.layer\.(\d+)\.intermediate\.dense\.", r"pretrained.model.blocks.\1.mlp.fc1."),
    (r"^dpt\.encoder\.layer\.(\d+)\.output\.dense\.", r"pretrained.model.blocks.\1.mlp.fc2."),
    (r"^dpt\.encoder\.layer\.(\d+)\.layernorm_before\.", r"pretrained.model.blocks.\1.norm1."),
    (r"^dpt\.encoder\.layer\.(\d+)\.layernorm_after\.", r"pretrained.model.blocks.\1.norm2."),
    (r"^dpt\.encoder\.layer\.", "pretrained.model.blocks."),
    (r"^dpt\.layernorm\.", "pretrained.model.norm."),
    (r"^neck\.reassemble_stage\.readout_projects\.2\.0\.", "pretrained.act_postprocess3.0.project.0."),
    (r"^neck\.reassemble_stage\.readout_projects\.3\.0\.", "pretrained.act_postprocess4.0.project.0."),
    (r"^neck\.reassemble_stage\.layers\.2\.projection\.", "pretrained.act_postprocess3.3."),
    (r"^neck\.reassemble_stage\.layers\.3\.projection\.", "pretrained.act_postprocess4.3."),
    (r"^neck\.reassemble_stage\.layers\.3\.resize\.", "pretrained.act_postprocess4.4."),
    (r"\.residual_layer([12])\.convolution([12])\.", r".resConfUnit\1.conv\2."),
    (r"^(neck\.fusion_stage\.layers\.\d+)\.projection\.", r"\1.out_conv."),
    (r"^head\.head\.", "scratch.output_conv."),
)
_FUSED = re.compile(r"^(.+)\.attention\.attention\.(query|key|value)\.(weight|bias)$")
_LEVEL = re.compile(r"^neck\.(convs|fusion_stage\.layers)\.(\d+)\.")


def depth_place(name: str) -> Place:
    """The place of a tensor of transformers' DPTForDepthEstimation."""
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    fused = _FUSED.match(name)
    if fused:
        return Place(f"{fused[1]}.attn.qkv.{fused[3]}", third=("query", "key", "value").index(fused[2]))
    level = _LEVEL.match(name)
    if level:
        number = int(level[2])
        start = f"layer{number + 1}_rn" if level[1] == "convs" else f"refinenet{4 - number}"
        name = f"scratch.{start}.{name[level.end() :]}"
    return Place(name)


def depth_config(tensors: Mapping[str, Tensor], head_width: int, source: str) -> "DPTConfig":
    """The description of the network with published `tensors`. Raises UserError if one that says a size is missing."""
    from transformers import BitConfig, DPTConfig  # noqa: PLC0415

    backbone = "pretrained.model.patch_embed.backbone"
    stages = count(tensors, f"{backbone}.stages.")
    widths = [form_of(tensors, f"{backbone}.stages.{i}.blocks.0.conv3.weight", source)[0] for i in range(stages)]
    sizes: dict[str, Any] = {  # out_features is no parameter of the class's stub
        "embedding_size": form_of(tensors, f"{backbone}.stem.conv.weight", source)[0],
        "hidden_sizes": widths,
        "depths": [count(tensors, f"{backbone}.stages.{i}.blocks.") for i in range(stages)],
        "out_features": [f"stage{i + 1}" for i in range(stages)],
    }
    described = BitConfig(**sizes, layer_type="bottleneck", global_padding="same", embedding_dynamic_padding=True)
    _, places, width = form_of(tensors, "pretrained.model.pos_embed", source)
    blocks = count(tensors, "pretrained.model.blocks.")
    side = round((places - 1) ** 0.5)
    return DPTConfig(
        is_hybrid=True,
        backbone_config=described,
        backbone_featmap_shape=[1, widths[-1] if widths else 1, side, side],
        hidden_size=width,
        intermediate_size=form_of(tensors, "pretrained.model.blocks.0.mlp.fc1.weight", source)[0],
        num_hidden_layers=blocks,
        num_attention_heads=width // head_width,
        backbone_out_indices=[2, 5, *(blocks * i // 4 - 1 for i in (3, 4))],
        image_size=side * 16,
        patch_size=16,
        readout_type="project",
        neck_hidden_sizes=[form_of(tensors, f"scratch.layer{i}_rn.weight", source)[1] for i in (1, 2, 3, 4)],
        neck_ignore_stages=[0, 1],
        fusion_hidden_size=form_of(tensors, "scratch.layer1_rn.weight", source)[0],
        layer_norm_eps=1e-6,
        use_bias_in_fusion_residual=True,
        use_batch_norm_in_fusion_residual=False,
    )


def depth_from_midas(tensors: Mapping[str, Tensor], head_width: int, source: str) -> "DPTForDepthEstimation":
    """The network with published `tensors` of one dtype.

    Raises UserError, which names the tensor and its `source`, if one is missing, unknown or of another shape.
    """
    from transformers import DPTForDepthEstimation  # noqa: PLC0415

    config = depth_config(tensors, head_width, source)
    network = filled(lambda: DPTForDepthEstimation(config), tensors, depth_place, source, "DPT-Hybrid", unused=REMNANTS)
    return _with_published_epsilon(network)


def _with_published_epsilon(network: "DPTForDepthEstimation") -> "DPTForDepthEstimation":
    """The network with what timm adds to the variance of a convolution's weights; transformers adds 1e-6."""
    for part in network.modules():
        standardised: Any = part
        if isinstance(part, nn.Conv2d) and hasattr(part, "eps"):
            standardised.eps = _STANDARDISATION
    return network
