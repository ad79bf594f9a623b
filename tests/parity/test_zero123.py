# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-1-to-3 computes what the published program computes, from its own names of tensors to the view."""

from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden
from tests.parity.draws import Draws

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional

from backend.errors import UserError
from backend.models.ldm_unet import unet_from_ldm, unet_place
from backend.models.published import count, to_published
from backend.models.zero123 import Move, build_eye, build_unet, decode, look, sample
from backend.nn.ddim import schedule_of


@golden.each("zero123")
def test_a_view_by_a_move(path: Path) -> None:
    fixture = golden.read(path)
    config, weights, size = fixture.config, fixture.weights(), fixture.config["size"]
    picture = functional.interpolate(fixture.input("lowres"), (size, size), mode="bilinear", align_corners=True)
    width = len(weights["cond_stage_model.model.visual.class_embedding"])  # of its CLIP, which has one head
    eye = build_eye(weights, "the fixture", head_width=width)
    conditions = look(eye, picture, Move(config["x"], config["y"], config["z"]))
    samples = config["n"]
    schedule = schedule_of(config["steps"], config["eta"])
    assert list(schedule.levels) == fixture.facts["timesteps"]

    draws = Draws(fixture)
    states: list[Tensor] = []
    predicted: list[Tensor] = []

    def watch(latent: Tensor, clean: Tensor) -> None:
        states.append(latent)
        predicted.append(clean)

    latents = sample(
        build_unet(weights, "the fixture", heads=config["heads"]),
        conditions,
        schedule,
        draws,
        golden.no_report,
        guidance=config["scale"],
        count=samples,
        watch=watch,
    )
    assert not draws.left
    ours = {
        "crossattn": conditions.token.expand(samples, -1, -1),
        "concat": conditions.latent.expand(samples, -1, -1, -1),
    }
    golden.assert_outputs_close(fixture, ours, ours, relative=5e-6)
    ours = {
        "states": torch.stack(states),
        "pred_x0": torch.stack(predicted),
        "latents": latents,
        "images": decode(eye.vae, latents),
    }
    golden.assert_outputs_close(fixture, ours, ours, relative=2e-5, absolute=5e-5)


@golden.each("zero123")
def test_every_published_tensor_of_the_unet_is_used_once_and_comes_back(path: Path) -> None:
    fixture = golden.read(path)
    published = fixture.weights("model.diffusion_model.")
    network = unet_from_ldm(published, fixture.config["heads"], "the fixture")
    levels = sum(name.endswith(".op.weight") for name in published) + 1
    each = count(published, "input_blocks.") // levels  # blocks of a level, and what shrinks it
    attended = tuple(f"input_blocks.{1 + each * level}.1.norm.weight" in published for level in range(levels))
    back = to_published(network.state_dict(), lambda name: unet_place(name, each - 1, attended))
    assert back.keys() == published.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in published.items())


@golden.each("zero123")
def test_weights_that_were_averaged_in_training_are_taken(path: Path) -> None:
    fixture = golden.read(path)
    weights, start = fixture.weights(), "model.diffusion_model."
    heads = fixture.config["heads"]
    plain = build_unet(weights, "the fixture", heads).state_dict()
    averaged = {
        f"model_ema.{name.removeprefix('model.').replace('.', '')}": tensor
        for name, tensor in weights.items()
        if name.startswith(start)
    }
    last = {name: torch.zeros_like(tensor) for name, tensor in weights.items() if name.startswith(start)}
    state = build_unet({**weights, **last, **averaged, "model_ema.decay": torch.ones(())}, "the fixture", heads)
    assert all(torch.equal(tensor, plain[name]) for name, tensor in state.state_dict().items())
    averaged.popitem()
    with pytest.raises(UserError, match="is missing"):
        build_unet({**weights, **averaged}, "the fixture", heads)


@golden.each("zero123")
def test_a_tower_in_two_dtypes_is_read(path: Path) -> None:
    fixture = golden.read(path)
    tower, weights = "cond_stage_model.model.visual.", fixture.weights()
    halved = {name: tensor.half() if name.startswith(f"{tower}tr") else tensor for name, tensor in weights.items()}
    eye = build_eye(halved, "the fixture", len(weights[f"{tower}class_embedding"]))
    assert {tensor.dtype for tensor in eye.tower.parameters()} == {torch.float32}


def test_the_published_network_has_as_many_values_and_comes_back() -> None:
    wide = {"in_channels": 8, "cross_attention_dim": 768, "attention_head_dim": 8}
    attended = (True, True, True, False)
    with torch.device("meta"):
        full: Any = UNet2DConditionModel.from_config(wide)
    published = to_published(full.state_dict(), lambda name: unet_place(name, 2, attended))
    assert sum(tensor.numel() for tensor in published.values()) == 859_532_484
    network = unet_from_ldm(published, 8, "the published network")
    assert golden.forms(network.state_dict()) == golden.forms(full.state_dict())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model.diffusion_model.out.0.bias": None}, "conv_norm_out.bias is missing"),
        ({"model.diffusion_model.out.9.bias": torch.zeros(1)}, "no place for the tensor out.9.bias"),
        ({"model.diffusion_model.out.2.bias": torch.zeros(7)}, r"conv_out.bias is float32 \(7,\) instead of"),
        ({"model.diffusion_model.input_blocks.1.0.in_layers.2.weight": None}, "in_layers.2.weight is missing"),
    ],
)
@golden.each("zero123")
def test_a_tensor_that_does_not_fit_is_named(path: Path, change: dict[str, Tensor | None], named: str) -> None:
    fixture = golden.read(path)
    changed = {name: tensor for name, tensor in {**fixture.weights(), **change}.items() if tensor is not None}
    with pytest.raises(UserError, match=named):
        build_unet(changed, "the fixture", fixture.config["heads"])
