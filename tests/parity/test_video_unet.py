# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that denoises all frames together: its published names, and its forward, block by block."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")

import torch
from torch import nn

from backend.errors import UserError
from backend.models.published import to_published
from backend.models.video_unet import in_chunks, predict
from backend.models.video_unet_names import HEAD_WIDTH, video_unet_from_sgm, video_unet_place

PREFIX = "model.diffusion_model."
ATTENDED = (True, True, True, False)


def block_of(network: Any, published: str, layers: int) -> nn.Module:
    """The last part of a published block, such as "input_blocks.5"."""
    way, _, number = published.partition(".")
    levels = len(network.down_blocks)
    if way == "middle_block":
        return network.mid_block
    if published == "input_blocks.0":
        return network.conv_in
    level, part = divmod(int(number) - (way == "input_blocks"), layers + 1)
    block = (network.down_blocks if way == "input_blocks" else network.up_blocks)[level]
    if part == layers and level < levels - 1:
        return (block.downsamplers if way == "input_blocks" else block.upsamplers)[0]
    attended = getattr(block, "attentions", None)
    return (attended or block.resnets)[part]


def run(fixture: golden.Fixture, change: Callable[[Any], Any] = lambda network: network) -> dict[str, torch.Tensor]:
    """Our results by the names of the fixture's outputs."""
    config = fixture.config
    network: Any = video_unet_from_sgm(fixture.weights(PREFIX), config["num_head_channels"], "the fixture")
    assert network.config["layers_per_block"] == config["num_res_blocks"]
    assert network.config["in_channels"] == config["in_channels"]
    widths = [config["model_channels"] * times for times in config["channel_mult"]]
    assert list(network.config["block_out_channels"]) == widths
    network = change(network)
    names = {name.partition(".first")[0] for name in fixture.outputs} - {"sample"}
    seen = {name: golden.watched(block_of(network, name, config["num_res_blocks"])) for name in names}
    with torch.inference_mode():
        given = (fixture.input(name) for name in ("sample", "timestep", "context", "vector"))
        sample = predict(network, *given, frames=fixture.facts["num_frames"])
    firsts: dict[str, Any] = {name: outputs[0] for name, outputs in seen.items()}
    return {"sample": sample} | {name: one[0] if isinstance(one, tuple) else one for name, one in firsts.items()}


@golden.each("hi3d_unet")
def test_the_network_computes_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    assert fixture.facts["image_only_indicator"] == "zeros"
    ours = run(fixture)
    golden.assert_outputs_close(fixture, ours, needed=ours)


@golden.each("hi3d_unet")
def test_feed_forwards_in_chunks_change_nothing(path: Path) -> None:
    fixture = golden.read(path)
    ours = run(fixture, lambda network: in_chunks(network, largest=700))  # two tokens, with a rest
    golden.assert_outputs_close(fixture, {"sample": ours["sample"]}, needed=["sample"])


@pytest.mark.parametrize(
    ("manifest", "channels", "vector", "values"),
    [("full_hi3d_stage1", 8, 768, 1_524_623_082), ("full_hi3d_stage2", 17, 512, 1_524_321_322)],
)
def test_every_published_tensor_is_used_once_and_comes_back(
    manifest: str, channels: int, vector: int, values: int
) -> None:
    published = golden.full(manifest, PREFIX)
    assert len(published) == 1428
    network: Any = video_unet_from_sgm(published, HEAD_WIDTH, "the manifest")
    assert network.config["in_channels"] == channels
    assert network.config["projection_class_embeddings_input_dim"] == vector
    assert list(network.config["num_attention_heads"]) == [5, 10, 20, 20]
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == values
    back = to_published(network.state_dict(), lambda name: video_unet_place(name, 2, ATTENDED))
    assert golden.forms(back) == golden.forms(published)


def test_every_norm_of_a_residual_block_has_the_published_epsilon() -> None:
    network = video_unet_from_sgm(golden.full("full_hi3d_stage1", PREFIX), HEAD_WIDTH, "the manifest")
    norms = {name: part.eps for name, part in network.named_modules() if isinstance(part, nn.GroupNorm)}
    blocks = {name: eps for name, eps in norms.items() if "res_block" in name}
    assert len(blocks) == 22 * 4
    assert set(blocks.values()) == {1e-5}
    assert {eps for name, eps in norms.items() if "attentions" in name} == {1e-6}
    assert norms["conv_norm_out"] == 1e-5


def test_a_network_without_one_of_its_tensors_is_refused() -> None:
    tensors = golden.full("full_hi3d_stage1", PREFIX)
    del tensors["output_blocks.5.1.time_stack.0.ff_in.net.2.bias"]
    with pytest.raises(UserError, match=r"up_blocks\.1\.attentions\.2\.temporal_transformer_blocks\.0\.ff_in"):
        video_unet_from_sgm(tensors, HEAD_WIDTH, "the manifest")
