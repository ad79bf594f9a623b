# SPDX-License-Identifier: GPL-3.0-or-later
"""The foreground's network: what it takes from its folder, what it refuses, and how it is asked and stopped."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here: the extra hi3dgen has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from backend.arrays import Float32Array
from backend.engines.hi3dgen.foreground import mask_by_birefnet
from backend.errors import Cancelled, UserError
from backend.models.birefnet import (
    TRAINING_ONLY,
    BiRefNet,
    BiRefNetConfig,
    DeformableASPP,
    load_birefnet,
    log_odds,
    tiled,
)
from backend.nn.watching import repeating

TINY = BiRefNetConfig(
    embed_dim=8,
    depths=(1, 2, 1, 1),
    num_heads=(1, 1, 2, 2),
    window_size=3,
    inter_channels=4,
    aspp_channels=6,
    image_size=64,
)


def tensors(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Random weights of a tiny network, as a checkpoint has them: with the tensors that only training uses."""
    torch.manual_seed(7)
    made = BiRefNet(TINY).state_dict()
    for name, tensor in made.items():
        if tensor.is_floating_point():
            positive = name.endswith("running_var")
            made[name] = (torch.rand(tensor.shape) + 0.5 if positive else torch.randn(tensor.shape) * 0.3).to(dtype)
    return made | {name: torch.randn(1).to(dtype) for name in TRAINING_ONLY}


def checkpoint(folder: Path, weights: dict[str, Tensor], description: dict[str, Any] | None = None) -> Path:
    (folder / "config.json").write_text(json.dumps(asdict(TINY) if description is None else description))
    save_file(weights, folder / "model.safetensors")
    return folder


def picture(side: int = 64) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(5).normal(size=(1, 3, side, side)).astype(np.float32)


def answer_of(network: BiRefNet, pixels: Float32Array) -> Float32Array:
    return log_odds(network, torch.from_numpy(pixels))[0, 0].numpy()


def test_a_mask_from_the_folder_to_the_pixels(tmp_path: Path) -> None:
    description = {**asdict(TINY), "architectures": ["BiRefNet"], "bb_pretrained": False}
    network = load_birefnet(checkpoint(tmp_path, tensors(), description))
    colours = np.random.default_rng(2).integers(0, 256, (40, 90, 3), np.uint8)
    mask = mask_by_birefnet(colours, partial(answer_of, network))
    assert mask.shape == (40, 90)
    assert mask.dtype == np.uint8
    assert np.ptp(mask) > 10


def test_the_answer_is_the_networks_log_odds(tmp_path: Path) -> None:
    network = load_birefnet(checkpoint(tmp_path, tensors()))
    answer = answer_of(network, picture())
    assert answer.dtype == np.float32
    assert np.array_equal(answer, network(torch.from_numpy(picture()))[0, 0].numpy())


def test_another_size_is_resampled_before_and_after(tmp_path: Path) -> None:
    network = load_birefnet(checkpoint(tmp_path, tensors()))
    smooth = functional.interpolate(torch.from_numpy(picture(4)), (128, 128), mode="bicubic")
    shown = functional.interpolate(smooth, (64, 64), mode="area")
    answer, expected = answer_of(network, smooth.numpy()), answer_of(network, shown.numpy())
    assert answer.shape == (128, 128)
    assert np.abs(answer[::2, ::2] - expected).mean() < 0.2 * expected.std()


def test_half_precision_stays_half_until_it_is_moved(tmp_path: Path) -> None:
    weights = tensors(torch.float16)
    network = load_birefnet(checkpoint(tmp_path, weights))
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float16}
    coarse = answer_of(network, picture())
    fine = answer_of(network.to("cpu", torch.float32), picture())
    assert fine.dtype == coarse.dtype == np.float32
    assert np.abs(fine - coarse).max() < 0.02 * np.abs(fine).max()
    whole = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    assert np.array_equal(fine, answer_of(load_birefnet(checkpoint(tmp_path, whole)), picture()))


def test_tensors_that_only_training_uses_may_be_missing(tmp_path: Path) -> None:
    without = {name: tensor for name, tensor in tensors().items() if name not in TRAINING_ONLY}
    assert load_birefnet(checkpoint(tmp_path, without))


