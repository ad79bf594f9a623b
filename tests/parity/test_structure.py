# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure's flow model and decoder compute what the published ones compute, and take their weights strictly."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig, occupied
from backend.models.structure_flow import StructureFlow, StructureFlowConfig


def flow_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> StructureFlow:
    """The flow model on the meta device, or with weights; positions that are left out are computed."""
    whole = None if weights is None else {"pos_emb": positions(config), **weights}
    return golden.network(lambda: StructureFlow(StructureFlowConfig(**config)), whole)


def positions(config: dict[str, Any]) -> Tensor:
    return StructureFlow(StructureFlowConfig(**{**config, "num_blocks": 0})).pos_emb


def flow_by(fixture: golden.Fixture) -> StructureFlow:
    weights = fixture.weights_like(flow_of(fixture.config).state_dict())
    return flow_of(fixture.config, {**weights, "pos_emb": fixture.weights().get("pos_emb", positions(fixture.config))})


def decoder_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> StructureDecoder:
    """The decoder on the meta device, or with weights."""
    return golden.network(lambda: StructureDecoder(StructureDecoderConfig(**config)), weights)


@golden.each("ss_flow")
@torch.inference_mode()
def test_the_flow_model(path: Path) -> None:
    fixture = golden.read(path)
    flow = flow_by(fixture)
    blocks = {f"block{i}": golden.watched(block) for i, block in enumerate(flow.blocks)}
    time = flow.time(fixture.input("t"))
    v = flow(fixture.input("x"), time, flow.contexts(fixture.input("cond")))
    ours = {"v": v, "t_emb": time.embedding, **{name: found[0] for name, found in blocks.items()}}
    golden.assert_outputs_close(fixture, ours, needed=["v"])


@golden.each("ss_flow")
def test_positions_are_the_stored_ones_to_the_bit(path: Path) -> None:
    fixture = golden.read(path)
    ours = positions(fixture.config)
    assert torch.equal(ours, fixture.weights().get("pos_emb", ours))
    digest = hashlib.sha256(ours.numpy().astype("<f4").tobytes()).hexdigest()
    assert fixture.facts.get("pos_emb_sha256", digest) == digest


@golden.each("ss_dec")
@torch.inference_mode()
def test_the_decoder(path: Path) -> None:
    fixture = golden.read(path)
    weights = fixture.weights_like(decoder_of(fixture.config).state_dict())
    logits = decoder_of(fixture.config, weights)(fixture.input("z"))
    golden.assert_outputs_close(fixture, {"logits": logits}, needed=["logits"])
    coords = occupied(logits)
    assert coords.dtype == torch.int32
    assert len(coords) == fixture.facts.get("n_positive", len(coords))
    if fixture.has_output("coords"):
        assert torch.equal(coords, fixture.output("coords"))


@pytest.mark.parametrize(("kind", "build"), [("ss_flow", flow_of), ("ss_dec", decoder_of)])
def test_the_published_checkpoints_have_a_place_for_every_tensor(kind: str, build: Any) -> None:
    ours = build(golden.manifest(kind)["config"]).state_dict()
    assert golden.forms(ours) == golden.forms(golden.published(kind))
