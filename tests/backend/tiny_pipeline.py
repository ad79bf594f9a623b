# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny random pipelines, each in a folder as diffusers writes it; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import torch
from make_tiny_weights import TEXT, WORDS


def tokenizer_in(folder: Path) -> Any:
    """One that knows the tiny networks' words."""
    from transformers import CLIPTokenizer

    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(WORDS)}), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    files = str(folder / "vocab.json"), str(folder / "merges.txt")
    return CLIPTokenizer(*files, pad_token=WORDS[2], model_max_length=32)


def save_tiny_pipeline(folder: Path, *, inpaints: bool = False) -> Path:
    """Save one of Stable Diffusion that draws 32 x 32 pixels of a text, or paints into pictures; return its folder."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import StableDiffusionInpaintPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

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
        tokenizer=tokenizer_in(folder / "words"),
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


def save_tiny_fill(folder: Path) -> Path:
    """Save one of FLUX that fills pictures, and return its folder."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
    from diffusers.pipelines.flux.pipeline_flux_fill import FluxFillPipeline
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel, T5Tokenizer

    torch.manual_seed(1)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("a", -2.0)]
    FluxFillPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKL(
            block_out_channels=(4, 4),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=2,
            norm_num_groups=1,
            use_quant_conv=False,
            use_post_quant_conv=False,
            shift_factor=0.1,
        ),
        text_encoder=CLIPTextModel(CLIPTextConfig(**TEXT, vocab_size=len(WORDS))),
        tokenizer=tokenizer_in(folder / "words"),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(pieces), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
        ),
        tokenizer_2=T5Tokenizer(vocab=pieces, extra_ids=0),
        transformer=FluxTransformer2DModel(
            in_channels=8 + 8 + 16,  # latents in squares of four, the same of what is there, and the mask's pixels
            out_channels=8,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=TEXT["hidden_size"],
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=True,
        ),
    ).save_pretrained(folder / "tiny")
    return folder / "tiny"


def save_tiny_kandinsky(folder: Path) -> Path:
    """Save one of Kandinsky 2.2 that paints into pictures, with its prior, and return its folder."""
    from diffusers.models.autoencoders.vq_model import VQModel
    from diffusers.models.transformers.prior_transformer import PriorTransformer
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.pipelines.kandinsky2_2.pipeline_kandinsky2_2_combined import KandinskyV22InpaintCombinedPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from diffusers.schedulers.scheduling_unclip import UnCLIPScheduler
    from transformers import (
        CLIPImageProcessor,
        CLIPTextConfig,
        CLIPTextModelWithProjection,
        CLIPVisionConfig,
        CLIPVisionModelWithProjection,
    )

    torch.manual_seed(1)
    width = TEXT["hidden_size"]
    KandinskyV22InpaintCombinedPipeline(
        unet=UNet2DConditionModel(
            block_out_channels=(8, 16),
            layers_per_block=1,
            sample_size=32,
            in_channels=9,
            out_channels=8,
            norm_num_groups=4,
            addition_embed_type="image",
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
            encoder_hid_dim=width,
            encoder_hid_dim_type="image_proj",
            cross_attention_dim=width,
            attention_head_dim=4,
            resnet_time_scale_shift="scale_shift",
        ),
        scheduler=DDIMScheduler(),
        movq=VQModel(
            block_out_channels=(32, 32),
            down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
            up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"),
            latent_channels=4,
            norm_num_groups=4,
            norm_type="spatial",
            num_vq_embeddings=4,
        ),
        prior_prior=PriorTransformer(2, 8, num_layers=1, embedding_dim=width, num_embeddings=32),
        prior_image_encoder=CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=width,
                intermediate_size=width,
                projection_dim=width,
                num_hidden_layers=1,
                num_attention_heads=2,
                image_size=8,
                patch_size=4,
            )
        ),
        prior_text_encoder=CLIPTextModelWithProjection(
            CLIPTextConfig(**{**TEXT, "projection_dim": width}, vocab_size=len(WORDS))
        ),
        prior_tokenizer=tokenizer_in(folder / "words"),
        prior_scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=5.0
        ),
        prior_image_processor=CLIPImageProcessor(size={"shortest_edge": 8}, crop_size=8),
    ).save_pretrained(folder / "tiny")
    return folder / "tiny"
