# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the sparse networks compute what the published ones compute."""

from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.models.latent_decoder import WindowTransformer
from backend.nn.checkpoint import fill
from backend.nn.sparse import Voxels
from backend.nn.sparse_attention import WindowAttention
from backend.nn.sparse_blocks import SubdivideBlock, gathered_in_cells
from backend.nn.sparse_conv import SparseConv
from backend.nn.transformer import CrossAttention, SelfAttention


def voxels_of(fixture: golden.Fixture) -> Voxels:
    return Voxels(fixture.input("coords"))


@golden.each("sparse_conv")
@torch.inference_mode()
def test_convolution(path: Path) -> None:
    fixture = golden.read(path)
    sizes = {name: int(name[1]) for output in fixture.outputs for name in [output.removesuffix(".feats")]}
    assert sizes
    for name, size in sizes.items():
        conv = SparseConv(fixture.facts["in_channels"], fixture.facts["out_channels"], size)
        fill(conv, fixture.weights_like(conv.state_dict(), f"{name}."), "the fixture")
        features = conv(fixture.input("feats"), voxels_of(fixture))
        golden.assert_close(features, fixture.output(f"{name}.feats"))


@golden.each("sparse_updown")
@torch.inference_mode()
def test_going_between_resolutions(path: Path) -> None:
    fixture = golden.read(path)
    voxels, features = voxels_of(fixture), fixture.input("feats")
    gathered = gathered_in_cells(features, voxels)
    assert torch.equal(voxels.cells.coords, fixture.output("down.coords"))
    golden.assert_close(gathered, fixture.output("down.feats"))
    golden.assert_close(gathered[voxels.cell_of], fixture.output("up.feats"))
    if fixture.has_output("up.coords"):
        assert torch.equal(voxels.coords, fixture.output("up.coords"))
    assert torch.equal(voxels.children.coords, fixture.output("sub.coords"))
    assert torch.equal(features.repeat_interleave(8, dim=0), fixture.output("sub.feats"))


@golden.each("sparse_attention")
@pytest.mark.parametrize(("name", "shifted", "normalised"), [("noshift", 0, 0), ("shift", 1, 0), ("shift_rms", 1, 1)])
@torch.inference_mode()
def test_attention_in_windows(path: Path, name: str, shifted: int, normalised: int) -> None:
    fixture = golden.read(path)
    facts = fixture.facts
    attention = WindowAttention(facts["channels"], facts["heads"], qk_rms_norm=bool(normalised))
    fill(attention, fixture.weights_like(attention.state_dict(), f"{name}."), "the fixture")
    windows = voxels_of(fixture).windows(facts["window_size"], facts["shift"] * shifted)
    golden.assert_close(attention(fixture.input("feats"), windows), fixture.output(f"{name}.feats"))


@golden.each("sparse_attention")
@torch.inference_mode()
def test_attention_of_all_voxels_of_an_object(path: Path) -> None:
    fixture = golden.read(path)
    x, context = fixture.input("feats"), fixture.input("context")
    all_of = SelfAttention(fixture.facts["channels"], fixture.facts["heads"], qk_rms_norm=True)
    fill(all_of, fixture.weights_like(all_of.state_dict(), "full_rms."), "the fixture")
    cross = CrossAttention(fixture.facts["channels"], context.shape[-1], fixture.facts["heads"])
    fill(cross, fixture.weights_like(cross.state_dict(), "cross."), "the fixture")
    for item, rows in enumerate(voxels_of(fixture).items()):
        golden.assert_close(all_of(x[None, rows])[0], fixture.output("full_rms.feats")[rows])
        mixed = cross(x[None, rows], cross.read(context[item % len(context), None]))
        golden.assert_close(mixed[0], fixture.output("cross.feats")[rows])


@golden.each("swin_torso")
@torch.inference_mode()
def test_the_decoders_torso(path: Path) -> None:
    fixture = golden.read(path)
    config = fixture.config
    torso = WindowTransformer(
        config["in_channels"],
        config["model_channels"],
        blocks=config["num_blocks"],
        heads=config["num_heads"],
        mlp_ratio=config["mlp_ratio"],
        window_size=config["window_size"],
    )
    fill(torso, fixture.weights_like(torso.state_dict()), "the fixture")
    blocks = {f"block{i}.feats": golden.watched(block) for i, block in enumerate(torso.blocks)}
    features = torso.transform(fixture.input("feats"), voxels_of(fixture), torch.float32)
    ours = {"feats": features, **{name: found[0] for name, found in blocks.items()}}
    golden.assert_outputs_close(fixture, ours, needed=["feats"])


@golden.each("subdivide")
@torch.inference_mode()
def test_subdivision(path: Path) -> None:
    fixture = golden.read(path)
    facts, voxels = fixture.facts, voxels_of(fixture)
    block = SubdivideBlock(facts["channels"], facts["out_channels"], facts["num_groups"])
    fill(block, fixture.weights_like(block.state_dict()), "the fixture")
    assert torch.equal(voxels.children.coords, fixture.output("coords"))
    golden.assert_close(block(fixture.input("feats"), voxels), fixture.output("feats"))
