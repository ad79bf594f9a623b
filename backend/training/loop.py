# SPDX-License-Identifier: GPL-3.0-or-later
"""The training: from a folder's last checkpoint to its next.

A folder holds `trunk.pt` and, for every time that the trunk was cooled, `cool-STEP.pt` and `refine-STEP.pt`, STEP
being the trunk's; beside each, in files of the same name, its curve, a JSON line at a time and drawn, a sheet of
held-out pictures, and its weights for inference. What happens at a step is a function of the checkpoint and the step
alone. So a training that is killed at any moment and started again ends in the same weights and writes the same curve,
to the bit, on the same machine with the same number of threads.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UserError
from ..raster import png
from . import losses
from .batches import Batch, Plan
from .checkpoint import State, branch, build, export, halfway, load, save
from .config import STAGES, Config, Large, Stage, StageName
from .curve import Curve, draw, read_curve
from .devices import Devices, devices, lowered
from .held_out import SEED, HeldOut
from .samples import Source

if TYPE_CHECKING:
    from .checkpoint import Network

SAVE_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What is asked for: a stage of a configuration's training in a folder.

    source: of the pictures to learn from; measured: of those held out, which are another seed's. seed: the data's and
    the first weights'. minutes: after which it stops and saves; None is when the stage ends, which
    the trunk does only where `steps` says so. steps: in place of the stage's own, where the stage begins. workers:
    processes that make pictures; 0 makes them in this one. start: the folder that a large network starts from.
    """

    config: Config
    folder: Path
    stage: StageName
    source: Source
    measured: Source
    seed: int = 1
    minutes: float | None = None
    steps: int | None = None
    workers: int = 1
    start: Path | None = None


def train(run: Run, say: Say = print) -> Path:
    """Train, and return the checkpoint's path.

    Raises UserError where the stage before was not trained, or the folder holds another configuration's training, and
    FloatingPointError where the loss is no number any more.
    """
    if run.seed == SEED:
        raise UserError("held-out-seed", f"The seed {SEED} is that of the held-out pictures.", "Choose another seed.")
    torch.set_num_threads(1)
    run.folder.mkdir(parents=True, exist_ok=True)
    place = devices()
    path, state = _begin(run, place)
    network = place.spread(state.network)
    writer = Writer(run, path, state.step) if place.index == 0 else None
    plan = Plan(run.config, run.stage, run.source, run.seed, place.index)
    batches = plan.batches(state.step, run.workers)
    started, before = time.monotonic(), state.pictures
    deadline = started + 60 * run.minutes if run.minutes is not None else float("inf")
    late = False
    while state.unfinished and not late:
        line = _stretch(run, state, network, place, batches)
        late = place.agree(wish=time.monotonic() > deadline)
        if writer is not None:
            writer.write(line, state, last=late or not state.unfinished)
            speed = (state.pictures - before) / (time.monotonic() - started)
            say(f"{run.stage} {json.dumps(line)} {speed:.0f} pictures/s")
    return path


class Writer:
    """Writes what a training leaves in its folder."""

    def __init__(self, run: Run, path: Path, step: int) -> None:
        self._run = run
        self._path = path
        self._curve = Curve(path.with_suffix(".jsonl"), step)
        self._held_out = HeldOut(run.config, run.measured, run.folder)
        self._saved = time.monotonic()

    def write(self, line: dict[str, Any], state: State, *, last: bool) -> None:
        """Complete a line of the curve and add it; from time to time, and at last, write a checkpoint."""
        finished = state.stage != "trunk" and not state.unfinished
        measured = state.step % self._run.config.check == 0 or finished
        if measured:
            line |= self._held_out.measure(state.average)
            self._path.with_suffix(".png").write_bytes(png.encode(self._held_out.sheet(state.average)))
        self._curve.add(line)
        if measured:
            self._path.with_suffix(".svg").write_text(draw(read_curve(self._path.with_suffix(".jsonl"))), "utf-8")
        if last or time.monotonic() - self._saved > SAVE_SECONDS:
            save(self._path, state)
            self._saved = time.monotonic()
        if last:
            export(self._path.with_suffix(".npz"), self._shipped(state))

    def _shipped(self, state: State) -> "Network":
        """Return what a stage is for: its average, or after refining what is half-way from the cooled one to it."""
        if state.stage != "refine":
            return state.average
        cooled = load(self._run.folder / f"cool-{state.trunk}.pt", self._run.config, torch.device("cpu")).average
        return halfway(cooled, state.average)


