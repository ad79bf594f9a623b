# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes complete checkpoints of tiny random networks, laid out as the published weights of every engine.

    python scripts/make_tiny_weights.py FOLDER [--seed N]
    HI3DGEN_WEIGHTS=FOLDER python -m backend generate examples/owl.png -o owl.glb --engine hi3dgen

Each whole engine runs on them in seconds on a CPU, from loading to its product. What comes out is a lump: the networks
have learned nothing. It needs the extra `hi3dgen`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from make_tiny_views import make_views
from random_weights import random_values, randomised
from safetensors.torch import save_file
from torch import Tensor, nn

from backend.models.birefnet import BiRefNet, BiRefNetConfig
from backend.models.clip_tower import tower_place
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.models.latent_encoder import LatentEncoder, LatentEncoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.ldm_names import vae_place
from backend.models.ldm_unet import unet_place
from backend.models.published import Place, to_published
from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig
from backend.models.structure_encoder import StructureEncoder, StructureEncoderConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.weights.catalogue import (
    CONDITIONER,
    ENCODERS,
    FOREGROUND,
    GEOMETRY,
    GUIDED,
    NORMALS,
    SIX_NORMALS,
    SIX_VIEWS,
    VIEW_BY_MOVE,
)

CHANNELS = 24  # of an image token
LATENT = 4
STRUCTURE_FLOW = StructureFlowConfig(
    resolution=2,
    in_channels=LATENT,
    out_channels=LATENT,
    model_channels=32,
    cond_channels=CHANNELS,
    num_blocks=1,
    num_heads=2,
    mlp_ratio=2,
    qk_rms_norm=True,
    use_fp16=True,
)
STRUCTURE_DECODER = StructureDecoderConfig(
    out_channels=1, latent_channels=LATENT, num_res_blocks=1, num_res_blocks_middle=1, channels=(8, 8, 4), use_fp16=True
)
LATENT_FLOW = LatentFlowConfig(
    resolution=8,
    in_channels=LATENT,
    out_channels=LATENT,
    model_channels=32,
    cond_channels=CHANNELS,
    num_blocks=1,
    num_heads=2,
    mlp_ratio=2,
    patch_size=2,
    num_io_res_blocks=2,
    io_block_channels=(8,),
    qk_rms_norm=True,
    use_fp16=True,
)
LATENT_DECODER = LatentDecoderConfig(
    resolution=8,
    model_channels=256,  # the last group norm has 32 groups of at least one channel
    latent_channels=LATENT,
    num_blocks=2,
    num_heads=4,
    mlp_ratio=0.25,
    window_size=4,
    use_fp16=True,
    representation_config={"use_color": True},
)
STRUCTURE_ENCODER = StructureEncoderConfig(
    in_channels=1,
    latent_channels=LATENT,
    num_res_blocks=1,
    channels=(4, 8, 8),
    num_res_blocks_middle=1,
    use_fp16=True,
)
LATENT_ENCODER = LatentEncoderConfig(
    resolution=8,
    in_channels=CHANNELS,
    model_channels=32,
    latent_channels=LATENT,
    num_blocks=1,
    num_heads=2,
    mlp_ratio=2,
    window_size=4,
    use_fp16=True,
)
BIREFNET = BiRefNetConfig(
    embed_dim=8,
    depths=(1, 1, 1, 1),
    num_heads=(1, 1, 2, 2),
    window_size=4,
    inter_channels=4,
    aspp_channels=4,
    image_size=64,
)
TOKENIZER = {
    "hidden_size": CHANNELS,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "mlp_ratio": 2,
    "image_size": 518,
    "patch_size": 14,
    "num_register_tokens": 4,
}
_BLOCKS = {
    "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "block_out_channels": (4, 4, 8),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "cross_attention_dim": 16,
    "attention_head_dim": (1, 1, 2),
    "use_linear_projection": True,
}
UNET = {
    **_BLOCKS,
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "in_channels": 4,
    "out_channels": 4,
}
CONTROL = {**_BLOCKS, "in_channels": 4, "conditioning_embedding_out_channels": (4, 4)}
VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (4, 4, 8, 8),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "latent_channels": 4,
    "mid_block_add_attention": False,  # among 9216 places it would take most of a test's time
    "scaling_factor": 0.18215,
}
DEPTH_UNET = {**UNET, "in_channels": 5}
TEXT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
SHEET_CONTROL = {**CONTROL, "conditioning_embedding_out_channels": (4, 4, 4, 4)}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "projection_dim": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 224,
    "patch_size": 56,
}
MOVE_UNET = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (32, 32),
    "layers_per_block": 1,
    "in_channels": 8,
    "cross_attention_dim": 16,
    "attention_head_dim": 8,
}
MOVE_VAE = {**VAE, "block_out_channels": (32,) * 4, "norm_num_groups": 32, "mid_block_add_attention": True}
MOVE_VISION = {**VISION, "hidden_size": 64, "num_attention_heads": 1}
_BEGIN, _END, _PAD = "<|startoftext|>", "<|endoftext|>", "!"
_LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
WORDS = (_BEGIN, _END, _PAD, *_LETTERS, *(f"{letter}</w>" for letter in _LETTERS))


