# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: ARG002, D102 - a task's methods, each as short as can be
"""The loop trains any network: here a line through points, which has no stage `refine` and no pictures."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch
from torch import Tensor, nn

from backend.errors import UserError
from backend.flow.products import Picture
from backend.training.core.checkpoint import load
from backend.training.core.curve import Quantity, read_curve
from backend.training.core.loop import Run, train
from backend.training.core.schedule import Schedule, TrainingStage, TrainingStageName, rate
from backend.training.core.state import State
from backend.training.core.task import Moment

CPU = torch.device("cpu")
STAGES: Mapping[TrainingStageName, TrainingStage] = {
    "trunk": TrainingStage(None, 0.1, warm_up=2),
    "cool": TrainingStage(20, 0.1, decay=True),
}
SCHEDULE = Schedule(STAGES, average=0.5, log=5, check=10, precision="fp32", weight_decay=0.0)
DISTANCE = Quantity("distance")


@dataclass(frozen=True)
class Points:
    """x and y, float32 (N, 1) each."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device) -> "Points":
        return Points(self.x.to(device), self.y.to(device))


class Measured:
    """How far the slope is from the true one."""

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        return {"held_out_slope": abs(float(next(network.parameters()).detach()) - 3)}

    def sheet(self, network: nn.Module) -> Picture:
        return np.zeros((2, 2, 3), np.uint8)


@dataclass(frozen=True)
class Line:
    """The task: y = 3 x."""

    name: str = "line"
    seed: int = 1
    schedule: Schedule = SCHEDULE
    quantity: Quantity = DISTANCE
    outputs: int = 1
    frozen: tuple[str, ...] = ()
    start: Path | None = None

    def make_network(self, *, fresh: bool) -> nn.Module:
        return nn.Linear(1, self.outputs, bias=False)

    def batches(self, start: Moment) -> Iterator[Points]:
        step = start.step
        while True:
            x = torch.from_numpy(np.random.default_rng((self.seed, step)).normal(size=(4, 1)).astype(np.float32))
            yield Points(x, 3 * x)
            step += 1

    def loss(self, network: nn.Module, batch: Points, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        off = network(batch.x) - batch.y
        return off.square().mean(), {"distance": off.detach().abs().mean()}

    def held_out(self, folder: Path) -> Measured:
        return Measured()

    def export(self, path: Path, state: State) -> None:
        path.write_text(str(next(state.average.parameters()).item()))


def go(folder: Path, stage: TrainingStageName = "trunk", steps: int | None = None) -> Path:
    return train(Run(Line(), folder, stage, steps=steps), lambda _: None)


def test_a_network_that_the_loop_does_not_know_is_trained_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    go(tmp_path / "one", steps=15)
    go(tmp_path / "one", steps=60)
    whole = go(tmp_path / "whole", steps=60)
    curves = [(tmp_path / name / "trunk.jsonl").read_text() for name in ("one", "whole")]
    assert curves[0] == curves[1]
    curve = read_curve(whole.with_suffix(".jsonl"))
    assert list(curve[0]) == ["step", "pictures", "loss", "distance"]
    assert [line["pictures"] for line in curve] == list(range(20, 260, 20))
    go(tmp_path / "whole", "cool")
    assert float((tmp_path / "whole" / "cool-60.npz").read_text()) == pytest.approx(3, abs=0.05)
    assert "held out, slope" in (tmp_path / "whole" / "cool-60.svg").read_text()


def test_a_stage_that_the_schedule_lacks_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="“line” has no stage “refine”"):
        go(tmp_path, "refine")


@pytest.mark.parametrize("steps", [0, -3])
def test_a_stage_without_steps_is_refused(tmp_path: Path, steps: int) -> None:
    with pytest.raises(UserError, match="at least one"):
        go(tmp_path, steps=steps)


def test_a_loss_that_is_not_finite_is_a_sentence_and_costs_no_checkpoint(tmp_path: Path) -> None:
    class Spoiled(Line):
        def batches(self, start: Moment) -> Iterator[Points]:
            yield Points(torch.full((4, 1), torch.inf), torch.zeros(4, 1))

    path = go(tmp_path, steps=5)
    before = path.read_bytes()
    with pytest.raises(UserError, match="not finite at step 6"):
        train(Run(Spoiled(schedule=replace(SCHEDULE, log=1)), tmp_path, "trunk", steps=10), lambda _: None)
    assert path.read_bytes() == before


