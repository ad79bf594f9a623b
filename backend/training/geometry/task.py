# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet network as a task of the training loop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.curve import Quantity
from ..core.devices import lowered
from ..core.exported import export, read_exported
from ..core.noise import injected
from ..core.schedule import Schedule
from ..core.state import State
from ..core.task import Moment
from . import losses
from .batches import Minibatch, Sampler, Source
from .config import Config
from .held_out import HeldOut
from .network import SheetNetwork, sheets
from .views import sample_views

_THICKNESS = 1.5  # its weight; the front has 1


@dataclass(frozen=True)
class GeometryTask:
    """A configuration's training: a `core.task.TrainingTask`.

    source: of the views to learn from. seed: the data's and the first weights'. workers: processes that make views; 0
    makes them in this one. start: the weights that the network starts from, as `export` wrote them.
    """

    config: Config
    source: Source
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
        """The thickness: its pinball loss while learning, its mean absolute error on held-out views."""
        return Quantity("thickness", "%", "held out, {} normals")

    @property
    def frozen(self) -> tuple[str, ...]:
        """No stage freezes anything."""
        return ()

    def make_network(self, *, fresh: bool) -> nn.Module:
        """Make the network, with the weights of `start` if it is fresh. Raises `UserError`."""
        network = make_network(self.config)
        if fresh and self.start is not None:
            read_exported(self.start, network)
        return network

    def batches(self, start: Moment) -> Iterator[Minibatch]:
        """Yield batches of views from a step on, without end."""
        sampler = Sampler(self.config, start.stage, self.source, self.seed, start.share, self.workers)
        return sampler.batches(start.step)

    def loss(self, network: nn.Module, batch: Minibatch, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch, and its terms."""
        with lowered(self.schedule.precision, batch.planes.device):
            answer, pose = network(self._noised(batch, moment), batch.quantile)
        found = sheets(batch.planes, answer, pose)
        mask = batch.mask
        front, thickness = losses.depth_terms(found, batch.front, batch.back, mask, batch.quantile)
        before = losses.normal_term(found.front, batch.front, batch.before, mask)
        behind = losses.normal_term(found.back, batch.back, batch.behind, mask)
        up, doubt = losses.up_terms(found.up, found.doubt, batch.up)
        near = (found.nearness - batch.nearness).square().mean()
        loss = (
            front
            + _THICKNESS * thickness
            + self.config.normal * (before + behind)
            + self.config.up * (up + doubt)
            + self.config.near * near
        )
        terms = {
            "front": 50 * front,
            "thickness": 50 * thickness,
            "before": before,
            "behind": behind,
            "up": up,
            "doubt": doubt,
            "near": near,
        }
        return loss, {name: value.detach() for name, value in terms.items()}

    def held_out(self, folder: Path) -> HeldOut:
        """Make the held-out views, or read them from the folder."""
        return HeldOut(self.config, folder)

    def export(self, path: Path, state: State) -> None:
        """Write a stage's average."""
        export(path, state.average)

    def _noised(self, batch: Minibatch, moment: Moment) -> Tensor:
        """Return what the network sees, with noise on the normals if the configuration says so."""
        if self.config.noise == 0:
            return batch.planes
        normals, others = batch.planes[:, :3], batch.planes[:, 3:]
        noise = injected(tuple(normals.shape), self.config.noise, self.seed, moment).to(normals.device)
        return torch.cat([normals + noise * batch.mask, others], dim=1)


def maker(config: Config) -> Source:
    """Return the source of a configuration's views: made-up shapes."""
    return partial(sample_views, views=config.views, estimated=config.estimated)


def make_network(config: Config) -> nn.Module:
    """Make a configuration's network, untrained."""
    network: Any = SheetNetwork(config.network)
    return network.to(memory_format=torch.channels_last)
