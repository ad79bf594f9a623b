# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of views are those of the published networks, counted at full size without a number."""

from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from backend.guided import cost
from backend.guided.recipe import Recipe

UNET = {
    "in_channels": 5,
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}
VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
}


def counted(call: Any, *, gradients: bool = False) -> int:
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.set_grad_enabled(gradients):
        call()
    return counter.get_total_flops()


def test_the_networks_take_so_many_operations() -> None:
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel.from_config(UNET)
        vae: Any = AutoencoderKL.from_config(VAE)
        vae.requires_grad_(requires_grad=False)
        shown: Any = torch.empty(1, 3, 512, 512, requires_grad=True)
        latent, text, pixels = torch.empty(1, 5, 64, 64), torch.empty(1, 77, 1024), torch.empty(1, 3, 512, 512)
    assert sum(part.numel() for part in unet.parameters()) == 865_913_604
    assert counted(lambda: unet(latent, torch.zeros(1, device="meta"), text)) == pytest.approx(
        cost.EVALUATION, rel=0.01
    )
    assert counted(lambda: vae.encode(pixels)) == pytest.approx(cost.ENCODING, rel=0.01)
    there_and_back = counted(lambda: vae.encode(shown).latent_dist.mean.sum().backward(), gradients=True)
    assert there_and_back == pytest.approx(2 * cost.ENCODING, rel=0.03)
    assert counted(lambda: vae.decode(latent[:, :4])) == pytest.approx(cost.DECODING, rel=0.01)


@pytest.mark.parametrize(
    ("recipe", "evaluations", "tera"),
    [
        (Recipe(as_published=True), 131, 109),
        (Recipe(), 129, 107),
        (Recipe(symmetric=True), 90, 76),
        (Recipe(steps=20, stop=12, symmetric=True), 36, 33),
    ],
)
def test_what_a_view_takes(recipe: Recipe, evaluations: int, tera: float) -> None:
    assert cost.evaluations(recipe) == evaluations
    assert cost.of_view(recipe) / 1e12 == pytest.approx(tera, abs=0.6)
    assert cost.of_view(recipe, guided=False) < cost.of_view(recipe)


def test_the_reference_is_read_once() -> None:
    assert cost.of_reference(Recipe()) / 1e12 == pytest.approx(81.5, abs=0.1)
    assert cost.of_reference(Recipe(symmetric=True)) / 1e12 == pytest.approx(49.4, abs=0.1)
