# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference-guided views compute what HiFi-123's program computes, and the refinement what its paper says.

The program runs reference and view in one batch; ours runs the reference once and then the view alone.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor
from torch.nn import functional

from backend.guided.depth import mask_to_latent, to_latent
from backend.guided.distillation import distance
from backend.guided.recipe import Recipe
from backend.guided.sampling import (
    Coarse,
    Reference,
    Step,
    Texts,
    invert,
    noisy_view,
    redraw,
    reference_steps,
)
from backend.guided.schedule import Schedule, clean, noisy
from backend.models.depth_diffusion import DepthDiffusion, build_depth_diffusion, build_vae

DOWN = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
STATES = {"relative": 2e-5, "absolute": 2e-4}
PICTURES = {"relative": 0.0, "absolute": 5e-4}
GRADIENTS = {"relative": 1e-4, "absolute": 0.0}
GENERAL = {"relative": 5e-6, "absolute": 1e-5}


def vae_config(config: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    levels = len(config["vae"])
    return {
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "block_out_channels": config["vae"],
        "latent_channels": 4,
        "scaling_factor": 0.18215,
        "layers_per_block": sum(name.startswith("encoder.down_blocks.0.") and ".conv1.w" in name for name in names),
    }


def unet_config(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "in_channels": 5,
        "out_channels": 4,
        "down_block_types": DOWN,
        "up_block_types": UP,
        "block_out_channels": config["channels"],
        "attention_head_dim": config["heads"],  # the number of heads: the library's old name
        "cross_attention_dim": config["ctx"],
        "use_linear_projection": True,
    }


def network_of(fixture: golden.Fixture) -> DepthDiffusion:
    tensors = {part: fixture.views_weights(part) for part in ("unet", "vae")}
    configs = {"unet": unet_config(fixture.config), "vae": vae_config(fixture.config, tensors["vae"])}
    return build_depth_diffusion(configs, tensors, torch.float32, "the fixture")


def recipe_of(fixture: golden.Fixture) -> Recipe:
    facts, config = fixture.facts, fixture.config
    return Recipe(
        steps=facts["num_inference_steps"],
        guidance=facts["guidance_scale"],
        stop=config["stop"],
        first_injected=config["attn_step"],
        first_layer=config["attn_layer"],
        as_published=True,
    )


def enlarged(image: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    return functional.interpolate(image.float(), (size, size), mode=mode, align_corners=False)


@golden.each("hifi_rgnv", slow=True)
def test_a_view_by_a_reference(path: Path) -> None:
    fixture = golden.read(path)
    recipe, facts, size = recipe_of(fixture), fixture.facts, fixture.facts["size"]
    assert list(recipe.schedule.levels[::-1]) == facts["timesteps"]
    assert list(recipe.schedule.levels[: recipe.inverted]) == facts["inversion_timesteps_target"]
    network = network_of(fixture)
    mask = fixture.input("mask").float()
    depth = enlarged(fixture.input("depth_low"), size, "bicubic")
    depth[1:] *= mask
    small = (fixture.config["lat"], fixture.config["lat"])
    of_reference, of_view = to_latent(depth, small).split(1)
    golden.assert_close(torch.cat([of_reference, of_view]), fixture.output("depth_latent"), **GENERAL)
    empty, wanted = fixture.input("prompt_embeds").split(1)
    with torch.no_grad():
        picture, view = (
            network.encode(enlarged(fixture.input(name), size)) for name in ("reference_low", "coarse_low")
        )
    inversion = list(invert(network, picture, of_reference, empty, recipe.schedule, recipe.reference_inverted))
    kept = torch.stack([inversion[number] for number in facts["inversion_kept"]])
    golden.assert_close(kept, fixture.output("reference_inversion"), **GENERAL)
    golden.assert_close(inversion[-1], fixture.output("start_code"), **GENERAL)
    of_the_reference = list(reference_steps(network, inversion[-1], of_reference, empty, recipe))
    reference = Reference(inversion[-1], tuple(tokens for _, tokens in of_the_reference))
    coarse = Coarse(view, of_view, mask_to_latent(mask, small))
    *_, noised = noisy_view(network, coarse, empty, recipe)
    golden.assert_close(noised, fixture.output("x_t"), **GENERAL)
    steps = list(redraw(network, reference, coarse, noised, Texts(empty, wanted), recipe))
    both = [(step, own) for (step, _), own in zip(of_the_reference, steps, strict=True)]
    for name, output in (("latent", "step_input"), ("noise", "step_noise"), ("clean", "step_pred_x0")):
        ours = torch.stack([joined(both[number], name) for number in facts["kept_steps"]])
        golden.assert_close(ours, fixture.output(output), **STATES)
    last = joined(both[-1], "after")
    golden.assert_close(last, fixture.output("latents"), **STATES)
    with torch.no_grad():
        images = (network.decode(last) / 2 + 0.5).clamp(0, 1)
    composited = mask * images[1:] + 1 - mask
    for name, ours in (("image_target", images[1:]), ("image_reference", images[:1]), ("composited", composited)):
        golden.assert_close(ours[..., ::2, ::2], fixture.output(f"{name}.stride2"), **PICTURES)
    for_upscaler = enlarged(images[1:], facts["upscaler"]["image_size"])
    golden.assert_close(for_upscaler[..., ::4, ::4], fixture.output("upscaler_input.stride4"), **PICTURES)


@golden.each("hifi_rgsd")
def test_how_far_a_rendering_is_from_a_view(path: Path) -> None:
    fixture = golden.read(path)
    tensors = fixture.views_weights("vae")
    vae = build_vae(vae_config(fixture.config, tensors), tensors, torch.float32, "the fixture")
    network = DepthDiffusion(cast("Any", None), vae)  # only the encoder is asked
    levels = fixture.facts["timesteps"]
    for iteration, level in zip(fixture.facts["iterations"], levels, strict=True):
        noise, noised = fixture.input(f"noise.{iteration}"), fixture.input(f"x_tilde.{iteration}")
        alpha_bar = Schedule(1000).alpha_bar(level)
        whole = clean(noised, noise, alpha_bar)
        golden.assert_close(whole, fixture.output(f"pred_x0.{iteration}"), **GENERAL)
        latent = fixture.input("render_latent").requires_grad_()
        golden.assert_close(noisy(latent, noise, alpha_bar).detach(), fixture.output(f"x_t.{iteration}"), **GENERAL)
        loss = distance(latent, whole, alpha_bar)
        assert loss.item() == pytest.approx(fixture.output(f"loss_sum.{iteration}").item(), rel=1e-4)
        assert loss.item() == pytest.approx(fixture.output(f"identity_rhs.{iteration}").item(), rel=1e-4)
        (gradient,) = torch.autograd.grad(loss, latent)
        golden.assert_close(gradient, fixture.output(f"grad_latent.{iteration}"), **GRADIENTS)
        rendering = enlarged(fixture.input("render_low"), fixture.facts["size"]).requires_grad_()
        loss = distance(network.encode(rendering), whole, alpha_bar)
        assert loss.item() == pytest.approx(fixture.output(f"loss_sum_render.{iteration}").item(), rel=1e-4)
        (gradient,) = torch.autograd.grad(loss, rendering)
        golden.assert_close(gradient[..., ::3, ::3], fixture.output(f"grad_render.{iteration}.stride3"), **GRADIENTS)


def joined(pair: tuple[Step, Step], name: str) -> Tensor:
    """What the step of the reference and that of the view have of this name."""
    return torch.cat([getattr(step, name) for step in pair])
