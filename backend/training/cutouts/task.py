# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out network as a task of the training loop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from ..core.curve import Quantity
from ..core.devices import lowered
from ..core.exported import export, read_exported
from ..core.schedule import Schedule
from ..core.state import State
from ..core.task import Moment
from .batches import Minibatch, Sampler, Source
from .composites import sample_block
from .config import Config
from .held_out import HeldOut, overlap
from .network import CutoutNetwork


@dataclass(frozen=True)
class CutoutTask:
    """A configuration's training: a `core.task.TrainingTask`.

    source: of the pictures to learn from; `measured`: of those that are held out. seed: the data's and the first
    weights'. workers: processes that make pictures; 0 makes them in this one. start: the weights that the network
    starts from, as `export` wrote them.
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
        """How much of the overlap is missing."""
        return Quantity("missing", "%")

    @property
    def frozen(self) -> tuple[str, ...]:
        """No stage freezes anything."""
        return ()

    def make_network(self, *, fresh: bool) -> nn.Module:
        """Make the network, with the weights of `start` if it is fresh. Raises `UserError`."""
        network = CutoutNetwork(self.config.network)
        if fresh and self.start is not None:
            read_exported(self.start, network)
        return network

    def batches(self, start: Moment) -> Iterator[Minibatch]:
        """Yield batches of pictures from a step on, without end."""
        sampler = Sampler(self.config, start.stage, self.source, self.seed, start.share, self.workers)
        return sampler.batches(start.step)

    def loss(
        self,
        network: nn.Module,
        batch: Minibatch,
        moment: Moment,  # noqa: ARG002 - the protocol's
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch: cross entropy, and the overlap that is missing (Rahman and Wang, 2016)."""
        with lowered(self.schedule.precision, batch.planes.device):
            logits = network(batch.planes)
        logits = logits.float()
        entropy = functional.binary_cross_entropy_with_logits(logits, batch.alpha)
        found = logits.sigmoid()
        common = (found * batch.alpha).sum(dim=(1, 2, 3))
        union = (found + batch.alpha - found * batch.alpha).sum(dim=(1, 2, 3))
        loss = entropy + (1 - common / union.clamp(min=1)).mean()
        missing = 100 * (1 - overlap(found[:, 0], batch.alpha[:, 0]).mean())
        return loss, {"missing": missing.detach(), "entropy": entropy.detach()}

    def held_out(self, folder: Path) -> HeldOut:
        """Make the held-out pictures, or read them from the folder."""
        return HeldOut(self.config, self.measured, folder)

    def export(self, path: Path, state: State) -> None:
        """Write a stage's average."""
        export(path, state.average)


def maker(config: Config, pictures: int) -> Source:
    """Return a source of composites, so many in a block."""
    return partial(sample_block, size=config.size, pictures=pictures)
