# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the sparse networks compute what the published ones compute."""

from pathlib import Path

import pytest

from tests.parity import fixtures

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.models.latent_decoder import WindowTransformer
from backend.nn.checkpoint import fill
from backend.nn.sparse import Voxels
from backend.nn.sparse_attention import WindowAttention
from backend.nn.sparse_blocks import SubdivideBlock, gathered_in_cells
from backend.nn.sparse_conv import SparseConv
from backend.nn.transformer import CrossAttention, SelfAttention


def voxels_of(fixture: fixtures.Fixture) -> Voxels:
    return Voxels(fixture.input("coords"))


@fixtures.each("sparse_conv")
@pytest.mark.parametrize(("name", "size"), [("k3", 3), ("k1", 1)])
@torch.inference_mode()
def test_convolution(path: Path, name: str, size: int) -> None:
    fixture = fixtures.read(path)
    conv = SparseConv(fixture.facts["in_channels"], fixture.facts["out_channels"], size)
    fill(conv, fixture.weights(f"{name}."), "the fixture")
    features = conv(fixture.input("feats"), voxels_of(fixture))
    fixtures.assert_close(features, fixture.output(f"{name}.feats"))


@fixtures.each("sparse_updown")
@torch.inference_mode()
def test_resolutions(path: Path) -> None:
    fixture = fixtures.read(path)
    voxels, features = voxels_of(fixture), fixture.input("feats")
    gathered = gathered_in_cells(features, voxels)
    assert torch.equal(voxels.cells.coords, fixture.output("down.coords"))
    fixtures.assert_close(gathered, fixture.output("down.feats"))
    fixtures.assert_close(gathered[voxels.cell_of], fixture.output("up.feats"))
    assert torch.equal(voxels.children.coords, fixture.output("sub.coords"))
    assert torch.equal(features.repeat_interleave(8, dim=0), fixture.output("sub.feats"))


@fixtures.each("sparse_attention")
@pytest.mark.parametrize(("name", "shifted", "normalised"), [("noshift", 0, 0), ("shift", 1, 0), ("shift_rms", 1, 1)])
@torch.inference_mode()
def test_attention_in_windows(path: Path, name: str, shifted: int, normalised: int) -> None:
    fixture = fixtures.read(path)
    facts = fixture.facts
    attention = WindowAttention(facts["channels"], facts["heads"], qk_rms_norm=bool(normalised))
    fill(attention, fixture.weights(f"{name}."), "the fixture")
    windows = voxels_of(fixture).windows(facts["window_size"], facts["shift"] * shifted)
    fixtures.assert_close(attention(fixture.input("feats"), windows), fixture.output(f"{name}.feats"))


@fixtures.each("sparse_attention")
@torch.inference_mode()
def test_attention_of_all_an_objects_voxels(path: Path) -> None:
    fixture = fixtures.read(path)
    x, context = fixture.input("feats"), fixture.input("context")
    all_of = SelfAttention(fixture.facts["channels"], fixture.facts["heads"], qk_rms_norm=True)
    fill(all_of, fixture.weights("full_rms."), "the fixture")
    cross = CrossAttention(fixture.facts["channels"], context.shape[-1], fixture.facts["heads"])
    fill(cross, fixture.weights("cross."), "the fixture")
    for item, rows in enumerate(voxels_of(fixture).items()):
        fixtures.assert_close(all_of(x[None, rows])[0], fixture.output("full_rms.feats")[rows])
        mixed = cross(x[None, rows], cross.read(context[item % len(context), None]))
        fixtures.assert_close(mixed[0], fixture.output("cross.feats")[rows])


@fixtures.each("swin_torso")
@torch.inference_mode()
def test_the_decoders_torso(path: Path) -> None:
    fixture = fixtures.read(path)
    config = fixture.config
    torso = WindowTransformer(
        config["in_channels"],
        config["model_channels"],
        blocks=config["num_blocks"],
        heads=config["num_heads"],
        mlp_ratio=config["mlp_ratio"],
        window_size=config["window_size"],
    )
    fill(torso, fixture.weights(), "the fixture")
    blocks = [fixtures.watched(block) for block in torso.blocks]
    features = torso.transform(fixture.input("feats"), voxels_of(fixture), torch.float32)
    for i, (block,) in enumerate(blocks[:2]):
        fixtures.assert_close(block, fixture.output(f"block{i}.feats"))
    fixtures.assert_close(features, fixture.output("feats"))


@fixtures.each("subdivide")
@torch.inference_mode()
def test_subdivision(path: Path) -> None:
    fixture = fixtures.read(path)
    facts, voxels = fixture.facts, voxels_of(fixture)
    block = SubdivideBlock(facts["channels"], facts["out_channels"], facts["num_groups"])
    fill(block, fixture.weights(), "the fixture")
    assert torch.equal(voxels.children.coords, fixture.output("coords"))
    fixtures.assert_close(block(fixture.input("feats"), voxels), fixture.output("feats"))
