# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny random pipeline of Stable Diffusion, in a folder as diffusers writes it; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import torch
from make_tiny_weights import TEXT, WORDS


def save_tiny_pipeline(folder: Path, *, inpaints: bool = False) -> Path:
    """Save one that draws 32 x 32 pixels of a text, or that paints into pictures, and return its folder."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import StableDiffusionInpaintPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    words = folder / "words"
    words.mkdir()
    (words / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(WORDS)}), "utf-8")
    (words / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    torch.manual_seed(1)
    blocks = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}
    kind: Any = StableDiffusionInpaintPipeline if inpaints else StableDiffusionPipeline
    made = kind(
        vae=AutoencoderKL(
            **blocks,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
        ),
        text_encoder=CLIPTextModel(CLIPTextConfig(**TEXT, vocab_size=len(WORDS))),
        tokenizer=CLIPTokenizer(
            str(words / "vocab.json"), str(words / "merges.txt"), pad_token=WORDS[2], model_max_length=32
        ),
        unet=UNet2DConditionModel(
            **blocks,
            sample_size=16,
            in_channels=9 if inpaints else 4,  # with the mask, and with what stands there
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=8,
        ),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )
    made.save_pretrained(folder / "tiny")
    return folder / "tiny"