def make(folder: Path, seed: int = 0) -> None:
    """Writes every package but those of hi3d and sv3d (`make_views`) below `folder`, each in a folder of its name.

    The same files come of the same seed.
    """
    random = torch.Generator().manual_seed(seed)
    _write_geometry(folder / GEOMETRY.name, random)
    _write_normals(folder / NORMALS.name, random)
    _write_tokenizer(folder / CONDITIONER.name, random)
    _write_foreground(folder / FOREGROUND.name, random)
    make_guided(folder / GUIDED.name, random)
    make_six_views(folder, random)
    make_view_by_move(folder / VIEW_BY_MOVE.name, random)
    make_encoders(folder / ENCODERS.name, random)


def make_encoders(folder: Path, random: torch.Generator) -> None:
    """Writes the package of the encoders that fine-tuning needs into its folder."""
    stems = [folder / file.removesuffix(".safetensors") for file in ENCODERS.files if file.endswith(".safetensors")]
    parts: list[tuple[str, Any, Any]] = [
        ("SparseStructureEncoder", StructureEncoder, STRUCTURE_ENCODER),
        ("SLatEncoder", LatentEncoder, LATENT_ENCODER),
    ]
    for stem, (kind, build, config) in zip(stems, parts, strict=True):
        _write_json(stem.with_name(f"{stem.name}.json"), {"name": kind, "args": asdict(config)})
        _save(stem.with_name(f"{stem.name}.safetensors"), randomised(build(config), random))


def make_guided(folder: Path, random: torch.Generator, *, attention: bool = False) -> None:
    """Writes the package of the networks that draw views into its folder; attention: in the VAE, too."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415
    from transformers import CLIPTextConfig, CLIPTextModel  # noqa: PLC0415

    config = CLIPTextConfig(**TEXT, vocab_size=len(WORDS))
    parts: dict[str, tuple[Any, str]] = {
        "unet": (UNet2DConditionModel.from_config(DEPTH_UNET), "diffusion_pytorch_model"),
        "vae": (AutoencoderKL.from_config({**VAE, "mid_block_add_attention": attention}), "diffusion_pytorch_model"),
        "text_encoder": (CLIPTextModel(config), "model"),
    }
    for name, (network, file) in parts.items():
        described = config.to_dict() if name == "text_encoder" else dict(network.config)
        _write_json(folder / name / "config.json", described)
        tensors = randomised(network.half(), random)
        if name == "unet":
            tensors |= {name: 0.3 * tensors[name] for name in tensors if name.startswith("conv_out.")}
        _save(folder / name / f"{file}.fp16.safetensors", tensors)
    _write_words(folder / "tokenizer")


def make_six_views(folder: Path, random: torch.Generator) -> None:
    """Writes the packages of the networks that draw six views at once below the folder."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415
    from diffusers.models.controlnets.controlnet import ControlNetModel  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection  # noqa: PLC0415

    views, control = folder / SIX_VIEWS.name, folder / SIX_NORMALS.name
    text, vision = CLIPTextConfig(**TEXT, vocab_size=len(WORDS)), CLIPVisionConfig(**VISION)
    parts: list[tuple[Path, str, Any]] = [
        (views / "unet", "diffusion_pytorch_model", UNet2DConditionModel.from_config(UNET)),
        (views / "vae", "diffusion_pytorch_model", AutoencoderKL.from_config(VAE)),
        (views / "text_encoder", "model", CLIPTextModel(text)),
        (views / "vision_encoder", "model", CLIPVisionModelWithProjection(vision)),
        (control, "diffusion_pytorch_model", ControlNetModel.from_config(SHEET_CONTROL)),
    ]
    for place, file, network in parts:
        config = network.config
        _write_json(place / "config.json", config.to_dict() if hasattr(config, "to_dict") else dict(config))
        _save(place / f"{file}.safetensors", randomised(network, random))
    _write_words(views / "tokenizer")
    ramp = torch.linspace(0, 1, TEXT["max_position_embeddings"]).tolist()
    _write_json(views / "model_index.json", {"_class_name": "Zero123PlusPipeline", "ramping_coefficients": ramp})
    small = {"size": {"shortest_edge": 64}, "crop_size": 64, "image_mean": [0.5] * 3, "image_std": [0.8] * 3}
    _write_json(views / "feature_extractor_vae" / "preprocessor_config.json", small)
    _write_json(views / "feature_extractor_clip" / "preprocessor_config.json", {})
    sampler = {
        "_class_name": "EulerAncestralDiscreteScheduler",
        "beta_schedule": "linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "prediction_type": "v_prediction",
        "steps_offset": 1,
    }
    _write_json(views / "scheduler" / "scheduler_config.json", sampler)


