# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out network learns, goes on after a kill to the same bit, and runs in numpy as in torch."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

import torch
from PIL import Image

from backend.foreground.features import see
from backend.foreground.look import look, read_weights
from backend.foreground.network import load, multiple, predict
from backend.geometry.network import WEIGHTS as SHEETS
from backend.raster.matmul import MatMul, by_einsum, by_matmul
from backend.training.core.checkpoint import load as load_checkpoint
from backend.training.core.curve import read_curve
from backend.training.core.exported import export
from backend.training.core.loop import Run, train
from backend.training.core.schedule import TrainingStageName
from backend.training.cutouts.batches import prepare, varied
from backend.training.cutouts.composites import Block, sample_block
from backend.training.cutouts.config import DRAFT, TINY, Config
from backend.training.cutouts.held_out import HeldOut, overlap
from backend.training.cutouts.network import CutoutNetwork
from backend.training.cutouts.task import CutoutTask


@cache
def few(_seed: int, index: int) -> Block:
    """Return one of six blocks of pictures."""
    return sample_block(1, index, TINY.size, pictures=2) if index < 6 else few(1, index % 6)


TASK = CutoutTask(TINY, few, few, workers=0)


def go(folder: Path, stage: TrainingStageName = "trunk", *, steps: int | None = None) -> Path:
    return train(Run(TASK, folder, stage, steps=steps), lambda _: None)


def weights(path: Path) -> dict[str, Any]:
    state = load_checkpoint(path, TASK, torch.device("cpu"))
    return {**state.network.state_dict(), **{f"average {name}": w for name, w in state.average.state_dict().items()}}


def drawn(config: Config) -> CutoutNetwork:
    """Return a network with random weights that half precision can hold."""
    torch.manual_seed(1)
    network = CutoutNetwork(config.network)
    with torch.no_grad():
        for value in network.parameters():
            value.copy_((value + 0.05 * torch.randn(value.shape)).half().float())
    return network


def test_the_stages_follow_each_other_and_the_overlap_grows(tmp_path: Path) -> None:
    trunk = go(tmp_path, steps=80)
    cool = go(tmp_path, "cool")
    curve = read_curve(trunk.with_suffix(".jsonl"))
    first, last = (np.mean([line["missing"] for line in lines]) for lines in (curve[:2], curve[-2:]))
    assert last < 0.8 * first
    assert curve[-1]["held_out_mean"] <= curve[-1]["held_out_worst_fifth"]
    assert np.asarray(Image.open(cool.with_suffix(".png"))).shape == (TINY.size, 4 * 3 * TINY.size, 3)
    load(cool.with_suffix(".npz"))


def test_a_training_that_is_interrupted_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    straight = weights(go(whole, steps=10))
    for steps in (5, 10):
        path = go(parts, steps=steps)
    resumed = weights(path)
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in straight.items())


@pytest.mark.parametrize("multiply", [by_matmul, by_einsum])
@pytest.mark.parametrize("config", [TINY, DRAFT])
def test_numpy_and_torch_agree(tmp_path: Path, config: Config, multiply: MatMul) -> None:
    network = drawn(config)
    export(tmp_path / "weights.npz", network)
    shipped = load(tmp_path / "weights.npz")
    step = multiple(shipped)
    rgb = np.random.default_rng(0).integers(0, 256, (2 * step, 3 * step, 3)).astype(np.uint8)
    found = predict(shipped, see(rgb), multiply, lambda: None)
    with torch.no_grad():
        expected = network(torch.from_numpy(see(rgb)).permute(2, 0, 1)[None])[0, 0].numpy()
    assert found.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(200, 200), (90, 310), (700, 40), (2, 2)])
def test_a_look_at_a_picture_of_any_shape_is_that_at_its_mirror_image(tmp_path: Path, shape: tuple[int, int]) -> None:
    export(tmp_path / "weights.npz", drawn(TINY))
    shipped = load(tmp_path / "weights.npz")
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 4)).astype(np.uint8)
    picture[..., 3] = 255
    found, mirrored = (look(shipped, seen, lambda: None) for seen in (picture, picture[:, ::-1]))
    assert found.shape == shape
    np.testing.assert_allclose(found, mirrored[:, ::-1], atol=1e-3)


def test_damaged_weights_are_none(tmp_path: Path) -> None:
    assert read_weights(tmp_path / "missing.npz") is None
    (tmp_path / "damaged.npz").write_bytes(b"no archive")
    assert read_weights(tmp_path / "damaged.npz") is None
    np.savez(tmp_path / "other.npz", **{"encoder.stem.weight": np.zeros((2, 2, 3, 3), np.float16)})
    for other in (tmp_path / "other.npz", SHEETS):
        with pytest.raises(ValueError, match="another network"):
            load(other)


def test_other_colours_and_mirroring_keep_a_picture_and_its_outline_together() -> None:
    block = few(1, 0)
    rgb, alpha = np.repeat(block.rgb[:1], 16, axis=0), np.repeat(block.alpha[:1], 16, axis=0)
    other, outlines = varied(rgb, alpha, np.random.default_rng(0))
    flipped = [not np.array_equal(outline, block.alpha[0]) for outline in outlines]
    assert 0 < sum(flipped) < 16
    for picture, turned in zip(other, flipped, strict=True):
        grey, before = picture.mean(axis=2), block.rgb[0].mean(axis=2)
        grey = grey[:, ::-1] if turned else grey
        assert np.corrcoef(grey.ravel(), before.ravel())[0, 1] > 0.9
    batch = prepare(other, outlines)
    assert batch.planes.shape == (16, 8, TINY.size, TINY.size)
    assert float(batch.alpha.max()) == 1


def test_a_block_is_a_function_of_its_number_and_shows_one_shape() -> None:
    one, again, other = sample_block(3, 5, 64, pictures=3), sample_block(3, 5, 64, pictures=3), few(1, 1)
    np.testing.assert_array_equal(one.rgb, again.rgb)
    assert not np.array_equal(one.alpha[0], other.alpha[0])
    np.testing.assert_array_equal(one.alpha[0], one.alpha[2])
    assert not np.array_equal(one.rgb[0], one.rgb[2])


def test_the_overlap_is_that_of_the_masks() -> None:
    mask = torch.zeros(1, 8, 8)
    mask[:, :4] = 1
    lower = mask.roll(2, dims=1)
    assert float(overlap(mask, mask)) == 1
    assert float(overlap(mask, lower)) == pytest.approx(2 / 6)


def test_held_out_pictures_that_are_damaged_are_made_anew(tmp_path: Path) -> None:
    HeldOut(TINY, few, tmp_path)
    path = tmp_path / "held_out.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    HeldOut(TINY, few, tmp_path)
    assert path.read_bytes() == whole
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "kinds": np.array(["plain"])})
    measured = HeldOut(TINY, few, tmp_path).measure(CutoutNetwork(TINY.network))
    assert path.read_bytes() == whole
    assert measured["held_out_mean"] == 100, "an untrained network sees no object"
