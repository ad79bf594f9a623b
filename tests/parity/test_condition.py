# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture's tokens are those that the published conditioner gives, from either layout of its weights."""

from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden
from tests.parity.hub_layout import from_hub_layout

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor

from backend.engines.hi3dgen.pictures import to_pixels
from backend.errors import UserError
from backend.models.image_tokens import (
    image_tokens,
    load_tokenizer,
    published_forms,
    tokenizer,
)


def tokenizer_of(config: dict[str, Any], hub: dict[str, Tensor]) -> Any:
    return tokenizer(described(config), from_hub_layout(hub), "the fixture")


def described(config: dict[str, Any]) -> Any:
    """The hub's configuration in transformers' terms."""
    return transformers.Dinov2WithRegistersConfig(
        hidden_size=config["embed_dim"],
        num_hidden_layers=config["depth"],
        num_attention_heads=config["num_heads"],
        mlp_ratio=config["mlp_ratio"],
        image_size=config["img_size"],
        patch_size=config["patch_size"],
        num_register_tokens=config["num_register_tokens"],
    )


@golden.each("image_cond")
@torch.inference_mode()
def test_the_tokens(path: Path) -> None:
    fixture = golden.read(path)
    config = fixture.config
    if "embed_dim" not in config:  # the published network, by its name
        config = golden.manifest(config["name"])["config"]
    weights = fixture.weights() or fixture.weights_like(golden.published(fixture.config["name"]))
    network = tokenizer_of(config, weights)
    pixels = to_pixels(fixture.input("rgb").numpy()) if fixture.has_input("rgb") else fixture.input("image")
    raw, tokens = network(pixels).last_hidden_state[0], image_tokens(network, pixels)[0]
    assert len(tokens) == fixture.facts.get("n_tokens", len(tokens))
    rows = fixture.output("rows")
    ours = {
        "x_prenorm_rows": raw[rows],
        "cond_rows": tokens[rows],
        "cond_mean": tokens.mean(0),
        "cond_std": tokens.std(0),
    }
    golden.assert_outputs_close(fixture, ours, needed=["cond_rows"])


@golden.each("image_cond", with_weights=True)
def test_the_folder_that_is_on_the_hub(path: Path, tmp_path: Path) -> None:
    fixture = golden.read(path)
    described(fixture.config).save_pretrained(tmp_path)
    tensors = {name: tensor.contiguous() for name, tensor in from_hub_layout(fixture.weights()).items()}
    # As facebook/dinov2-with-registers-large has it.
    assert "encoder.layer.0.attention.attention.query.weight" in tensors
    save_file(tensors, tmp_path / "model.safetensors")
    pixels = to_pixels(fixture.input("rgb").numpy())
    tokens = image_tokens(load_tokenizer(tmp_path), pixels)
    assert torch.equal(tokens, image_tokens(tokenizer_of(fixture.config, fixture.weights()), pixels))


@golden.each("image_cond", with_weights=True)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cls_token": None}, "embeddings.cls_token is missing"),
        ({"blocks.0.attn.qkv.bias": None}, r"encoder\.layer\.0\.attention\.attention\.query\.bias is missing"),
        ({"head.weight": torch.zeros(2)}, "no place for the tensor head.weight"),
        ({"mask_token": torch.zeros(1, 5)}, r"mask_token is float32 \(1, 5\) instead of"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(path: Path, change: dict[str, Tensor | None], named: str) -> None:
    fixture = golden.read(path)
    changed = {name: tensor for name, tensor in {**fixture.weights(), **change}.items() if tensor is not None}
    with pytest.raises(UserError, match=named):
        tokenizer_of(fixture.config, changed)


def test_the_published_checkpoint_has_a_place_for_every_tensor() -> None:
    config = described(golden.manifest("dinov2_vitl14_reg")["config"])
    assert golden.forms(published_forms(config)) == golden.forms(from_hub_layout(golden.published("dinov2_vitl14_reg")))
    with torch.device("meta"):
        network = transformers.Dinov2WithRegistersModel(config)
    assert sum(parameter.numel() for parameter in network.parameters()) == sum(
        tensor.numel() for tensor in published_forms(config).values()
    )
