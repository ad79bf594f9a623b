# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero123++ computes what the published program computes: from a picture to the sheet of six views, and its normals."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import golden
from tests.parity.draws import Draws

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor
from weights_by_rule import views_input_by_rule

from backend.models.depth_diffusion import build_vae
from backend.models.prompts import build_text_encoder
from backend.models.published import count
from backend.models.view_pictures import over, to_pixels
from backend.models.zero123plus import (
    Hint,
    Painter,
    build_painter,
    build_vision,
    contexts,
    decode,
    embed,
    encode,
    unscale_image,
    unscale_latents,
)
from backend.models.zero123plus_pictures import GRAY, processed
from backend.models.zero123plus_sampling import Conditions, Step, sample, schedule_of

GENERAL = {"relative": 5e-6, "absolute": 1e-5}
STATES = {"relative": 1e-5, "absolute": 2e-5}
PICTURES = {"relative": 0.0, "absolute": 1e-4}


@golden.each("zero123pp_scale")
@pytest.mark.parametrize("unscale", [unscale_latents, unscale_image], ids=lambda unscale: unscale.__name__)
def test_the_published_scales_of_the_sheet_are_undone(path: Path, unscale: Any) -> None:
    fixture, name = golden.read(path), unscale.__name__
    golden.assert_close(unscale(fixture.input("x")), fixture.output(name), 0.0, 1e-6)
    golden.assert_close(unscale(fixture.output(name.removeprefix("un"))), fixture.input("x"), 0.0, 1e-6)


