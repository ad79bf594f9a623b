# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet network learns, goes on after a kill to the same bit, and runs in numpy as in torch."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

import torch
from PIL import Image
from torch import Tensor

from backend.geometry.network import load, predict
from backend.raster.matmul import MatMul, by_einsum, by_matmul
from backend.training.core.checkpoint import load as load_checkpoint
from backend.training.core.curve import read_curve
from backend.training.core.exported import export
from backend.training.core.loop import Run, train
from backend.training.core.schedule import TrainingStageName
from backend.training.core.task import Moment
from backend.training.geometry import losses
from backend.training.geometry.batches import Sampler, mirrored, prepare
from backend.training.geometry.config import DRAFT, TINY, Config
from backend.training.geometry.held_out import HeldOut
from backend.training.geometry.network import Sheets, sheets
from backend.training.geometry.task import GeometryTask, make_network
from backend.training.geometry.views import Views, part, sample_views

CPU = torch.device("cpu")


@cache
def few(_seed: int, index: int) -> Views:
    """Return one of four blocks of views."""
    return sample_views(1, index, 2, 0.0) if index < 4 else few(1, index % 4)


def task(config: Config = TINY) -> GeometryTask:
    return GeometryTask(config, few, workers=0)


def go(folder: Path, stage: TrainingStageName = "trunk", *, steps: int | None = None) -> Path:
    return train(Run(task(), folder, stage, steps=steps), lambda _: None)


def weights(path: Path) -> dict[str, Any]:
    state = load_checkpoint(path, task(), CPU)
    return {**state.network.state_dict(), **{f"average {name}": w for name, w in state.average.state_dict().items()}}


def test_the_stages_follow_each_other_and_the_thickness_is_learned(tmp_path: Path) -> None:
    trunk = go(tmp_path, steps=40)
    cool = go(tmp_path, "cool")
    curve = read_curve(trunk.with_suffix(".jsonl"))
    assert [line["step"] for line in curve] == list(range(5, 45, 5))
    assert sum("held_out_true" in line for line in curve) == 4
    first, last = (np.mean([line["thickness"] for line in lines]) for lines in (curve[:2], curve[-2:]))
    assert last < first
    assert {"true_volume", "estimated_side", "true_up_quartile", "true_sure_quartile", "estimated_nearness"} <= curve[
        -1
    ].keys()
    sheet = np.asarray(Image.open(cool.with_suffix(".png")))
    assert sheet.shape[1] == 5 * 96
    load(cool.with_suffix(".npz"))


def test_a_training_that_is_interrupted_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    straight = weights(go(whole, steps=10))
    for steps in (5, 10):
        path = go(parts, steps=steps)
    resumed = weights(path)
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in straight.items())
    assert read_curve(whole / "trunk.jsonl") == read_curve(parts / "trunk.jsonl")


@pytest.mark.parametrize("multiply", [by_matmul, by_einsum])
@pytest.mark.parametrize("config", [TINY, DRAFT])
def test_numpy_and_torch_agree(tmp_path: Path, config: Config, multiply: MatMul) -> None:
    torch.manual_seed(1)
    network = make_network(config)
    with torch.no_grad():
        for value in network.parameters():
            value.copy_((value + 0.05 * torch.randn(value.shape)).half().float())
    export(tmp_path / "weights.npz", network)
    shipped = load(tmp_path / "weights.npz")
    views = sample_views(1, 0, 2, 0.0)
    for index, quantile in ((0, 0.5), (1, 0.2)):
        batch = prepare(part(views, index), np.array([quantile]))
        with torch.no_grad():
            answer, pose = network(batch.planes, batch.quantile)
            expected = sheets(batch.planes, answer, pose)
        found = predict(shipped, views.planes[index].astype(np.float32), quantile, multiply, lambda: None)
        inside = views.mask[index]
        np.testing.assert_allclose(found.front[inside], expected.front[0, 0].numpy()[inside], atol=1e-4)
        back = torch.minimum(expected.front, expected.back)[0, 0].numpy()
        np.testing.assert_allclose(found.back[inside], back[inside], atol=1e-4)
        np.testing.assert_allclose(found.up, expected.up[0], atol=1e-4)
        assert found.nearness == pytest.approx(float(expected.nearness[0]), abs=1e-4)
        assert found.doubt == pytest.approx(float(expected.doubt[0]), abs=1e-4)
        assert (found.front[~inside] == 0).all()


