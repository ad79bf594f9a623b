# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training is made of between two steps."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from .schedule import TrainingStageName


@dataclass
class State:
    """A training between two steps.

    average: the moving average of the network's weights, which is what is measured and shipped. steps: at which the
    stage ends, None for never. trunk: the step that the trunk had when this stage branched off. pictures: seen so far,
    those of the stages before included. kept: what a step keeps beside all this for the next, by name.
    """

    stage: TrainingStageName
    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    step: int
    pictures: int
    steps: int | None
    trunk: int
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def unfinished(self) -> bool:
        """Whether the stage goes on."""
        return self.steps is None or self.step < self.steps
