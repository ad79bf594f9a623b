# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of a training: from a batch to the next weights and their moving average."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .devices import Devices
from .schedule import Schedule, rate
from .state import State
from .task import Minibatch, Moment, TrainingTask

Step = Callable[[Minibatch], Mapping[str, Tensor]]
"""Changes the state by a step. Returns the loss and what else was measured, () each, without gradients."""

Stepping = Callable[[TrainingTask[Any], State, Devices], Step]
"""Makes the step of a training that begins, or goes on, in a state."""


def plain(task: TrainingTask[Any], state: State, place: Devices) -> Step:
    """The step of small networks: one batch, one loss, in the precision that the task's loss asks for."""
    network = place.spread(state.network)

    def step(batch: Minibatch) -> Mapping[str, Tensor]:
        set_rate(task.schedule, state)
        loss, measured = task.loss(network, batch, Moment(state.stage, state.step, place.index, place.count))
        place.backward(loss)
        trained = [value for group in state.optimizer.param_groups for value in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, task.schedule.clip)
        state.optimizer.step()
        for value in state.network.parameters():
            value.grad = None
        count(state, len(batch) * place.count)
        follow(state.average, state.network, _early(task.schedule, state))
        return {"loss": loss.detach(), **measured}

    return step


def set_rate(schedule: Schedule, state: State) -> None:
    """Give the optimizer the rate of the state's step."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate(schedule.stages[state.stage], state.step, state.steps)


def count(state: State, pictures: int) -> None:
    """Note that a step was taken, on so many pictures of all processes."""
    state.step += 1
    state.pictures += pictures


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Let a moving average follow: decay average + (1 - decay) network. What is no parameter is taken as it is."""
    for mean, value in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
    for kept, value in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(value)


def _early(schedule: Schedule, state: State) -> float:
    """The decay of the moving average; early on it follows faster."""
    seen = state.step if state.stage == "trunk" else state.trunk + state.step
    return min(schedule.average, (1 + seen) / (10 + seen))