def test_too_little_memory_is_a_sentence_and_costs_no_checkpoint(tmp_path: Path) -> None:
    class Large(Line):
        def batches(self, start: Moment) -> Iterator[Points]:
            yield Points(torch.zeros(2**50, 1), torch.zeros(4, 1))

    path = go(tmp_path, steps=5)
    before = path.read_bytes()
    with pytest.raises(UserError, match="The memory of the processor was not enough") as caught:
        train(Run(Large(), tmp_path, "trunk", steps=10), lambda _: None)
    assert caught.value.code == "out-of-memory"
    assert path.read_bytes() == before


def test_drawings_and_sheets_replace_links_and_leave_what_these_point_to(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    for suffix in (".png", ".svg"):
        (tmp_path / "trunk").with_suffix(suffix).symlink_to(mine)
    go(tmp_path, steps=10)
    assert mine.read_text() == "mine"
    assert "<svg" in (tmp_path / "trunk.svg").read_text()


def test_other_files_beside_the_checkpoints_are_no_checkpoints(tmp_path: Path) -> None:
    go(tmp_path, steps=5)
    (tmp_path / "cool-5 (copy).pt").write_bytes(b"")
    assert go(tmp_path, "cool", steps=5).name == "cool-5.pt"
    assert go(tmp_path, "cool", steps=5).name == "cool-5.pt"


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    assert [rate(STAGES["trunk"], step, None) for step in (0, 1, 1000)] == [0.05, 0.1, 0.1]
    assert [rate(STAGES["cool"], step, 20) for step in (0, 10, 19)] == pytest.approx([0.1, 0.05, 0.005])


def test_a_checkpoint_from_before_steps_kept_anything_goes_on(tmp_path: Path) -> None:
    path, whole = go(tmp_path / "earlier", steps=15), go(tmp_path / "whole", steps=60)
    content = torch.load(path, weights_only=True)
    assert content.pop("kept") == {}
    torch.save(content, path)
    assert load(path, Line(), CPU).kept == {}
    go(tmp_path / "earlier", steps=60)
    assert path.with_suffix(".jsonl").read_text() == whole.with_suffix(".jsonl").read_text()
    torch.save({**content, "kept": [1]}, path)
    with pytest.raises(UserError, match=r"trunk\.pt is damaged"):
        load(path, Line(), CPU)


def test_a_checkpoint_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = go(tmp_path, steps=5)
    with pytest.raises(UserError, match="was not trained with the configuration"):
        load(path, Line(outputs=2), CPU)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load(tmp_path / "none.pt", Line(), CPU)
    whole = path.read_bytes()
    for content in (b"", b"not a checkpoint", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"trunk\.pt is damaged"):
            load(path, Line(), CPU)
    path.write_bytes(whole)
    content = torch.load(path, weights_only=True)
    parts = {"stage": "none", "network": [1], "average": {"weight": 1}, "optimizer": {}, "step": "x", "steps": 0.5}
    for wrong in ({"network": {}}, *({**content, name: part} for name, part in parts.items())):
        torch.save(wrong, path)
        with pytest.raises(UserError, match=r"trunk\.pt is damaged"):
            load(path, Line(), CPU)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 600), st.integers(0, 255))
def test_a_damaged_byte_is_no_other_error(tmp_path: Path, place: int, byte: int) -> None:
    path = tmp_path / "trunk.pt"
    if not path.exists():
        go(tmp_path, steps=5)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"stage") - 100 + place] = byte
    other = tmp_path / "damaged.pt"
    other.write_bytes(damaged)
    with contextlib.suppress(UserError):  # a byte of a number or of a name may be another one
        load(other, Line(), CPU)


def test_the_average_has_the_networks_buffers(tmp_path: Path) -> None:
    class Counted(Line):
        def make_network(self, *, fresh: bool) -> nn.Module:
            return nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, affine=False))

    state = load(train(Run(Counted(), tmp_path, "trunk", steps=5), lambda _: None), Counted(), CPU)
    kept, own = (dict(network.named_buffers()) for network in (state.average, state.network))
    assert own["1.num_batches_tracked"] == 5
    assert kept == own


def test_what_is_wrong_in_the_network_itself_is_not_called_a_bad_checkpoint(tmp_path: Path) -> None:
    class Broken(Line):
        def make_network(self, *, fresh: bool) -> nn.Module:
            raise RuntimeError("out of memory")

    path = go(tmp_path, steps=5)
    with pytest.raises(RuntimeError, match="out of memory"):
        load(path, Broken(), CPU)