BIAS = "squeeze_module.0.dec_att.aspp_deforms.1.atrous_conv.offset_conv.bias"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({BIAS: None}, f"{BIAS} is missing"),
        ({"bb.norm3.running_mean": torch.rand(64)}, r"no place for the tensor bb\.norm3\.running_mean"),
        ({BIAS: torch.rand(17)}, r"offset_conv\.bias is float32 \(17,\) instead of float32 \(18,\)"),
        ({BIAS: torch.rand(18).half()}, r"is float32 .* instead of float16"),
        ({BIAS: torch.rand(18).double()}, r"offset_conv\.bias is float64 \(18,\) instead of float32"),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path: Path, change: dict[str, Tensor | None], named: str) -> None:
    changed = {name: tensor for name, tensor in {**tensors(), **change}.items() if tensor is not None}
    with pytest.raises(UserError, match=named) as refused:
        load_birefnet(checkpoint(tmp_path, changed))
    assert refused.value.code == "weights-mismatch"


def test_an_empty_description_means_the_published_sizes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"bb\.layers\.0\.blocks\.1\.norm1\.weight is missing"):
        load_birefnet(checkpoint(tmp_path, tensors(), {"architectures": ["BiRefNet"]}))


@pytest.mark.parametrize(
    "sizes",
    [
        {"embed_dim": 6},
        {"embed_dim": "wide"},
        {"embed_dim": -8},
        {"depths": [1, 1, 1]},
        {"depths": 4},
        {"num_heads": [1, 1, 2, 5]},
        {"num_heads": [1, 1, 2, 0]},
        {"window_size": 0},
        {"window_size": 2.5},
        {"image_size": 100},
        {"aspp_channels": None},
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path: Path, sizes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="describes no BiRefNet") as refused:
        load_birefnet(checkpoint(tmp_path, tensors(), {**asdict(TINY), **sizes}))
    assert refused.value.code == "weights-damaged"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    checkpoint(tmp_path, tensors())
    for name in ("model.safetensors", "config.json"):
        (tmp_path / name).unlink()
        with pytest.raises(UserError, match=name) as refused:
            load_birefnet(tmp_path)
        assert refused.value.code == "weights-missing"


def test_non_finite_numbers_are_an_error(tmp_path: Path) -> None:
    network = load_birefnet(checkpoint(tmp_path, tensors() | {"decoder.conv_out1.0.bias": torch.tensor([torch.inf])}))
    with pytest.raises(UserError, match="foreground network computed numbers that are not finite"):
        answer_of(network, picture())


def test_an_evaluation_can_be_cancelled(tmp_path: Path) -> None:
    network = load_birefnet(checkpoint(tmp_path, tensors()))
    layers: list[nn.Module] = []
    for part in network.modules():
        part.register_forward_pre_hook(lambda part, _: layers.append(part))
    answer_of(network, picture())
    whole = len(layers)
    layers.clear()
    calls = 0

    def report(_step: int, _of: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1000:
            raise Cancelled

    with repeating(report, pause=0) as repeated:
        repeated(0, 1)
        with pytest.raises(Cancelled):
            answer_of(network, picture())
    assert 0 < len(layers) < whole


@given(rows=st.integers(1, 3), columns=st.integers(1, 3), height=st.integers(1, 3), width=st.integers(1, 3))
@settings(deadline=None)
def test_tiles_are_a_picture_cut_row_by_row(rows: int, columns: int, height: int, width: int) -> None:
    whole = torch.arange(2 * 3 * rows * columns * height * width).view(2, 3, rows * height, columns * width)
    cut = tiled(whole, torch.empty(2, 7, height, width))
    expected = [
        whole[:, colour, i * height : (i + 1) * height, j * width : (j + 1) * width]
        for colour in range(3)
        for i in range(rows)
        for j in range(columns)
    ]
    assert torch.equal(cut, torch.stack(expected, dim=1))


@torch.inference_mode()
def test_the_last_convolutions_are_those_of_all_parts_side_by_side() -> None:
    torch.manual_seed(8)
    around, x = DeformableASPP(4, 6).eval(), torch.randn(2, 4, 5, 7)
    parts = [part(x).expand(-1, -1, 5, 7) for part in (around.aspp1, *around.aspp_deforms, around.global_avg_pool)]
    expected = around.bn1(around.conv1(torch.cat(parts, dim=1))).relu()
    torch.testing.assert_close(around(x), expected, rtol=1e-5, atol=1e-6)

    decoder = BiRefNet(TINY).decoder
    shown, h = torch.randn(1, 3, 32, 64), torch.randn(1, 8, 8, 16)
    grown = functional.interpolate(h, (32, 64), mode="bilinear", align_corners=True)
    expected = decoder.conv_out1(torch.cat([grown, decoder.ipt_blk1(shown)], dim=1))
    torch.testing.assert_close(decoder.read_out(shown, h), expected, rtol=1e-5, atol=1e-6)