@golden.each("zero123pp")
def test_a_sheet_of_views(path: Path) -> None:
    fixture = golden.read(path)
    config, facts = fixture.config, fixture.facts
    picture = over(fixture.input("rgba").numpy(), GRAY)
    resized = {"size": config["fe"], "crop_size": config["fe"], "image_mean": [0.5] * 3, "image_std": [0.8] * 3}
    pixels, seen = processed(picture, resized, "the fixture"), processed(picture, {}, "the fixture")
    golden.assert_close(pixels, fixture.output("vae_pixels"), 0.0, 1e-6)
    golden.assert_close(seen[..., ::7, ::7], fixture.output("clip_pixels.stride7"), 0.0, 1e-6)

    embedding = embed(vision_of(fixture), seen)
    golden.assert_close(embedding, fixture.output("image_embeds"), **GENERAL)
    context = contexts(empty_text(fixture), embedding, ramp_of(fixture))
    golden.assert_close(context, fixture.output("encoder_hidden_states"), **GENERAL)

    vae, painter = vae_of(fixture), painter_of(fixture)
    conditions = Conditions(context, encode(vae, torch.cat([torch.zeros_like(pixels), pixels])))
    schedule = schedule_of(
        {**facts["scheduler"], "timestep_spacing": config["spacing"]}, config["steps"], "the fixture"
    )
    golden.assert_close(schedule.levels.double(), fixture.output("timesteps"), **GENERAL)
    golden.assert_close(schedule.sigmas, fixture.output("sigmas"), **GENERAL)

    factor = 2 ** (len(config["vae"]) - 1)  # pixels along a side of one of a latent's places
    steps: list[Step] = []
    looks: list[Tensor] = []
    note_references(painter, looks)
    draws = Draws(fixture)
    latent = sample(
        painter,
        conditions,
        schedule,
        draws,
        golden.no_report,
        size=(config["height"] // factor, config["width"] // factor),
        guidance=config["cfg"],
        hint=Hint(to_pixels(fixture.input("control").numpy())[None], config["cscale"]) if "cscale" in config else None,
        watch=steps.append,
    )
    assert not draws.left
    golden.assert_close(looks[0], fixture.output("reference_input.first"), **GENERAL)
    golden.assert_close(torch.stack([step.latent for step in steps]), fixture.output("latents_before_step"), **STATES)
    golden.assert_close(torch.stack([step.prediction for step in steps]), fixture.output("model_output"), **STATES)
    plain = unscale_latents(latent) / vae.config["scaling_factor"]
    golden.assert_close(plain, fixture.output("decode_input"), **PICTURES)
    golden.assert_close(decode(vae, latent), fixture.output("image"), **PICTURES)


def ramp_of(fixture: golden.Fixture) -> Tensor:
    found = re.match(r"uniform\((.+)\), (\d+) values", fixture.facts["ramping_coefficients"]["rule"])
    assert found
    uniform = views_input_by_rule(found[1], (int(found[2]),)).double() / np.sqrt(3)  # in [-1, 1)
    return ((uniform + 1) / 2).float()


def empty_text(fixture: golden.Fixture) -> Tensor:
    stated, weights = fixture.facts["text_encoder"], fixture.weights("text_encoder.")
    words, length = weights["embeddings.token_embedding.weight"].shape[0], 77
    config = {
        "hidden_size": stated["hidden"],
        "num_hidden_layers": stated["layers"],
        "num_attention_heads": stated["heads"],
        "intermediate_size": stated["intermediate"],
        "hidden_act": stated["act"],
        "vocab_size": words,
        "max_position_embeddings": length,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 3,
    }
    network: Any = build_text_encoder(config, weights, torch.float32, "the fixture")
    with torch.inference_mode():
        return network(torch.tensor([[1, 2] + [3] * (length - 2)])).last_hidden_state


def vision_of(fixture: golden.Fixture) -> Any:
    stated = fixture.facts["vision_encoder"]
    config = {
        "hidden_size": stated["hidden"],
        "num_hidden_layers": stated["layers"],
        "num_attention_heads": stated["heads"],
        "intermediate_size": stated["intermediate"],
        "image_size": stated["image"],
        "patch_size": stated["patch"],
        "projection_dim": stated["projection"],
        "hidden_act": stated["act"],
    }
    return build_vision(config, fixture.weights("vision_encoder."), "the fixture")


def vae_of(fixture: golden.Fixture) -> Any:
    widths, weights = fixture.config["vae"], fixture.weights("vae.")
    config = {
        "down_block_types": ("DownEncoderBlock2D",) * len(widths),
        "up_block_types": ("UpDecoderBlock2D",) * len(widths),
        "block_out_channels": widths,
        "latent_channels": 4,
        "layers_per_block": count(weights, "encoder.down_blocks.0.resnets."),
        "scaling_factor": 0.18215,
    }
    return build_vae(config, weights, torch.float32, "the fixture")


def painter_of(fixture: golden.Fixture) -> Painter:
    config, parts = fixture.config, [fixture.weights("unet.")]
    crossed = len(config["channels"]) - 1
    unet = {
        "in_channels": 4,
        "out_channels": 4,
        "use_linear_projection": True,
        "down_block_types": (*("CrossAttnDownBlock2D",) * crossed, "DownBlock2D"),
        "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * crossed),
        "block_out_channels": config["channels"],
        "attention_head_dim": config["heads"],
        "cross_attention_dim": config["ctx"],
        "layers_per_block": count(parts[0], "down_blocks.0.resnets."),
    }
    configs = [unet]
    if control := fixture.weights("controlnet."):
        parts.append(control)
        first = control["controlnet_cond_embedding.conv_in.weight"].shape[0]
        blocks = count(control, "controlnet_cond_embedding.blocks.")
        widths = [control[f"controlnet_cond_embedding.blocks.{i}.weight"].shape[0] for i in range(1, blocks, 2)]
        own = {name: value for name, value in unet.items() if name not in {"up_block_types", "out_channels"}}
        configs.append({**own, "conditioning_embedding_out_channels": (first, *widths)})
    return build_painter(configs, parts, "the fixture")


def note_references(painter: Painter, looks: list[Tensor]) -> None:
    """Adds to `looks` what the UNet is given when it goes over the reference."""

    def note(_: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if painter.references[0].remembering:
            looks.append(given[0])

    painter.unet.register_forward_pre_hook(note)
