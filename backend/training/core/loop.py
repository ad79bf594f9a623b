# SPDX-License-Identifier: GPL-3.0-or-later
"""The training: from a folder's last checkpoint to its next.

A folder holds `trunk.pt` and, for every time that the trunk was cooled, `cool-STEP.pt` and `refine-STEP.pt`, STEP
being the trunk's, or 0 if trained weights from elsewhere were cooled; beside each, in files of the same name, its
curve, a JSON line at a time and drawn, a sheet of held-out pictures, and its weights for inference. What happens at a
step is a function of the checkpoint, the step and how many processes and workers there are. So a training that is
killed at any moment and started again with as many ends in the same weights and writes the same curve, to the bit, on
the same processor. A GPU may round otherwise from run to run.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import UserError
from ...nn.device import device_name, is_out_of_memory
from ...raster import png
from ...safe_files import replacing
from .checkpoint import begin, branch, load, save
from .curve import Curve, draw, read_curve
from .devices import Devices, devices
from .schedule import TrainingStageName
from .state import State
from .step import Step, Stepping, plain
from .task import HELD_OUT_SEED, Minibatch, Moment, TrainingTask

SAVE_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What is asked for: a stage of a task's training in a folder.

    minutes: after which it stops and saves; None goes on to the stage's end, which the trunk has only if `steps` says
    so. steps: in place of the stage's own, when the stage begins. stepping: what a step is.
    """

    task: TrainingTask[Any]
    folder: Path
    stage: TrainingStageName
    minutes: float | None = None
    steps: int | None = None
    stepping: Stepping = plain


def train(run: Run, say: Say = print) -> Path:
    """Train, and return the checkpoint's path.

    Raises UserError if the stage before was not trained, if the folder cannot be made or holds another configuration's
    training, if fewer than one step is asked for, if the loss is not finite, and if the memory is not enough.
    """
    if run.task.seed == HELD_OUT_SEED:
        sentence = f"The seed {HELD_OUT_SEED} is that of the held-out pictures."
        raise UserError("held-out-seed", sentence, "Choose another seed.")
    if run.stage not in run.task.schedule.stages:
        sentence = f"The configuration “{run.task.name}” has no stage “{run.stage}”."
        raise UserError("unknown-stage", sentence, f"Choose one of: {', '.join(run.task.schedule.stages)}.")
    if run.steps is not None and run.steps < 1:
        raise UserError("no-steps", f"A stage cannot have {run.steps} steps.", "Ask for at least one.")
    torch.set_num_threads(1)
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"The folder {run.folder} cannot be made: {error.strerror or error}."
        raise UserError("bad-folder", sentence, "Choose another folder.") from error
    place = devices()
    try:
        return _train(run, place, say)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            "out-of-memory",
            f"The memory of {device_name(place.device)} was not enough to train. The last checkpoint stays as it is.",
            "Close other programs that use it, or learn from smaller objects. Else train another --config, which is "
            "another training, in another folder; the flow models take less if --memory allows less.",
        ) from error


def _train(run: Run, place: Devices, say: Say) -> Path:
    path, state = _begin(run, place)
    step = run.stepping(run.task, state, place)
    writer = _Writer(run, path, state.step) if place.index == 0 else None
    batches = run.task.batches(Moment(run.stage, state.step, place.index, place.count))
    started, before = time.monotonic(), state.pictures
    deadline = started + 60 * run.minutes if run.minutes is not None else float("inf")
    late = False
    while state.unfinished and not late:
        line = _stretch(run.task, state, step, place, batches)
        late = place.agree(wish=time.monotonic() > deadline)
        if writer is not None:
            writer.write(line, state, last=late or not state.unfinished)
            speed = (state.pictures - before) / (time.monotonic() - started)
            say(f"{run.stage} {json.dumps(line)} {speed:.0f} pictures/s")
    return path


