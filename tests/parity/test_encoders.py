# SPDX-License-Identifier: GPL-3.0-or-later
"""The encoders compute and learn what the published ones compute and learn, and take their weights strictly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn

from backend.models.latent_encoder import LatentEncoder, LatentEncoderConfig
from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig
from backend.models.structure_encoder import StructureEncoder, StructureEncoderConfig
from backend.nn.sparse import Voxels
from backend.training.norld.occupancy import OCCUPANCY_LOSSES


def assert_gradients(fixture: golden.Fixture, network: nn.Module, relative: float = 2e-5) -> None:
    """Every parameter's gradient has the published norm, and those that the fixture holds are equal."""
    gradients = {name: parameter.grad for name, parameter in network.named_parameters() if parameter.grad is not None}
    norms = torch.stack([gradients[name].norm() for name in fixture.facts["grad_names"]])
    golden.assert_close(norms, fixture.output("grad_norms"), relative=relative, absolute=0)
    for name in fixture.outputs:
        if name.startswith("grad."):
            found = gradients[name.removeprefix("grad.")]
            golden.assert_close(found, fixture.output(name), relative=relative, absolute=1e-7)


def structure_encoder(config: Mapping[str, Any]) -> StructureEncoder:
    return StructureEncoder(StructureEncoderConfig(**config))


def latent_encoder(config: Mapping[str, Any]) -> LatentEncoder:
    return LatentEncoder(LatentEncoderConfig(**config))


def meta(build: Any, config: Mapping[str, Any]) -> nn.Module:
    with torch.device("meta"):
        return build(config)


@golden.each("ss_vae")
def test_the_structures_autoencoder(path: Path) -> None:
    fixture = golden.read(path)
    facts = fixture.facts
    encoder = StructureEncoder(StructureEncoderConfig(**facts["encoder"]))
    decoder = StructureDecoder(StructureDecoderConfig(**facts["decoder"]))
    both = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    both.load_state_dict(fixture.weights_like(both.state_dict()))
    truth = fixture.input("ss").float()
    found = encoder(truth)
    z = found.sample(fixture.input("noise"))
    logits = decoder(z)
    ours: dict[str, Tensor] = {"mean": found.mean, "logvar": found.logvar, "z": z, "logits": logits}
    ours["kl"] = found.divergence()
    for name, loss in OCCUPANCY_LOSSES.items():
        ours[name] = loss(logits, truth)
        ours[f"loss_{name}"] = ours[name] + facts["lambda_kl"] * ours["kl"]
    needed = ("mean", "logvar", "z", "logits", "kl", facts["loss_type"], f"loss_{facts['loss_type']}")
    golden.assert_outputs_close(fixture, ours, needed)
    ours[f"loss_{facts['loss_type']}"].backward()
    assert_gradients(fixture, both)


@golden.each("slat_enc")
def test_the_latents_encoder(path: Path) -> None:
    fixture = golden.read(path)
    encoder = LatentEncoder(LatentEncoderConfig(**fixture.config))
    encoder.load_state_dict(fixture.weights_like(encoder.state_dict()))
    blocks = {f"block{i}": golden.watched(block) for i, block in enumerate(encoder.blocks)}
    found = encoder(fixture.input("feats"), Voxels(fixture.input("coords")))
    z = found.sample(fixture.input("noise"))
    kl = found.divergence()
    loss = (z * fixture.input("probe")).mean() + 0.01 * kl
    ours = {"mean": found.mean, "logvar": found.logvar, "z": z, "kl": kl, "loss": loss}
    ours |= {name: outputs[0] for name, outputs in blocks.items()}
    golden.assert_outputs_close(fixture, ours, needed=["mean", "logvar", "z", "kl", "loss"])
    loss.backward()
    assert_gradients(fixture, encoder)


@pytest.mark.parametrize(
    ("kind", "build"),
    [
        ("ss_enc", structure_encoder),
        ("slat_enc", latent_encoder),
    ],
)
def test_the_published_checkpoints_have_a_place_for_every_tensor(kind: str, build: Any) -> None:
    ours = meta(build, golden.manifest(kind)["config"]).state_dict()
    assert golden.forms(ours) == golden.forms(golden.published(kind))


def test_encoders_start_as_the_published_ones() -> None:
    latents = LatentEncoder(LatentEncoderConfig(4, 6, 12, 2, 1, 2, mlp_ratio=1, window_size=2))
    assert not latents.out_layer.weight.any()
    assert not any(layer.bias.any() for layer in latents.modules() if isinstance(layer, nn.Linear))
    structure = StructureEncoder(StructureEncoderConfig(1, 2, 1, (4, 6)))
    x = torch.randn(1, 4, 4, 4, 4)
    assert torch.equal(structure.blocks[0](x), x)
    with pytest.raises(ValueError, match="only 'layer'"):
        StructureEncoderConfig(1, 2, 1, (4, 6), norm_type="group")
