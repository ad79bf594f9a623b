# SPDX-License-Identifier: GPL-3.0-or-later
"""A training learns, and one that is killed at any moment ends in the same weights and the same curve."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch
from PIL import Image

from backend.errors import UserError
from backend.training.core.checkpoint import load
from backend.training.core.curve import read_curve
from backend.training.core.loop import Run, train
from backend.training.core.schedule import TrainingStageName
from backend.training.core.task import HELD_OUT_SEED
from backend.training.normals.config import TINY, Config
from backend.training.normals.held_out import HeldOut
from backend.training.normals.task import NormalsTask
from tests.backend.training.normals.toy import ellipsoids
from tests.backend.training.ranks import run_two

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[4]


def task(config: Config = TINY, seed: int = 1, workers: int = 0) -> NormalsTask:
    return NormalsTask(config, ellipsoids, ellipsoids, seed, workers)


def go(folder: Path, stage: TrainingStageName = "trunk", *, steps: int | None = None, seed: int = 1) -> Path:
    """Train the tiny network on ellipsoids and print nothing."""
    return train(Run(task(seed=seed), folder, stage, steps=steps), lambda _: None)


def weights(path: Path) -> dict[str, Any]:
    state = load(path, task(), CPU)
    return {**state.network.state_dict(), **{f"average {name}": w for name, w in state.average.state_dict().items()}}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_stages_follow_each_other_and_the_angle_falls(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="follows “trunk”"):
        go(tmp_path, "cool")
    trunk = go(tmp_path, steps=40)
    with pytest.raises(UserError, match="follows “cool”"):
        go(tmp_path, "refine")
    cool = go(tmp_path, "cool")
    refine = go(tmp_path, "refine")
    assert [path.name for path in (trunk, cool, refine)] == ["trunk.pt", "cool-40.pt", "refine-40.pt"]
    curve = read_curve(tmp_path / "trunk.jsonl")
    assert [line["step"] for line in curve] == list(range(5, 45, 5))
    assert [line["pictures"] for line in curve] == list(range(40, 360, 40))
    for path in (trunk, cool, refine):
        assert np.asarray(Image.open(path.with_suffix(".png"))).shape == (12 * 32, 3 * 32, 3)
    measured = [line["held_out_32"] for line in curve if "held_out_32" in line]
    cooled = read_curve(tmp_path / "cool-40.jsonl")[-1]["held_out_32"]
    assert measured[0] > measured[-1] > cooled


def test_refining_leaves_the_clean_stream_as_it_was(tmp_path: Path) -> None:
    go(tmp_path, steps=5)
    before = load(go(tmp_path, "cool", steps=5), task(), CPU).average.state_dict()
    refined = load(go(tmp_path, "refine", steps=5), task(), CPU)
    after = refined.network.state_dict()
    moved = {name.partition(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved == {"noisy", "joints", "decoder"}
    with np.load(tmp_path / "refine-5.npz") as shipped:
        for name, value in refined.average.state_dict().items():
            between = ((before[name] + value) / 2).half().numpy()
            np.testing.assert_allclose(shipped[name], between, atol=1e-3)


def test_the_trunk_goes_on_after_it_was_cooled_as_if_nothing_had_been(tmp_path: Path) -> None:
    go(tmp_path / "one", steps=10)
    go(tmp_path / "one", "cool", steps=5)
    go(tmp_path / "other", steps=20)
    assert same(weights(go(tmp_path / "one", steps=20)), weights(tmp_path / "other" / "trunk.pt"))
    curves = [(tmp_path / name / "trunk.jsonl").read_text() for name in ("one", "other")]
    assert curves[0] == curves[1]


def test_trained_weights_are_cooled_without_a_trunk(tmp_path: Path) -> None:
    trained = go(tmp_path / "one", steps=20).with_suffix(".npz")
    from_them = replace(task(), start=trained)
    fresh = from_them.make_network(fresh=True).state_dict()
    with np.load(trained) as file:
        assert all(np.array_equal(file[name], value.numpy()) for name, value in fresh.items())
    cool = train(Run(from_them, tmp_path / "other", "cool", steps=10), lambda _: None)
    assert cool.name == "cool-0.pt"
    trained_on = load(cool, task(), CPU).network.state_dict()
    assert not same(trained_on, fresh)
    with pytest.raises(UserError, match="has a trunk"):
        train(Run(from_them, tmp_path / "one", "cool", steps=10), lambda _: None)
    assert read_curve(cool.with_suffix(".jsonl"))[0]["loss"] < read_curve(tmp_path / "one" / "trunk.jsonl")[0]["loss"]


def test_weights_of_another_network_are_no_start(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weight=np.zeros(3))
    (tmp_path / "text.npz").write_text("no weights")
    for name in ("other.npz", "text.npz", "nowhere.npz"):
        with pytest.raises(UserError, match="holds no weights of this"):
            replace(task(), start=tmp_path / name).make_network(fresh=True)


def test_the_held_out_pictures_are_never_trained_on(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="held-out"):
        go(tmp_path, seed=HELD_OUT_SEED)


def test_held_out_pictures_that_are_too_few_or_damaged_are_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "held_out_32.npz"
    HeldOut(TINY, ellipsoids, tmp_path)
    first = path.read_bytes()
    more = replace(TINY, held_out={32: 20})
    assert HeldOut(more, ellipsoids, tmp_path).sheet(task().make_network(fresh=True)).shape == (12 * 32, 3 * 32, 3)
    with np.load(path) as file:
        assert len(file["mask"]) == 20
    for damaged in (b"", first[: len(first) // 2]):
        path.write_bytes(damaged)
        HeldOut(TINY, ellipsoids, tmp_path)
        with np.load(path) as file:
            assert len(file["mask"]) == 16


def test_a_checkpoint_of_another_configuration_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = go(tmp_path, steps=1)
    with pytest.raises(UserError, match="was not trained with the configuration “tiny”"):
        load(path, task(replace(TINY, network=replace(TINY.network, clean=(16, 32)))), CPU)


KILLED = """
import sys
from pathlib import Path
from backend.training.core import loop
from backend.training.normals.config import TINY
from backend.training.normals.task import NormalsTask
from tests.backend.training.normals.toy import ellipsoids
loop.SAVE_SECONDS = 0.0
if __name__ == "__main__":
    say = lambda line: print(line, flush=True)
    task = NormalsTask(TINY, ellipsoids, ellipsoids, workers=2)
    loop.train(loop.Run(task, Path(sys.argv[1]), "trunk", steps=60), say)
