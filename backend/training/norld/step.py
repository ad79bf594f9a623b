# SPDX-License-Identifier: GPL-3.0-or-later
"""The published step: parts of a batch one after the other, float32 masters, a loss scale, a limit that adapts.

In this order: the parts' gradients are averaged, and over all processes; their norm is clipped with the limit from the
steps before; if they are finite, the optimizer takes its step, else only the loss scale falls; the rate's schedule and
the moving average go on in either case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast, runtime_checkable

import torch
from torch import Tensor

from ..core.devices import Devices
from ..core.state import State
from ..core.step import Step, count, follow, set_rate
from ..core.task import Minibatch, Moment, TrainingTask
from .clipping import AdaptiveClip
from .masters import Masters, Precision

FIRST_LOG_SCALE = 20.0
_FALL = 1.0


class Divisible(Minibatch, Protocol):
    """A batch that comes in parts, so that not all of it has to be in memory at once."""

    def parts(self, count: int) -> list[Self]:
        """At most so many parts, each with an object, of similar load."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A task whose loss depends on earlier steps."""

    def remembered(self, place: Devices) -> dict[str, Any]:
        """End a step, for all processes alike, which all call it; returns what `recall` takes."""
        ...

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Go on where another left off."""
        ...


@dataclass(frozen=True)
class StepSettings:
    """What the published configurations say of a step.

    precision: that the network computes in. parts: of a batch. log_scale: the first power of two that the loss is
    multiplied with, which float16 needs; None for no scale. growth: of it with every step. percentile, recorded: of
    the gradient's norms, for its limit, which begins with the schedule's `clip`.
    """

    precision: Precision = "bf16"
    parts: int = 1
    log_scale: float | None = None
    growth: float = 1e-3
    percentile: float = 95.0
    recorded: int = 1000

    def __post_init__(self) -> None:
        if self.precision == "fp16" and self.log_scale is None:
            raise ValueError("float16 needs a loss scale")

    def __call__(self, task: TrainingTask[Any], state: State, place: Devices) -> Step:
        """Makes the step: a `core.step.Stepping`."""
        masters = Masters(state.network, self.precision)
        clip = AdaptiveClip(task.schedule.clip, self.percentile, self.recorded)
        if "clip" in state.kept:
            clip.resume(state.kept["clip"])
        if isinstance(task, Remembering) and "task" in state.kept:
            task.recall(state.kept["task"])
        parameters = [value for group in state.optimizer.param_groups for value in group["params"]]

        def step(batch: Minibatch) -> Mapping[str, Tensor]:
            set_rate(task.schedule, state)
            scale = 0.0 if self.log_scale is None else state.kept.get("log_scale", self.log_scale)
            measured = _gradients(
                task, masters, cast("Divisible", batch).parts(self.parts), scale, _moment(state, place)
            )
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad = place.mean(parameter.grad)
            norm = clip.clip(parameters)
            finite = bool(norm.isfinite())
            if finite:
                state.optimizer.step()
                masters.hand_down()
            state.optimizer.zero_grad()
            state.kept["clip"] = clip.state()
            if isinstance(task, Remembering):
                state.kept["task"] = task.remembered(place)
            if self.log_scale is not None:
                state.kept["log_scale"] = scale + (self.growth if finite else -_FALL)
            count(state, len(batch) * place.count)
            follow(state.average, state.network, task.schedule.average)
            return {**measured, "norm": norm if finite else norm.new_zeros(()), "taken": norm.new_tensor(float(finite))}

        return step


def _gradients(
    task: TrainingTask[Any], masters: Masters, parts: Sequence[Minibatch], log_scale: float, moment: Moment
) -> dict[str, Tensor]:
    """Give the float32 network the mean gradients of the parts. Returns the means of what was measured."""
    measured: dict[str, list[Tensor]] = {}
    for part in parts:
        loss, more = task.loss(masters.working, part, moment)
        (loss / len(parts) * 2**log_scale).backward()
        for name, value in {"loss": loss.detach(), **more}.items():
            measured.setdefault(name, []).append(value)
    masters.take_gradients(2**log_scale)
    return {name: torch.stack(values).mean() for name, values in measured.items()}


def _moment(state: State, place: Devices) -> Moment:
    return Moment(state.stage, state.step, place.index, place.count)