class _Writer:
    """Writes what a training leaves in its folder."""

    def __init__(self, run: Run, path: Path, step: int) -> None:
        self._task = run.task
        self._path = path
        self._curve = Curve(path.with_suffix(".jsonl"), step)
        self._held_out = run.task.held_out(run.folder)
        self._saved = time.monotonic()

    def write(self, line: dict[str, Any], state: State, *, last: bool) -> None:
        """Complete a line of the curve and add it; from time to time, and at last, write a checkpoint."""
        finished = state.stage != "trunk" and not state.unfinished
        measured = state.step % self._task.schedule.check == 0 or finished
        if measured:
            line |= self._held_out.measure(state.average)
            _write(self._path.with_suffix(".png"), png.encode(self._held_out.sheet(state.average)))
        self._curve.add(line)
        if measured:
            drawing = draw(read_curve(self._path.with_suffix(".jsonl")), self._task.quantity)
            _write(self._path.with_suffix(".svg"), drawing.encode())
        if last:  # before the checkpoint that says it is over: a kill between them exports again
            self._task.export(self._path.with_suffix(".npz"), state)
        if last or time.monotonic() - self._saved > SAVE_SECONDS:
            save(self._path, state)
            self._saved = time.monotonic()


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def _begin(run: Run, place: Devices) -> tuple[Path, State]:
    """Go on from the folder's last checkpoint, or begin the stage."""
    steps = run.steps or run.task.schedule.stages[run.stage].steps
    if run.stage == "trunk":
        path = run.folder / "trunk.pt"
        if path.exists():
            state = load(path, run.task, place.device)
            state.steps = steps
            return path, state
        torch.manual_seed(run.task.seed)
        return path, begin(run.task, steps, place.device)
    newest = _newest(run.folder, run.stage)
    if newest is not None and (state := load(newest, run.task, place.device)).unfinished:
        return newest, state
    trunk = run.folder / "trunk.pt"
    if run.stage == "cool" and run.task.start is not None and not run.task.start.is_dir():
        if trunk.exists():
            sentence = (
                f"The folder {run.folder} has a trunk of its own, so that cooling cannot start from other weights."
            )
            raise UserError("start-beside-trunk", sentence, "Leave out --start, or choose another folder.")
        torch.manual_seed(run.task.seed)
        return run.folder / "cool-0.pt", branch(run.task, begin(run.task, None, place.device), run.stage, steps)
    before = trunk if run.stage == "cool" else _newest(run.folder, "cool")
    if before is None or not before.exists():
        missing = "trunk" if run.stage == "cool" else "cool"
        raise UserError(
            "stage-missing",
            f"The stage “{run.stage}” follows “{missing}”, which {run.folder} lacks.",
            f"Train it first: --stage {missing}.",
        )
    state = branch(run.task, load(before, run.task, place.device), run.stage, steps)
    return run.folder / f"{run.stage}-{state.trunk}.pt", state


def _newest(folder: Path, stage: TrainingStageName) -> Path | None:
    """Return the checkpoint of a stage that branched off latest."""
    found = {path.stem.partition("-")[2]: path for path in folder.glob(f"{stage}-*.pt")}
    steps = [step for step in found if step.isdecimal()]
    return found[max(steps, key=int)] if steps else None


def _stretch(
    task: TrainingTask[Any], state: State, step: Step, place: Devices, batches: Iterator[Minibatch]
) -> dict[str, Any]:
    """Train up to the next line of the curve, and return it."""
    sums: dict[str, Tensor] = {}
    steps = 0
    while steps == 0 or (state.step % task.schedule.log and state.unfinished):
        for name, value in step(next(batches).to(place.device)).items():
            sums[name] = sums.get(name, torch.zeros((), dtype=torch.float64)) + value.double().cpu()
        steps += 1
    means = {name: float(total / steps) for name, total in sums.items()}
    if not math.isfinite(means["loss"]):
        raise UserError(
            "loss-not-finite",
            f"The loss is not finite at step {state.step}. The last checkpoint stays as it is.",
            "Check what the network learns from, or lower the configuration's rate.",
        )
    return {"step": state.step, "pictures": state.pictures, **means}
