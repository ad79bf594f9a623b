# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training is made of between two steps, and its file."""

import copy
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import UserError
from .config import Config, Small, StageName
from .network import DualStream

if TYPE_CHECKING:
    from .large import LatentDualStream

    Network = DualStream | LatentDualStream


@dataclass
class State:
    """A training between two steps.

    average: the moving average of the network's weights, which is what is measured and shipped. steps: where the stage
    ends, None for never. trunk: the step that the trunk had where this stage branched off. pictures: seen so far, those
    of the stages before included.
    """

    stage: StageName
    network: "Network"
    average: "Network"
    optimizer: torch.optim.Optimizer
    step: int
    pictures: int
    steps: int | None
    trunk: int

    @property
    def unfinished(self) -> bool:
        """Whether the stage goes on."""
        return self.steps is None or self.step < self.steps


def build(
    config: Config, stage: StageName, steps: int | None, device: torch.device, start: Path | None = None
) -> State:
    """Make a state at step 0, the weights drawn from torch's global generator, or a large network's from a folder."""
    network = make_network(config)
    if start is not None and not isinstance(network, DualStream):
        network.start(start)
    network.to(device)
    return State(stage, network, copy.deepcopy(network), _optimizer(config, stage, network), 0, 0, steps, 0)


def make_network(config: Config) -> "Network":
    """Make a configuration's network, untrained."""
    if isinstance(config.network, Small):
        network: Any = DualStream(config.network)
        return network.to(memory_format=torch.channels_last)
    from .large import LatentDualStream  # noqa: PLC0415 - brings diffusers

    return LatentDualStream(config.network)


def branch(config: Config, before: State, stage: StageName, steps: int | None) -> State:
    """Begin a stage with the weights that the stage before has reached.

    The trunk's raw weights are cooled, and its optimizer's moments with them; what is refined is the cooled average.
    """
    trunk = before.step if before.stage == "trunk" else before.trunk
    network, average = before.network, before.average
    if stage == "refine":
        network = copy.deepcopy(average)
        return State(stage, network, average, _optimizer(config, stage, network), 0, before.pictures, steps, trunk)
    return State(stage, network, average, before.optimizer, 0, before.pictures, steps, trunk)


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
    }
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load(path: Path, config: Config, device: torch.device) -> State:
    """Read what `save` wrote. Raises `UserError` where the file is of another configuration or damaged."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state = build(config, content["stage"], content["steps"], device)
        state.network.load_state_dict(content["network"])
        state.average.load_state_dict(content["average"])
        state.optimizer.load_state_dict(content["optimizer"])
    except Exception as error:
        raise UserError(
            "bad-checkpoint",
            f"The checkpoint {path} cannot be read as one of the configuration “{config.name}”.",
            "Choose the configuration that it was trained with, or another folder.",
        ) from error
    state.step, state.pictures, state.trunk = content["step"], content["pictures"], content["trunk"]
    return state


def export(path: Path, network: "Network") -> None:
    """Write a network's weights for inference, beside first and then in place.

    A small one's in half precision to one file, as `normals.network.load` reads it, a large one's to a folder of the
    path's stem, in diffusers' layout.
    """
    if not isinstance(network, DualStream):
        network.write(path.with_suffix(""))
        return
    arrays = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in network.state_dict().items()}
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez_compressed(file, **arrays)
    beside.replace(path)


@torch.no_grad()
def halfway(one: "Network", other: "Network") -> "Network":
    """Return a network whose weights are the means of two networks', on the CPU.

    Between a network and one refined from it lie some that have the best of both (Wortsman et al., WiSE-FT, CVPR 2022).
    """
    between = copy.deepcopy(one).cpu()
    for mean, end in zip(between.parameters(), other.parameters(), strict=True):
        mean.lerp_(end.cpu(), 0.5)
    return between


def _optimizer(config: Config, stage: StageName, network: "Network") -> torch.optim.Optimizer:
    """Make AdamW over what the stage trains; the rest is frozen. Weights decay, what is added to them does not."""
    trained = {name: value for name, value in network.named_parameters() if value.requires_grad}
    if stage == "refine":
        for name in [name for name in trained if name.startswith(network.CLEAN)]:
            trained.pop(name).requires_grad = False
    groups = [
        {"params": [value for value in trained.values() if value.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [value for value in trained.values() if value.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.99), fused=True)