def _begin(run: Run, place: Devices) -> tuple[Path, State]:
    """Go on where the folder stands, or begin the stage."""
    steps = run.steps or run.config.stages[run.stage].steps
    if run.stage == "trunk":
        path = run.folder / "trunk.pt"
        if path.exists():
            state = load(path, run.config, place.device)
            state.steps = steps
            return path, state
        if isinstance(run.config.network, Large) and run.start is None:
            advice = "Give the folder of a Stable Diffusion 2 in diffusers' layout: --start FOLDER."
            raise UserError("start-missing", f"The configuration “{run.config.name}” starts from weights.", advice)
        torch.manual_seed(run.seed)
        return path, build(run.config, "trunk", steps, place.device, run.start)
    newest = _newest(run.folder, run.stage)
    if newest is not None and (state := load(newest, run.config, place.device)).unfinished:
        return newest, state
    before = run.folder / "trunk.pt" if run.stage == "cool" else _newest(run.folder, "cool")
    if before is None or not before.exists():
        missing = "trunk" if run.stage == "cool" else "cool"
        raise UserError(
            "stage-missing",
            f"The stage “{run.stage}” follows “{missing}”, which {run.folder} lacks.",
            f"Train it first: --stage {missing}.",
        )
    state = branch(run.config, load(before, run.config, place.device), run.stage, steps)
    return run.folder / f"{run.stage}-{state.trunk}.pt", state


def _newest(folder: Path, stage: StageName) -> Path | None:
    """Return the checkpoint of a stage that branched off latest."""
    found = sorted(folder.glob(f"{stage}-*.pt"), key=lambda path: int(path.stem.partition("-")[2]))
    return found[-1] if found else None


def _stretch(run: Run, state: State, network: nn.Module, place: Devices, batches: Iterator[Batch]) -> dict[str, Any]:
    """Train up to the next line of the curve, and return it."""
    sums, steps = torch.zeros(2, dtype=torch.float64), 0
    while steps == 0 or (state.step % run.config.log and state.unfinished):
        sums += _step(run, state, network, place, next(batches).to(place.device))
        steps += 1
    loss, angle = (sums / steps).tolist()
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss is no number at step {state.step}")
    return {"step": state.step, "pictures": state.pictures, "loss": loss, "angle": angle}


def _step(run: Run, state: State, network: nn.Module, place: Devices, batch: Batch) -> Tensor:
    """Take one step. Returns this process's loss and mean angle in degrees, float64 (2,)."""
    config = run.config
    rate = _rate(config.stages[state.stage], state)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    noise = _noise(run, batch, state, place)
    with lowered(config, place.device):
        predicted = network(batch.picture, batch.inflated, noise)
    predicted = losses.unit(predicted.float())
    loss = losses.chord(predicted, batch.truth, batch.mask)
    loss = loss + config.gradient * losses.gradient(predicted, batch.truth, batch.mask)
    place.backward(loss)
    trained = [value for group in state.optimizer.param_groups for value in group["params"]]
    torch.nn.utils.clip_grad_norm_(trained, config.clip)
    state.optimizer.step()
    for value in state.network.parameters():
        value.grad = None
    state.step += 1
    state.pictures += len(batch.picture) * place.count
    _follow(config, state)
    with torch.no_grad():
        return torch.stack([loss, losses.angle(predicted, batch.truth, batch.mask)]).double().cpu()


def _rate(stage: Stage, state: State) -> float:
    warm = min(1.0, (state.step + 1) / max(1, stage.warm_up))
    left = 1 - state.step / state.steps if stage.decay and state.steps else 1.0
    return stage.rate * warm * left


def _noise(run: Run, batch: Batch, state: State, place: Devices) -> Tensor | None:
    """Draw the noisy stream's noise on the object: every picture has a strength of its own."""
    if run.config.noise == 0:
        return None
    entropy = np.random.SeedSequence((run.seed, STAGES.index(state.stage), state.step, place.index))
    generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
    count, _, height, width = batch.picture.shape
    strength = run.config.noise * torch.rand((count, 1, 1, 1), generator=generator)
    noise = torch.randn((count, height, width, 3), generator=generator).permute(0, 3, 1, 2)
    return (noise * strength).to(batch.picture.device) * batch.picture[:, 3:]


@torch.no_grad()
def _follow(config: Config, state: State) -> None:
    """Let the moving average follow; early on it follows faster."""
    seen = state.step if state.stage == "trunk" else state.trunk + state.step
    decay = min(config.average, (1 + seen) / (10 + seen))
    for mean, value in zip(state.average.parameters(), state.network.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
