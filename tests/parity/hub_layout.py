# SPDX-License-Identifier: GPL-3.0-or-later
"""DINOv2's weights as torch.hub has them, which the published program loads; the fixtures have its names."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_HUB_NAMES = (
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
    (r"^pos_embed$", "embeddings.position_embeddings"),
    (r"^(cls_token|mask_token|register_tokens)$", r"embeddings.\1"),
    (r"^norm\.", "layernorm."),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"encoder.layer.\1.attention.output.dense."),
    (r"^blocks\.(\d+)\.ls(\d)\.gamma$", r"encoder.layer.\1.layer_scale\2.lambda1"),
    (r"^blocks\.(\d+)\.", r"encoder.layer.\1."),
)


def from_hub_layout(tensors: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """The tensors of a checkpoint in torch.hub's layout (dinov2_vitl14_reg4_pretrain.pth), renamed for `tokenizer`.

    That layout has queries, keys and values in one tensor. Unknown names stay as they are: `tokenizer` refuses them.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        fused = re.fullmatch(r"blocks\.(\d+)\.attn\.qkv\.(weight|bias)", name)
        if fused and len(tensor) % 3 == 0:
            block, kind = fused.groups()
            for part, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                renamed[f"encoder.layer.{block}.attention.attention.{part}.{kind}"] = third
            continue
        published = name
        for pattern, replacement in _HUB_NAMES:
            published = re.sub(pattern, replacement, published)
        renamed[published] = tensor
    return renamed
