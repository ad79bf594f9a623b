# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny random networks in the published files of the engines hi3d and sv3d, and those files in half precision.

They make a few small frames; the description beside the converted parts says how many, and of which size.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from random_weights import random_values
from safetensors.torch import save_file
from transformers import (
    BitConfig,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    DPTConfig,
    DPTForDepthEstimation,
)

from backend.models.aesthetic import LAYERS
from backend.models.clip_tower import tower_place
from backend.models.depth_names import depth_place
from backend.models.ldm_names import vae_place
from backend.models.published import PlaceOf, to_published
from backend.models.video_unet_names import video_unet_place
from backend.views.conversion import converted
from backend.views.model import HI3D_FIRST, HI3D_SECOND, SV3D
from backend.weights.catalogue import HI3D, SV3D_P, SV3D_U

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

WIDTH = 32  # of every level: a norm has 32 groups
TOKEN = 16
FEATURE = 8
ATTENDED = (True, True, True, False)
HEADS = MappingProxyType({"unet": 16, "clip": 16, "tower": 16, "depth": 16})
FIRST = replace(HI3D_FIRST, frames=3, side=64, heads=HEADS)
SECOND = replace(HI3D_SECOND, frames=3, side=128, heads=HEADS)
ORBIT = replace(SV3D, frames=4, side=64, heads=HEADS)


def make_views(folder: Path, seed: int = 0) -> None:
    """Writes the packages of both engines below `folder`, each in a folder of its name; the same for the same seed."""
    random = torch.Generator().manual_seed(seed)
    own = folder / HI3D.name
    own.mkdir(parents=True, exist_ok=True)
    for file, model, tensors in (
        (own / HI3D.files[0], FIRST, hi3d_first(random)),
        (own / HI3D.files[1], SECOND, hi3d_second(random)),
    ):
        torch.save({"module": {f"module.{name}": tensor for name, tensor in tensors.items()}, "epoch": 1}, file)
        converted(file, model, _no_report)
    for package, vector in ((SV3D_U, 256), (SV3D_P, 1280)):
        file = folder / package.name / package.files[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(sv3d(random, vector), file)
        converted(file, ORBIT, _no_report)


def hi3d_first(random: torch.Generator) -> dict[str, Tensor]:
    """Every tensor of the first stage's file, by its published name."""
    parts = HI3D_FIRST.parts
    sizes = (FEATURE, 8, 4, 4, 2, 1)
    score: dict[str, Tensor] = {}
    for layer, taken, given in zip(LAYERS, sizes, sizes[1:], strict=False):
        score |= {f"layers.{layer}.weight": torch.zeros(given, taken), f"layers.{layer}.bias": torch.zeros(given)}
    return {
        **_below(parts["unet"], _unet(8, 768, random)),
        **_frozen(parts, random),
        **_below(parts["tower"], _tower(FEATURE, random)),
        **_below(parts["score"], _randomly(score, random)),
        **{name: torch.zeros(()) for name in sorted(HI3D_FIRST.remnants)},
    }


def hi3d_second(random: torch.Generator) -> dict[str, Tensor]:
    """Every tensor of the second stage's file, by its published name."""
    parts = HI3D_SECOND.parts
    return {
        **_below(parts["unet"], _unet(17, 512, random)),
        **_frozen(parts, random),
        **_below(parts["depth"], _depth(random)),
        **{name: torch.zeros(()) for name in sorted(HI3D_SECOND.remnants)},
    }


def sv3d(random: torch.Generator, vector: int) -> dict[str, Tensor]:
    """Every tensor of a file of SV3D, by its published name; its first stage is a decoder alone."""
    parts = SV3D.parts
    tensors = {**_below(parts["unet"], _unet(8, vector, random)), **_frozen(parts, random)}
    decoder = f"{parts['vae']}decoder."
    return {name: t for name, t in tensors.items() if not name.startswith(parts["vae"]) or name.startswith(decoder)}


def _frozen(parts: Any, random: torch.Generator) -> dict[str, Tensor]:  # noqa: ANN401  names by part
    vae = _vae(random)
    return {
        **_below(parts["vae"], vae),
        **_below(parts["encoder"], {name: tensor.clone() for name, tensor in vae.items()}),
        **_below(parts["clip"], _tower(TOKEN, random)),
    }


def _unet(channels: int, vector: int, random: torch.Generator) -> dict[str, Tensor]:
    network: Any = UNetSpatioTemporalConditionModel.from_config(
        {
            "in_channels": channels,
            "block_out_channels": [WIDTH] * 4,
            "layers_per_block": 1,
            "num_attention_heads": [2] * 4,
            "cross_attention_dim": TOKEN,
            "projection_class_embeddings_input_dim": vector,
        }
    )
    return _published(network, lambda name: video_unet_place(name, 1, ATTENDED), random)


def _vae(random: torch.Generator) -> dict[str, Tensor]:
    network: Any = AutoencoderKL.from_config(
        {
            "block_out_channels": [WIDTH] * 4,
            "down_block_types": ["DownEncoderBlock2D"] * 4,
            "up_block_types": ["UpDecoderBlock2D"] * 4,
            "latent_channels": 4,
            "layers_per_block": 1,
        }
    )
    return _published(network, lambda name: vae_place(name, 4), random)


def _tower(feature: int, random: torch.Generator) -> dict[str, Tensor]:
    config = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        projection_dim=feature,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=224,
        patch_size=112,
    )
    return _published(CLIPVisionModelWithProjection(config), tower_place, random)


def _depth(random: torch.Generator) -> dict[str, Tensor]:
    sizes: dict[str, Any] = {
        "embedding_size": WIDTH,
        "hidden_sizes": [4 * WIDTH] * 3,
        "depths": [1, 1, 1],
        "out_features": ["stage1", "stage2", "stage3"],
    }
    backbone = BitConfig(**sizes, layer_type="bottleneck", global_padding="same", embedding_dynamic_padding=True)
    config = DPTConfig(
        is_hybrid=True,
        backbone_config=backbone,
        backbone_featmap_shape=[1, 4 * WIDTH, 2, 2],
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=4,
        num_attention_heads=2,
        backbone_out_indices=[2, 5, 2, 3],
        image_size=32,
        readout_type="project",
        neck_hidden_sizes=[4 * WIDTH, 4 * WIDTH, WIDTH, WIDTH],
        neck_ignore_stages=[0, 1],
        fusion_hidden_size=16,
        use_bias_in_fusion_residual=True,
        use_batch_norm_in_fusion_residual=False,
    )
    return _published(DPTForDepthEstimation(config), depth_place, random)


def _published(network: nn.Module, place_of: PlaceOf, random: torch.Generator) -> dict[str, Tensor]:
    return to_published(_randomly(network.state_dict(), random), place_of)


def _randomly(tensors: dict[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
    return {name: random_values(name, tensor.shape, random) for name, tensor in tensors.items()}


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor.contiguous() for name, tensor in tensors.items()}


def _no_report(step: int, of: int) -> None:
    """Nobody watches."""
