# SPDX-License-Identifier: GPL-3.0-or-later
"""The published networks in their real sizes, with weights by rule, to be timed without a download."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from weights_by_rule import input_by_rule, weights_by_rule

from backend.models.image_tokens import published_forms, tokenizer
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn.checkpoint import fill

# As the descriptions beside the published weights have them, in float32.
BLOCKS = 24  # of both flow models
_FLOW = {
    "in_channels": 8,
    "out_channels": 8,
    "model_channels": 1024,
    "cond_channels": 1024,
    "num_blocks": BLOCKS,
    "num_heads": 16,
    "qk_rms_norm": True,
}
STRUCTURE_FLOW = StructureFlowConfig(resolution=16, **_FLOW)
STRUCTURE_DECODER = StructureDecoderConfig(out_channels=1, latent_channels=8, num_res_blocks=2, channels=[512, 128, 32])
LATENT_FLOW = LatentFlowConfig(resolution=64, io_block_channels=[128], **_FLOW)
LATENT_DECODER = LatentDecoderConfig(
    resolution=64,
    model_channels=768,
    latent_channels=8,
    num_blocks=12,
    num_heads=12,
    representation_config={"use_color": True},
)
_UNET: dict[str, Any] = {
    "in_channels": 4,
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
    "norm_num_groups": 32,
    "upcast_attention": True,
}
NORMALS: dict[str, dict[str, Any]] = {
    "unet": _UNET
    | {
        "out_channels": 4,
        "sample_size": 128,
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    },
    "controlnet": _UNET | {"conditioning_embedding_out_channels": [16, 32, 96, 256]},
    "vae": {
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
        "block_out_channels": [128, 256, 512, 512],
        "layers_per_block": 2,
        "latent_channels": 4,
        "norm_num_groups": 32,
        "sample_size": 1024,
        "scaling_factor": 0.18215,
    },
}

N = TypeVar("N", bound=nn.Module)


def structure_flow(blocks: int | None = None) -> StructureFlow:
    """560 million numbers, or fewer `blocks`; the positions are computed, not by the rule."""
    config = replace(STRUCTURE_FLOW, num_blocks=blocks or STRUCTURE_FLOW.num_blocks)
    positions = StructureFlow(replace(STRUCTURE_FLOW, num_blocks=0)).pos_emb
    return _filled(lambda: StructureFlow(config), pos_emb=positions)


def structure_decoder() -> StructureDecoder:
    """74 million numbers."""
    return _filled(lambda: StructureDecoder(STRUCTURE_DECODER))


def latent_flow(blocks: int | None = None) -> LatentFlow:
    """600 million numbers, or fewer `blocks`."""
    config = replace(LATENT_FLOW, num_blocks=blocks or LATENT_FLOW.num_blocks)
    return _filled(lambda: LatentFlow(config))


def latent_decoder() -> LatentDecoder:
    """91 million numbers."""
    return _filled(lambda: LatentDecoder(LATENT_DECODER))


def image_tokenizer() -> nn.Module:
    """DINOv2 ViT-L/14 with four registers, 304 million numbers."""
    from transformers import Dinov2WithRegistersConfig  # noqa: PLC0415

    config = Dinov2WithRegistersConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, image_size=518, patch_size=14
    )
    return tokenizer(config, weights_by_rule(published_forms(config)), "the rule")


def image_tokens_by_rule() -> Tensor:
    """Tokens by rule, of no picture: float32 (1, 1374, 1024), deviation 1."""
    return input_by_rule("input.cond", (1, 1374, 1024))


def shell(count: int, resolution: int = 64) -> Tensor:
    """`count` voxels on a sphere about two of them thick, or thicker if it does not fit: int32 (N, 4), in order."""
    places = torch.cartesian_prod(*[torch.arange(resolution)] * 3)
    from_centre = (2 * places - (resolution - 1)).square().sum(1).sqrt() / 2
    radius = min(resolution / 2 - 2, (count / (8 * torch.pi)) ** 0.5)
    chosen = (from_centre - radius).abs().argsort(stable=True)[:count].sort().values
    return torch.cat([torch.zeros(len(chosen), 1), places[chosen]], dim=1).int()


def _filled(build: Callable[[], N], **more: Tensor) -> N:
    with torch.device("meta"):
        network = build()
    fill(network, weights_by_rule(network.state_dict()) | more, "the rule")
    return network