def test_a_step_is_a_function_of_its_number_and_its_views_move_on() -> None:
    def sampler() -> Sampler:
        return Sampler(TINY, "trunk", source, seed=1)

    def source(seed: int, index: int) -> Views:
        asked.append(index)
        return sample_views(seed, 0, 2, 0.0)

    asked: list[int] = []
    one, other = sampler(), sampler()
    for step in (0, 1, 60):
        first = one.tensors(step)
    asked.clear()
    again = other.tensors(60)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert min(asked) > 0
    assert max(asked) - min(asked) < TINY.window


def test_mirroring_keeps_what_is_left_and_right_together() -> None:
    views = sample_views(2, 1, 6, 0.0)
    turned = mirrored(views, np.random.default_rng(0))
    flipped = [k for k in range(6) if not np.array_equal(views.front[k], turned.front[k])]
    assert 0 < len(flipped) < 6
    for k in flipped:
        np.testing.assert_array_equal(turned.front[k], views.front[k][:, ::-1])
        np.testing.assert_array_equal(turned.planes[k, ..., 0], -views.planes[k, :, ::-1, 0])
        np.testing.assert_array_equal(turned.planes[k, ..., 6], -views.planes[k, :, ::-1, 6])
        assert turned.up[k, 0] == -views.up[k, 0]


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    random = np.random.default_rng(0)
    truth = torch.from_numpy(random.uniform(0, 1, (1, 1, 64, 64)).astype(np.float32))
    zeros, ones = torch.zeros_like(truth), torch.ones_like(truth)

    def loss(quantile: float, guess: float) -> float:
        guessed = Sheets(zeros, guess * ones, -guess * ones, zeros, zeros, zeros)
        return float(losses.depth_terms(guessed, zeros, -truth, ones, torch.tensor([quantile]))[1])

    for quantile in (0.2, 0.5, 0.9):
        best = min(np.linspace(0, 1, 21), key=lambda guess, quantile=quantile: loss(quantile, guess))
        assert best == pytest.approx(quantile, abs=0.051)


def test_the_normal_term_is_small_for_the_truth_and_grows_with_a_tilt() -> None:
    batch = prepare(sample_views(6, 0, 4, 0.0), np.full(4, 0.5))
    right = losses.normal_term(batch.front, batch.front, batch.before, batch.mask)
    x = torch.linspace(-1, 1, 96).expand_as(batch.front)
    tilted = losses.normal_term(batch.front + 0.5 * x, batch.front, batch.before, batch.mask)
    assert right < 0.2
    assert tilted > right + 0.2
    assert losses.normal_term(batch.back, batch.back, batch.behind, batch.mask) < 0.25


def test_doubt_is_the_mean_distance_and_does_not_change_what_is_up() -> None:
    up = torch.zeros(64, 3, requires_grad=True)
    truth = torch.nn.functional.normalize(torch.from_numpy(np.random.default_rng(0).normal(size=(64, 3))), dim=1)
    doubt = torch.full((64,), 0.5, requires_grad=True)
    distance, wrong = losses.up_terms(up, doubt, truth)
    assert float(distance) == pytest.approx(1, abs=1e-4)
    wrong.backward()
    assert up.grad is None
    assert doubt.grad is not None
    assert (doubt.grad < 0).all()  # it should grow towards 1


def test_noise_falls_on_the_normals_of_the_object_alone() -> None:
    noisy = task(replace(TINY, noise=0.5))
    batch = next(iter(noisy.batches(Moment("trunk", 0))))
    torch.manual_seed(0)
    network = make_network(TINY)
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    noisy.loss(network, batch, Moment("trunk", 0))
    change = seen[0] - batch.planes
    assert (change[:, 3:] == 0).all()
    assert (change[:, :3] * (1 - batch.mask) == 0).all()
    assert change[:, :3].abs().max() > 0.1


def test_held_out_views_that_are_too_few_or_damaged_are_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "held_out.npz"
    HeldOut(replace(TINY, held_out=1), tmp_path)
    few = path.stat().st_size
    HeldOut(TINY, tmp_path)
    whole = path.read_bytes()
    assert len(whole) > 1.2 * few
    for damaged in (whole[: len(whole) // 2], b"no archive at all"):
        path.write_bytes(damaged)
        assert HeldOut(TINY, tmp_path).measure(make_network(TINY))["held_out_true"] > 0
        assert len(path.read_bytes()) == len(whole)
    np.save(tmp_path / "other.npy", np.zeros(3))
    path.write_bytes((tmp_path / "other.npy").read_bytes())
    HeldOut(TINY, tmp_path)
    assert len(path.read_bytes()) == len(whole)
