# SPDX-License-Identifier: GPL-3.0-or-later
"""The latents' flow model and decoder compute what the published ones compute, and take their weights strictly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import golden, meshes

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.models.latent_decoder import SUBDIVISION, LatentDecoder, LatentDecoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.nn.sparse import Voxels
from backend.surface.surface import Surface, extract_surface


def flow_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> LatentFlow:
    """The flow model on the meta device, or with weights."""
    return golden.network(lambda: LatentFlow(LatentFlowConfig(**config)), weights)


def decoder_of(config: dict[str, Any], weights: dict[str, Tensor] | None = None) -> LatentDecoder:
    """The decoder on the meta device, or with weights."""
    return golden.network(lambda: LatentDecoder(LatentDecoderConfig(**config)), weights)


@golden.each("slat_flow")
@torch.inference_mode()
def test_the_flow_model(path: Path) -> None:
    fixture = golden.read(path)
    flow = flow_of(fixture.config, fixture.weights_like(flow_of(fixture.config).state_dict()))
    parts = {"input_block": flow.input_blocks, "block": flow.blocks, "out_block": flow.out_blocks}
    watched = {f"{name}{i}": golden.watched(block) for name, blocks in parts.items() for i, block in enumerate(blocks)}
    voxels = Voxels(fixture.input("coords"))
    time, contexts = flow.time(fixture.input("t")), flow.contexts(fixture.input("cond"))
    v = flow(fixture.input("feats"), time, contexts, voxels)
    # The transformer's blocks see one object after the other, the others all objects at once.
    ours = {name: torch.cat([part.flatten(0, -2) for part in found]) for name, found in watched.items()}
    ours |= {"in1": ours["input_block1"]} if "input_block1" in ours else {}
    ours = {"feats": v, **ours, **{f"{name}.feats": found for name, found in ours.items()}}
    golden.assert_outputs_close(fixture, ours, needed=["feats"], relative=5e-6)
    for name in ("input_block1.coords", "down_coords"):
        if fixture.has_output(name):
            assert torch.equal(voxels.cells.coords, fixture.output(name))


@golden.each("slat_flow", with_weights=True)
@torch.inference_mode()
def test_objects_of_different_sizes_go_together(path: Path) -> None:
    """Each has its own time and picture, and gets what it would get alone."""
    fixture = golden.read(path)
    flow = flow_of(fixture.config, fixture.weights())
    coords, x, cond = fixture.input("coords"), fixture.input("feats"), fixture.input("cond")[:1]
    first = coords[:, 0] == 0
    sizes = [int(first.sum()), int(first.sum()) * 2 // 3 or 1, 1]
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
        golden.assert_close(v[rows], alone)
        alone = flow(xs[i], flow.time(times[:1]), flow.contexts(torch.zeros_like(cond)), objects[i])
        golden.assert_close(nothing[rows], alone)


@golden.each("slat_dec_mesh")
@torch.inference_mode()
def test_the_decoder(path: Path) -> None:
    fixture = golden.read(path)
    decoder = decoder_of(fixture.config, fixture.weights_like(decoder_of(fixture.config).state_dict()))
    parts = {"torso": decoder.blocks[-1], "up0": decoder.upsample[0], "up1": decoder.upsample[1]}
    watched = {name: golden.watched(part) for name, part in parts.items()}
    features, fine = decoder(fixture.input("feats"), Voxels(fixture.input("coords")))
    ours = {name: found for name, (found,) in watched.items()}
    ours |= {"torso_up0.feats": ours["up0"], "up1.feats": ours["up1"], "final_sdf": features[:, :8]}
    ours |= {"channel_mean": features.double().mean(0), "channel_std": features.double().std(0, correction=0)}
    golden.assert_outputs_close(fixture, ours)
    for rows, values in (("rows", "final_rows"), ("final.rows", "final.feats_rows")):
        if fixture.has_output(rows):
            golden.assert_close(features[fixture.output(rows)], fixture.output(values))
    if fixture.has_output("final.sdf_all"):
        distances = fixture.output("final.sdf_all")
        golden.assert_close(features[: len(distances), :8], distances)
    assert len(features) == fixture.facts["n_fine"]
    if len(fine.lengths) == 1:  # the mesh of several objects is not one
        resolution = fixture.config["resolution"] * SUBDIVISION
        assert_mesh(extract_surface(fine.coords[:, 1:], features, resolution), fixture)


def assert_mesh(surface: Surface, fixture: golden.Fixture) -> None:
    """The whole mesh if the fixture holds it, else its first vertices and triangles, and about its size."""
    vertices, triangles = surface.vertices.numpy(), surface.triangles.numpy()
    if fixture.has_output("vertices"):
        theirs = fixture.output("vertices").numpy(), fixture.output("faces").numpy()
        meshes.assert_same_mesh((vertices, triangles), theirs)
        return
    # Rounding decides the signs of a random field near its zeros.
    assert abs(len(vertices) - fixture.facts["n_vertices"]) <= 20
    assert abs(len(triangles) - fixture.facts["n_faces"]) <= 40
    (first,) = (name for name in fixture.outputs if name.startswith("vertices_first"))
    ours = meshes.matched(fixture.output(first).numpy(), vertices)
    faces = fixture.output(first.replace("vertices", "faces")).numpy()
    known = ours[faces[(faces < len(ours)).all(1)]]
    assert len(known) > len(faces) / 2
    all_ours = {tuple(triangle) for triangle in meshes.canonical(triangles.astype(np.int64)).tolist()}
    assert {tuple(triangle) for triangle in meshes.canonical(known).tolist()} <= all_ours


def test_the_flow_model_takes_the_published_tensors() -> None:
    config = {**golden.manifest("slat_flow")["config"], "use_fp16": True}
    assert golden.forms(flow_of(config).state_dict()) == golden.forms(golden.published("slat_flow"))


def test_the_decoder_takes_the_published_tensors() -> None:
    config = {**golden.manifest("slat_dec_mesh")["config"], "use_fp16": True}
    assert golden.forms(decoder_of(config).state_dict()) == golden.forms(golden.published("slat_dec_mesh"))
