# SPDX-License-Identifier: GPL-3.0-or-later
"""The small networks around the flow models as tasks of the training loop: what they share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import UserError
from ...flow.products import Picture
from ..core.curve import Quantity
from ..core.devices import lowered
from ..core.schedule import STAGES, Schedule
from ..core.state import State
from ..core.task import Moment
from .config import Training
from .objects import is_held_out, read

Objects = Sequence[Mapping[str, Tensor]]


@dataclass(frozen=True)
class Batch:
    """The objects of a step, by the names of their tensors; each network takes what it needs."""

    objects: Objects

    def __len__(self) -> int:
        return len(self.objects)

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch([{name: tensor.to(device) for name, tensor in each.items()} for each in self.objects])


class Part(Protocol):
    """One of the networks: how it is made, varied, trained and measured. Networks are given what `varied` returns."""

    @property
    def quantity(self) -> Quantity:
        """What the curve shows."""
        ...

    def make(self) -> nn.Module:
        """Make the network, on the CPU."""
        ...

    def varied(self, tensors: Mapping[str, Tensor], random: np.random.Generator | None) -> dict[str, Tensor]:
        """What the network needs of an object; with a generator, turned or mirrored."""
        ...

    def loss(self, network: nn.Module, objects: Objects, noise: torch.Generator | None) -> dict[str, Tensor]:
        """The terms of the loss, of which "loss" is the sum, (). Without a generator latents are the means."""
        ...

    def sheet(self, network: nn.Module, objects: Objects) -> Picture:
        """What the network makes of some objects, a row each, beside the truth."""
        ...

    def export(self, stem: Path, network: nn.Module) -> None:
        """Write the weights to files of this stem."""
        ...


@dataclass(frozen=True)
class SmallTask:
    """One network's training: a `core.task.TrainingTask`. name: of the configuration. folder: of objects."""

    name: str
    part: Part
    training: Training
    folder: Path
    seed: int = 1
    start: Path | None = None

    def __post_init__(self) -> None:
        named = sum(map(is_held_out, self._names()))
        wanted = self.training.held_out
        if named != wanted:
            sentence = f"{named} objects are made to be held out, and this configuration holds out {wanted}."
            raise UserError("other-object", sentence, f"Make them by --held-out {wanted}.")
        if len(self._names()) <= self.training.held_out:
            sentence = f"{len(self._names())} objects are too few: {self.training.held_out} are held out."
            raise UserError("few-objects", sentence, "Put more objects into the folder.")

    @property
    def schedule(self) -> Schedule:
        """The training's schedule."""
        return self.training.schedule

    @property
    def quantity(self) -> Quantity:
        """What the curve shows."""
        return self.part.quantity

    @property
    def frozen(self) -> tuple[str, ...]:
        """No stage freezes anything."""
        return ()

    def make_network(self, *, fresh: bool) -> nn.Module:  # noqa: ARG002  it starts from nothing else
        """Make the network in float32."""
        return self.part.make()

    def batches(self, start: Moment) -> Iterator[Batch]:
        """Yield batches from a step on, without end: objects are drawn anew for each."""
        names, step = self._names()[: -self.training.held_out], start.step
        while True:
            random = np.random.default_rng((self.seed, STAGES.index(start.stage), start.share, step))
            chosen = [names[random.integers(len(names))] for _ in range(self.training.batch)]
            yield Batch([self.part.varied(read(self.folder / name), random) for name in chosen])
            step += 1

    def loss(self, network: nn.Module, batch: Batch, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return a batch's loss and its terms."""
        entropy = np.random.SeedSequence((self.seed, STAGES.index(moment.stage), moment.step, moment.share))
        noise = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
        with lowered(self.schedule.precision, next(network.parameters()).device):
            terms = self.part.loss(network, batch.objects, noise)
        return terms["loss"], {name: value.detach() for name, value in terms.items() if name != "loss"}

    def held_out(self, folder: Path) -> "HeldOut":  # noqa: ARG002  nothing is kept in it
        """The objects that nothing is learned from."""
        names = self._names()[-self.training.held_out :]
        return HeldOut(self.part, [self.part.varied(read(self.folder / name), None) for name in names])

    def export(self, path: Path, state: State) -> None:
        """Write the average's weights."""
        self.part.export(path.with_suffix(""), state.average)

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.safetensors"))


@dataclass(frozen=True)
class HeldOut:
    """Objects that no training sees: a `core.task.HeldOut`."""

    part: Part
    objects: Objects
    shown: int = 6

    @torch.no_grad()
    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """The means of the loss's terms."""
        device = next(network.parameters()).device
        found = [self.part.loss(network, Batch([each]).to(device).objects, None) for each in self.objects]
        means = {name: float(np.mean([float(terms[name]) for terms in found])) for name in found[0]}
        shown = self.part.quantity.name
        return {f"held_out_{shown}": means[shown], **{f"held {name}": value for name, value in means.items()}}

    @torch.no_grad()
    def sheet(self, network: nn.Module) -> Picture:
        """What the network makes of the first ones."""
        device = next(network.parameters()).device
        return self.part.sheet(network, Batch(self.objects[: self.shown]).to(device).objects)
