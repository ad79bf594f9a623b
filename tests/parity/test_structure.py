# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure's flow model and decoder compute what the published ones compute, and take their weights strictly."""

from pathlib import Path
from typing import Any

import pytest
from weights_by_rule import input_by_rule, weights_by_rule

from tests.parity import fixtures

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig, occupied
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn.checkpoint import fill


def flow_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> StructureFlow:
    """The flow model on the meta device, or with weights."""
    with torch.device("meta"):
        flow = StructureFlow(StructureFlowConfig(**config))
    if weights is not None:
        fill(flow, weights, "the fixture")
    return flow


def decoder_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> StructureDecoder:
    """The decoder on the meta device, or with weights."""
    with torch.device("meta"):
        decoder = StructureDecoder(StructureDecoderConfig(**config))
    if weights is not None:
        fill(decoder, weights, "the fixture")
    return decoder


@fixtures.each("ss_flow")
@torch.inference_mode()
def test_the_flow_model(path: Path) -> None:
    fixture = fixtures.read(path)
    flow = flow_of(fixture.config, fixture.weights())
    first = fixtures.watched(flow.blocks[0])
    time = flow.time(fixture.input("t"))
    v = flow(fixture.input("x"), time, flow.contexts(fixture.input("cond")))
    fixtures.assert_close(time.embedding, fixture.output("t_emb"))
    fixtures.assert_close(first[0], fixture.output("block0"))
    fixtures.assert_close(v, fixture.output("v"))


@fixtures.each("ss_flow")
def test_positions_are_the_stored_ones_to_the_bit(path: Path) -> None:
    fixture = fixtures.read(path)
    assert torch.equal(StructureFlow(StructureFlowConfig(**fixture.config)).pos_emb, fixture.weights()["pos_emb"])


@fixtures.each("ss_dec")
@torch.inference_mode()
def test_the_decoder(path: Path) -> None:
    fixture = fixtures.read(path)
    logits = decoder_of(fixture.config, fixture.weights())(fixture.input("z"))
    fixtures.assert_close(logits, fixture.output("logits"))
    coords = occupied(logits)
    assert coords.dtype == torch.int32
    assert torch.equal(coords, fixture.output("coords"))


@pytest.mark.parametrize(("kind", "build"), [("ss_flow", flow_of), ("ss_dec", decoder_of)])
def test_the_published_checkpoints_have_a_place_for_every_tensor(kind: str, build: Any) -> None:
    ours = build(fixtures.manifest(kind)["config"]).state_dict()
    assert fixtures.forms(ours) == fixtures.forms(fixtures.published(kind))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@torch.inference_mode()
def test_the_flow_model_in_full_size() -> None:
    fixture = fixtures.full("ss_flow")
    config, facts = fixture.config, fixture.facts
    positions = StructureFlow(StructureFlowConfig(**{**config, "num_blocks": 0})).pos_emb
    weights = weights_by_rule(flow_of(config).state_dict())
    flow = flow_of(config, {**weights, "pos_emb": positions})
    blocks = {i: fixtures.watched(flow.blocks[i]) for i in (0, 11)}
    cond = input_by_rule(facts["cond_key"], facts["cond_shape"], facts["cond_sha256"])
    v = flow(fixture.input("x"), flow.time(fixture.input("t")), flow.contexts(cond))
    for i, (found,) in blocks.items():
        fixtures.assert_close(found[0, :16], fixture.output(f"block{i}_first16"))
    fixtures.assert_close(v, fixture.output("v"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@torch.inference_mode()
def test_the_decoder_in_full_size() -> None:
    fixture = fixtures.full("ss_dec")
    weights = weights_by_rule(decoder_of(fixture.config).state_dict())
    logits = decoder_of(fixture.config, weights)(fixture.input("z"))
    fixtures.assert_close(logits, fixture.output("logits"))
    assert len(occupied(logits)) == fixture.facts["n_positive"]