def make_view_by_move(folder: Path, random: torch.Generator) -> None:
    """Writes the package of the network that draws a view after a move of the camera into its folder."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection  # noqa: PLC0415

    config = CLIPVisionConfig(**MOVE_VISION, hidden_act="quick_gelu")
    unet, vae = UNet2DConditionModel.from_config(MOVE_UNET), AutoencoderKL.from_config(MOVE_VAE)
    parts: list[tuple[str, Any, Any]] = [
        ("model.diffusion_model.", unet, partial(unet_place, layers=1, attended=(False, True))),
        ("first_stage_model.", vae, partial(vae_place, levels=4)),
        ("cond_stage_model.model.visual.", CLIPVisionModelWithProjection(config), tower_place),
        ("cc_projection.", nn.Linear(20, 16), Place),
    ]
    tensors = {
        prefix + name: tensor
        for prefix, network, place_of in parts
        for name, tensor in to_published(randomised(network, random), place_of).items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"epoch": 1, "state_dict": tensors}, folder / VIEW_BY_MOVE.files[0])


def _write_words(folder: Path) -> None:
    _write_json(folder / "vocab.json", {word: number for number, word in enumerate(WORDS)})
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    special = {"bos_token": _BEGIN, "eos_token": _END, "unk_token": _END, "pad_token": _PAD}
    _write_json(folder / "special_tokens_map.json", special)
    _write_json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", **special})


def _write_geometry(folder: Path, random: torch.Generator) -> None:
    parts: dict[str, tuple[str, Any, Any]] = {
        "sparse_structure_flow_model": ("SparseStructureFlowModel", StructureFlow, STRUCTURE_FLOW),
        "sparse_structure_decoder": ("SparseStructureDecoder", StructureDecoder, STRUCTURE_DECODER),
        "slat_flow_model": ("SLatFlowModel", LatentFlow, LATENT_FLOW),
        "slat_decoder_mesh": ("SLatMeshDecoder", LatentDecoder, LATENT_DECODER),
    }
    stems = [Path(file).with_suffix("") for file in GEOMETRY.files if file.endswith(".safetensors")]
    models: dict[str, str] = {}
    for stem, (role, (kind, build, config)) in zip(stems, parts.items(), strict=True):
        _write_json(folder / f"{stem}.json", {"name": kind, "args": asdict(config)})
        _save(folder / f"{stem}.safetensors", randomised(build(config), random))
        models[role] = stem.as_posix()
    sampler = {"name": "FlowEulerGuidanceIntervalSampler", "args": {"sigma_min": 1e-5}}
    params = {"steps": 25, "cfg_strength": 5.0, "cfg_interval": [0.5, 1.0], "rescale_t": 3.0}
    arguments = {
        "models": models,
        "sparse_structure_sampler": {**sampler, "params": params},
        "slat_sampler": {**sampler, "params": params},
        "slat_normalization": {"mean": [0.0] * LATENT, "std": [1.0] * LATENT},
        "image_cond_model": "dinov2_vitl14_reg",
    }
    _write_json(folder / "pipeline.json", {"name": "TrellisImageTo3DPipeline", "args": arguments})


def _write_normals(folder: Path, random: torch.Generator) -> None:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415
    from diffusers.models.controlnets.controlnet import ControlNetModel  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    parts: dict[str, Any] = {
        "unet": UNet2DConditionModel.from_config(UNET),
        "controlnet": ControlNetModel.from_config(CONTROL),
        "vae": AutoencoderKL.from_config(VAE),
    }
    for name, network in parts.items():
        _write_json(folder / name / "config.json", dict(network.config))
        _save(folder / name / "diffusion_pytorch_model.fp16.safetensors", randomised(network.half(), random))


def _write_tokenizer(folder: Path, random: torch.Generator) -> None:
    from transformers import Dinov2WithRegistersConfig  # noqa: PLC0415

    from backend.models.image_tokens import published_forms  # noqa: PLC0415

    config = Dinov2WithRegistersConfig(**TOKENIZER)
    _write_json(folder / "config.json", config.to_dict())
    forms = published_forms(config)
    _save(folder / "model.safetensors", {name: random_values(name, form.shape, random) for name, form in forms.items()})


def _write_foreground(folder: Path, random: torch.Generator) -> None:
    _write_json(folder / "config.json", asdict(BIREFNET))
    network = BiRefNet(BIREFNET)
    tensors = randomised(network, random)
    _save(folder / "model.safetensors", tensors)


def _save(path: Path, tensors: dict[str, Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a checkpoint of tiny random networks in the published layout.")
    parser.add_argument("folder", type=Path, help="the weights folder to fill")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights (default 0)")
    options = parser.parse_args()
    make(options.folder, options.seed)
    make_views(options.folder, options.seed)
    print(options.folder)


if __name__ == "__main__":
    main()