"""


@pytest.mark.slow
def test_a_training_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    killed = tmp_path / "killed"
    random = np.random.default_rng(5)
    kills = 0
    while True:
        with subprocess.Popen(
            [sys.executable, str(script), str(killed)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = 0
            while kills < 3 and lines <= kills and process.stdout.readline():
                lines += 1
            if kills < 3:
                time.sleep(float(random.uniform(0, 0.3)))
                process.send_signal(signal.SIGKILL)
                kills += 1
            else:
                process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
    assert kills == 3
    train(Run(task(workers=2), tmp_path / "whole", "trunk", steps=60), lambda _: None)
    assert same(weights(killed / "trunk.pt"), weights(tmp_path / "whole" / "trunk.pt"))
    assert (killed / "trunk.jsonl").read_text() == (tmp_path / "whole" / "trunk.jsonl").read_text()


@pytest.mark.slow
def test_two_processes_train_one_network_on_twice_the_pictures(tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="accelerate is not installed here: the extra training has it")
    script = tmp_path / "several.py"
    script.write_text(KILLED.replace("steps=60", "steps=10").replace("workers=2", "workers=0"))
    command = [sys.executable, str(script), str(tmp_path / "several")]
    assert run_two(command) == [0, 0]
    assert [line["pictures"] for line in read_curve(tmp_path / "several" / "trunk.jsonl")] == [80, 160]
    alone = weights(go(tmp_path / "alone", steps=10))
    assert not same(weights(tmp_path / "several" / "trunk.pt"), alone)
