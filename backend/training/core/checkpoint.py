# SPDX-License-Identifier: GPL-3.0-or-later
"""A training's state as a file, and how it begins, branches off and goes on."""

import copy
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UserError
from ...safe_files import replacing
from .schedule import STAGES, Schedule, TrainingStageName
from .state import State
from .task import TrainingTask

_COUNTS = ("pictures", "step", "trunk")
# What torch and its unpickler raise for a file that is not as it was written.
_DAMAGE = (
    *(RuntimeError, EOFError, pickle.UnpicklingError),
    *(ValueError, LookupError, TypeError, AttributeError, AssertionError),
)


def begin(task: TrainingTask[Any], steps: int | None, device: torch.device) -> State:
    """Make a state at step 0 of the trunk."""
    return _build(task, "trunk", steps, device, fresh=True)


def branch(task: TrainingTask[Any], before: State, stage: TrainingStageName, steps: int | None) -> State:
    """Begin a stage with the weights that the stage before has reached.

    The trunk's raw weights are cooled, and its optimizer's moments with them; what is refined is the cooled average. A
    trunk at step 0 holds the weights that the training starts from.
    """
    trunk = before.step if before.stage == "trunk" else before.trunk
    network, average = before.network, before.average
    if stage == "refine":
        network = copy.deepcopy(average)
        optimizer = _optimizer(task.schedule, network, task.frozen)
        return State(stage, network, average, optimizer, 0, before.pictures, steps, trunk)
    return State(stage, network, average, before.optimizer, 0, before.pictures, steps, trunk, before.kept)


def save(path: Path, state: State) -> None:
    """Write a state beside and then in place, so that a kill leaves the old file or the new one."""
    content = {
        "stage": state.stage,
        "network": state.network.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "step": state.step,
        "pictures": state.pictures,
        "steps": state.steps,
        "trunk": state.trunk,
        "kept": state.kept,
    }
    with replacing(path) as file:
        torch.save(content, file)


def load(path: Path, task: TrainingTask[Any], device: torch.device) -> State:
    """Read what `save` wrote.

    Raises `UserError` if the file cannot be read, is damaged, or is of another configuration. What else goes wrong,
    such as a lack of memory, is raised as it is.
    """
    content = _content(path)
    state = _build(task, content["stage"], content["steps"], device, fresh=False)
    for name, network in (("network", state.network), ("average", state.average)):
        if _shapes(content[name]) != _shapes(network.state_dict()):
            raise UserError(
                "other-configuration",
                f"The checkpoint {path} was not trained with the configuration “{task.name}”.",
                "Choose the configuration that it was trained with, or another folder.",
            )
        network.load_state_dict(content[name])
    try:
        state.optimizer.load_state_dict(content["optimizer"])
    except _DAMAGE as error:
        raise _damaged(path) from error
    state.step, state.pictures, state.trunk = content["step"], content["pictures"], content["trunk"]
    state.kept = content.get("kept", {})  # earlier checkpoints have none
    return state


def _content(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(
            "unreadable-checkpoint",
            f"The checkpoint {path} cannot be read: {error.strerror or error}.",
            "Check that the file is there and that you may read it.",
        ) from error
    except _DAMAGE as error:
        if "allocate memory" in str(error):
            raise
        raise _damaged(path) from error
    if not _is_state(content):
        raise _damaged(path)
    return content


def _is_state(content: Any) -> bool:  # noqa: ANN401 - whatever the file holds
    """Whether a checkpoint's content has the parts that `save` writes, each of its kind."""
    return (
        isinstance(content, dict)
        and content.get("stage") in STAGES
        and all(isinstance(content.get(name), int) for name in _COUNTS)
        and isinstance(content.get("steps", "missing"), int | None)
        and isinstance(content.get("optimizer"), dict)
        and isinstance(content.get("kept", {}), dict)
        and all(_are_weights(content.get(name)) for name in ("network", "average"))
    )


def _are_weights(part: Any) -> bool:  # noqa: ANN401
    return isinstance(part, Mapping) and all(isinstance(value, Tensor) for value in part.values())


def _damaged(path: Path) -> UserError:
    advice = "Put an earlier copy in its place, or remove it to train this stage again."
    return UserError("damaged-checkpoint", f"The checkpoint {path} is damaged.", advice)


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in weights.items()}


@torch.no_grad()
def halfway(one: nn.Module, other: nn.Module) -> nn.Module:
    """Return a network whose weights are the means of two networks', on the CPU.

    Between a network and one refined from it lie some that have the best of both (Wortsman et al., WiSE-FT, CVPR 2022).
    """
    between = copy.deepcopy(one).cpu()
    for mean, end in zip(between.parameters(), other.parameters(), strict=True):
        mean.lerp_(end.cpu(), 0.5)
    return between


def _build(
    task: TrainingTask[Any], stage: TrainingStageName, steps: int | None, device: torch.device, *, fresh: bool
) -> State:
    network = task.make_network(fresh=fresh).to(device)
    average = copy.deepcopy(network)
    frozen = task.frozen if stage == "refine" else ()
    return State(stage, network, average, _optimizer(task.schedule, network, frozen), 0, 0, steps, 0)


def _optimizer(schedule: Schedule, network: nn.Module, frozen: tuple[str, ...]) -> torch.optim.Optimizer:
    """Make AdamW over what the stage trains; the rest is frozen. Weights decay, what is added to them does not."""
    trained = {name: value for name, value in network.named_parameters() if value.requires_grad}
    for name in [name for name in trained if name.startswith(frozen)]:
        trained.pop(name).requires_grad = False
    groups = [
        {"params": [value for value in trained.values() if value.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [value for value in trained.values() if value.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=schedule.betas, fused=True)
