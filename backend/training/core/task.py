# SPDX-License-Identifier: GPL-3.0-or-later
"""What `loop.train` has to know of a network, its data and its loss: each network has a `TrainingTask` of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from ...flow.products import Picture
from .curve import Quantity
from .schedule import Schedule, TrainingStageName
from .state import State

HELD_OUT_SEED = 2**31 - 1
"""The data's seed of the held-out pictures. No training may use it."""


@dataclass(frozen=True)
class Moment:
    """A step of a training. What is random at a step may depend on this and on the task's seed, and on nothing else.

    share: which of several processes this is. shares: how many there are.
    """

    stage: TrainingStageName
    step: int
    share: int = 0
    shares: int = 1


class Minibatch(Protocol):
    """What the network learns from in one step; its length is the number of pictures."""

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Self: ...  # noqa: D102


class HeldOut(Protocol):
    """Pictures that no training sees, which say how good a network is."""

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Return the measurements of a network; the curve shows those whose names begin with `held_out_`."""
        ...

    def sheet(self, network: nn.Module) -> Picture:
        """Return a picture of what the network makes of some of them, uint8 (H, W, 3)."""
        ...


B = TypeVar("B", bound=Minibatch)


class TrainingTask(Protocol[B]):
    """A network, what it learns from, and how it is measured.

    name: of the configuration, for messages. seed: of the data and the first weights. quantity: what the curve shows.
    start: the weights that it begins with, if any; trained ones need no trunk before they are cooled.
    frozen: how the names of those parameters begin that the stage `refine` leaves as they are.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def seed(self) -> int: ...  # noqa: D102

    @property
    def start(self) -> Path | None: ...  # noqa: D102

    @property
    def schedule(self) -> Schedule: ...  # noqa: D102

    @property
    def quantity(self) -> Quantity: ...  # noqa: D102

    @property
    def frozen(self) -> tuple[str, ...]: ...  # noqa: D102

    def make_network(self, *, fresh: bool) -> nn.Module:
        """Make the network on the CPU; if `fresh`, with the weights that a training begins with.

        What is random is drawn from torch's global generator. Raises `UserError` if those weights are missing.
        """
        ...

    def batches(self, start: Moment) -> Iterator[B]:
        """Yield the batches from a step on, without end."""
        ...

    def loss(self, network: nn.Module, batch: B, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return a batch's loss, and more that the curve shows, without gradients."""
        ...

    def held_out(self, folder: Path) -> HeldOut:
        """Make the held-out pictures, or read them from the training's folder."""
        ...

    def export(self, path: Path, state: State) -> None:
        """Write the weights for inference to a file, or to files or a folder of its stem, beside first, then in place.

        path: beside the state's checkpoint and of its name, with the suffix .npz.
        """
        ...
