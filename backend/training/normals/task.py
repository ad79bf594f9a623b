# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal estimator as a task of the training loop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UserError
from ..core.checkpoint import halfway, load
from ..core.curve import Quantity
from ..core.devices import lowered
from ..core.exported import export, read_exported
from ..core.noise import injected
from ..core.schedule import Schedule
from ..core.state import State
from ..core.task import Moment
from . import losses
from .batches import Minibatch, Sampler
from .config import Config, Large, Small
from .held_out import HeldOut
from .large import LatentDualStream
from .network import DualStream
from .samples import Source


@dataclass(frozen=True)
class NormalsTask:
    """A configuration's training: a `core.task.TrainingTask`.

    source: of the pictures to learn from; measured: of those held out, which are another seed's. seed: the data's and
    the first weights'. workers: processes that make pictures; 0 makes them in this one. start: the weights that
    the network starts from, a small one's as `export` wrote them, for a large one the folder of a Stable Diffusion 2.
    """

    config: Config
    source: Source
    measured: Source
    seed: int = 1
    workers: int = 1
    start: Path | None = None

    @property
    def name(self) -> str:
        """The configuration's name."""
        return self.config.name

    @property
    def schedule(self) -> Schedule:
        """The configuration's schedule."""
        return self.config.schedule

    @property
    def quantity(self) -> Quantity:
        """The mean angle to the true normals."""
        return Quantity("angle", "°", "held out, {} pixels")

    def make_network(self, *, fresh: bool) -> nn.Module:
        """Make the network, with the weights of `start` if it is fresh. Raises `UserError`."""
        if fresh and self.start is None and isinstance(self.config.network, Large):
            advice = "Give the folder of a Stable Diffusion 2 in diffusers' layout: --start FOLDER."
            raise UserError("start-missing", f"The configuration “{self.name}” starts from weights.", advice)
        network = make_network(self.config)
        if fresh and self.start is not None:
            if isinstance(network, LatentDualStream):
                network.start(self.start)
            else:
                read_exported(self.start, network)
        return network

    @property
    def frozen(self) -> tuple[str, ...]:
        """How the names of the clean stream's parameters begin."""
        return DualStream.CLEAN if isinstance(self.config.network, Small) else LatentDualStream.CLEAN

    def batches(self, start: Moment) -> Iterator[Minibatch]:
        """Yield batches of pictures from a step on, without end."""
        sampler = Sampler(self.config, start.stage, self.source, self.seed, start.share, self.workers)
        return sampler.batches(start.step)

    def loss(self, network: nn.Module, batch: Minibatch, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch, and the mean angle in degrees."""
        noise = self._noise(batch, moment)
        with lowered(self.schedule.precision, batch.picture.device):
            predicted = network(batch.picture, batch.inflated, noise)
        predicted = losses.unit(predicted.float())
        loss = losses.chord(predicted, batch.truth, batch.mask)
        loss = loss + self.config.gradient * losses.gradient(predicted, batch.truth, batch.mask)
        with torch.no_grad():
            return loss, {"angle": losses.angle(predicted, batch.truth, batch.mask)}

    def held_out(self, folder: Path) -> HeldOut:
        """Make the held-out pictures, or read them from the folder."""
        return HeldOut(self.config, self.measured, folder)

    def export(self, path: Path, state: State) -> None:
        """Write a stage's average, or after refining what is half-way from the cooled one to it.

        A large network goes to a folder of the path's stem, in diffusers' layout.
        """
        network = state.average
        if state.stage == "refine":
            cooled = load(path.with_name(f"cool-{state.trunk}.pt"), self, torch.device("cpu"))
            network = halfway(cooled.average, network)
        if isinstance(network, LatentDualStream):
            network.write(path.with_suffix(""))
        else:
            export(path, network)

    def _noise(self, batch: Minibatch, moment: Moment) -> Tensor | None:
        """Draw the noisy stream's noise on the object: every picture has a strength of its own."""
        if self.config.noise == 0:
            return None
        picture = batch.picture
        noise = injected(tuple(picture[:, :3].shape), self.config.noise, self.seed, moment)
        return noise.to(picture.device) * picture[:, 3:]


def make_network(config: Config) -> nn.Module:
    """Make a configuration's network, untrained: a `DualStream` or a `LatentDualStream`."""
    if isinstance(config.network, Large):
        return LatentDualStream(config.network)
    network: Any = DualStream(config.network)
    return network.to(memory_format=torch.channels_last)
