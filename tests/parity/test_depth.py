# SPDX-License-Identifier: GPL-3.0-or-later
"""DPT-Hybrid under its published names, at full size, and the nine channels that Hi3D makes of its depth."""

from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch

from backend.models.depth_channels import depth_channels, depths, seen_by_depth
from backend.models.depth_names import HEAD_WIDTH, REMNANTS, depth_from_midas, depth_place
from backend.models.published import to_published


@golden.each("hi3d_dpt")
def test_the_network_computes_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    network: Any = depth_from_midas(fixture.weights("model."), HEAD_WIDTH, "the fixture")
    block = golden.watched(network.dpt.encoder.layer[11])
    before = golden.watched(network.head.head[4])
    with torch.inference_mode():
        depth = depths(network, fixture.input("x"))
    first: Any = block[0]
    tokens = first[0] if isinstance(first, tuple) else first
    # Published as the first tokens of every picture, not as the first pictures.
    golden.assert_close(tokens[:, :8], fixture.output("block11.first8"), 1e-4, 1e-4)
    ours = {"depth": depth, "before_relu": before[0]}
    golden.assert_outputs_close(fixture, ours, needed=ours, relative=1e-4, absolute=1e-4)


def test_every_published_tensor_is_used_once_and_comes_back() -> None:
    published = golden.full("dpt_hybrid", "model.")
    network = depth_from_midas(published, HEAD_WIDTH, "the manifest")
    back = to_published(network.state_dict(), depth_place)
    assert golden.forms(back) == {name: form for name, form in golden.forms(published).items() if name not in REMNANTS}
    assert len(published) == len(back) + len(REMNANTS) == 368
    whole = golden.full("full_hi3d_stage2", "conditioner.embedders.2.model.model.")
    assert golden.forms(whole) == golden.forms(published)


@golden.each("hi3d_depth9")
def test_the_channels_are_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    frames = fixture.input("frames")
    given = fixture.input("dpt_output")
    ours = {
        "dpt_input": seen_by_depth(frames),
        "depth9": depth_channels(given, *frames.shape[-2:]),
    }
    assert (fixture.facts["shuffle_size"], fixture.facts["scale_factor"]) == (3, 2.6666)
    golden.assert_outputs_close(fixture, ours, needed=ours, relative=5e-6)


def test_frames_too_small_for_a_depth_are_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        seen_by_depth(torch.zeros(1, 3, 128, 85))
