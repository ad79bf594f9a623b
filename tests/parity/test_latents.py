# SPDX-License-Identifier: GPL-3.0-or-later
"""The latents' flow model and decoder compute what the published ones compute, and take their weights strictly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from weights_by_rule import input_by_rule, weights_by_rule

from tests.parity import fixtures, meshes

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.models.latent_decoder import SUBDIVISION, LatentDecoder, LatentDecoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.nn.checkpoint import fill
from backend.nn.sparse import Voxels
from backend.surface.surface import extract_surface


def flow_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> LatentFlow:
    """The flow model on the meta device, or with weights."""
    with torch.device("meta"):
        flow = LatentFlow(LatentFlowConfig(**config))
    if weights is not None:
        fill(flow, weights, "the fixture")
    return flow


def decoder_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> LatentDecoder:
    """The decoder on the meta device, or with weights."""
    with torch.device("meta"):
        decoder = LatentDecoder(LatentDecoderConfig(**config))
    if weights is not None:
        fill(decoder, weights, "the fixture")
    return decoder


def shell() -> Tensor:
    """The voxels of the full-size fixtures: int32 (4904, 4)."""
    places = torch.cartesian_prod(*[torch.arange(64)] * 3)
    squares = (2 * places - 63).square().sum(1)
    places = places[(squares >= 39**2) & (squares < 41**2)].int()
    return torch.cat([torch.zeros_like(places[:, :1]), places], dim=1)


@fixtures.each("slat_flow")
@torch.inference_mode()
def test_the_flow_model(path: Path) -> None:
    fixture = fixtures.read(path)
    flow = flow_of(fixture.config, fixture.weights())
    parts = {"input_block": flow.input_blocks, "out_block": flow.out_blocks}
    watched = {
        f"{name}{i}": fixtures.watched(block) for name, blocks in parts.items() for i, block in enumerate(blocks)
    }
    voxels = Voxels(fixture.input("coords"))
    time, contexts = flow.time(fixture.input("t")), flow.contexts(fixture.input("cond"))
    v = flow(fixture.input("feats"), time, contexts, voxels)
    for name, (found,) in watched.items():
        if f"output.{name}.feats" in fixture.tensors:
            fixtures.assert_close(found, fixture.output(f"{name}.feats"), relative=5e-6)
    if "output.input_block1.coords" in fixture.tensors:
        assert torch.equal(voxels.cells.coords, fixture.output("input_block1.coords"))
    fixtures.assert_close(v, fixture.output("feats"), relative=5e-6)


@fixtures.each("slat_flow")
@torch.inference_mode()
def test_objects_of_different_sizes_go_together(path: Path) -> None:
    """Each with its own time and picture, as it would alone."""
    fixture = fixtures.read(path)
    flow = flow_of(fixture.config, fixture.weights())
    coords, x, cond = fixture.input("coords"), fixture.input("feats"), fixture.input("cond")[:1]
    first = coords[:, 0] == 0
    sizes = [int(first.sum()), int(first.sum()) * 2 // 3, 1]
    objects = [Voxels(coords[first][:size].contiguous()) for size in sizes]
    xs = [x[first][:size] for size in sizes]
    times, conds = torch.tensor([900.0, 500.0, 0.0]), torch.cat([cond, -cond, 2 * cond])
    together = Voxels(
        torch.cat([voxels.coords + torch.tensor([i, 0, 0, 0], dtype=torch.int32) for i, voxels in enumerate(objects)])
    )
    v = flow(torch.cat(xs), flow.time(times), flow.contexts(conds), together)
    nothing = flow(torch.cat(xs), flow.time(times[:1]), flow.contexts(None), together)
    for i, rows in enumerate(together.items()):
        alone = flow(xs[i], flow.time(times[i, None]), flow.contexts(conds[i, None]), objects[i])
        fixtures.assert_close(v[rows], alone)
        alone = flow(xs[i], flow.time(times[:1]), flow.contexts(torch.zeros_like(cond)), objects[i])
        fixtures.assert_close(nothing[rows], alone)


@fixtures.each("slat_dec_mesh")
@torch.inference_mode()
def test_the_decoder(path: Path) -> None:
    fixture = fixtures.read(path)
    decoder = decoder_of(fixture.config, fixture.weights())
    ups = [fixtures.watched(block) for block in decoder.upsample]
    features, fine = decoder(fixture.input("feats"), Voxels(fixture.input("coords")))
    fixtures.assert_close(ups[0][0][:64], fixture.output("torso_up0.feats_first64"))
    fixtures.assert_close(ups[1][0][:64], fixture.output("up1.feats_first64"))
    fixtures.assert_close(features[fixture.output("final.rows")], fixture.output("final.feats_rows"))
    distances = fixture.output("final.sdf_all")
    fixtures.assert_close(features[: len(distances), :8], distances)
    surface = extract_surface(fine.coords[:, 1:], features, fixture.config["resolution"] * SUBDIVISION)
    meshes.assert_same_mesh(
        (surface.vertices.numpy(), surface.triangles.numpy()),
        (fixture.output("vertices").numpy(), fixture.output("faces").numpy()),
    )


def test_the_flow_model_takes_the_published_tensors() -> None:
    config = {**fixtures.manifest("slat_flow")["config"], "use_fp16": True}
    assert fixtures.forms(flow_of(config).state_dict()) == fixtures.forms(fixtures.published("slat_flow"))


def test_the_decoder_takes_the_published_tensors() -> None:
    config = {**fixtures.manifest("slat_dec_mesh")["config"], "use_fp16": True}
    assert fixtures.forms(decoder_of(config).state_dict()) == fixtures.forms(fixtures.published("slat_dec_mesh"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@torch.inference_mode()
def test_the_flow_model_in_full_size() -> None:
    fixture = fixtures.full("slat_flow")
    facts = fixture.facts
    assert torch.equal(fixture.input("coords"), shell())
    flow = flow_of(fixture.config, weights_by_rule(flow_of(fixture.config).state_dict()))
    packed, first = fixtures.watched(flow.input_blocks[1]), fixtures.watched(flow.blocks[0])
    cond = input_by_rule(facts["cond_key"], facts["cond_shape"], facts["cond_sha256"])
    voxels = Voxels(shell())
    v = flow(fixture.input("feats"), flow.time(fixture.input("t")), flow.contexts(cond), voxels)
    assert torch.equal(voxels.cells.coords, fixture.output("down_coords"))
    fixtures.assert_close(packed[0][:64], fixture.output("in1_first64"))
    fixtures.assert_close(first[0][0, :64], fixture.output("block0_first64"))
    fixtures.assert_close(v, fixture.output("feats"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@torch.inference_mode()
def test_the_decoder_in_full_size() -> None:
    fixture = fixtures.full("slat_dec_mesh")
    decoder = decoder_of(fixture.config, weights_by_rule(decoder_of(fixture.config).state_dict()))
    parts = {"torso": decoder.blocks[-1], "up0": decoder.upsample[0], "up1": decoder.upsample[1]}
    watched = {name: fixtures.watched(part) for name, part in parts.items()}
    features, fine = decoder(fixture.input("feats"), Voxels(shell()))
    for name, (found,) in watched.items():
        fixtures.assert_close(found[:64], fixture.output(f"{name}_first64"))
    fixtures.assert_close(features[fixture.output("rows")], fixture.output("final_rows"))
    fixtures.assert_close(features[:4096, :8], fixture.output("final_sdf_first4096"))
    fixtures.assert_close(features.double().mean(0), fixture.output("channel_mean"))
    fixtures.assert_close(features.double().std(0, correction=0), fixture.output("channel_std"))

    surface = extract_surface(fine.coords[:, 1:], features, fixture.config["resolution"] * SUBDIVISION)
    vertices, triangles = surface.vertices.numpy(), surface.triangles.numpy()
    # The signs of a random field at its zeros are a matter of rounding.
    assert abs(len(vertices) - fixture.facts["n_vertices"]) <= 20
    assert abs(len(triangles) - fixture.facts["n_faces"]) <= 40
    ours = meshes.matched(fixture.output("vertices_first1000").numpy(), vertices)
    faces = fixture.output("faces_first1000").numpy()
    known = ours[faces[(faces < len(ours)).all(1)]]
    assert len(known) > 500
    all_ours = {tuple(triangle) for triangle in meshes.canonical(triangles.astype(np.int64)).tolist()}
    assert {tuple(triangle) for triangle in meshes.canonical(known).tolist()} <= all_ours
