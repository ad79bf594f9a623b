# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the networks of models of views one after the other, as the memory plan says. It belongs to one thread."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch

from ..flow.products import Report
from ..nn import runner
from ..nn.device import Compute
from ..nn.memory_plan import MemoryPlan, Network
from ..weights import store
from ..weights.catalogue import Package
from .conversion import Converted, converted, known
from .model import UNET_VALUES, Model
from .networks import networks_of

T = TypeVar("T")


class Runner:
    """The networks of one engine, kept between jobs."""

    def __init__(self, packages: Iterable[Package]) -> None:
        self._packages = tuple(packages)
        self._networks: dict[str, Network] = {}
        self._base = runner.Runner(self._networks, lambda: store.revisions(self._packages))
        self._ready: dict[Path, Converted] = {}
        self._revisions = store.revisions(self._packages)

    def prepare(self, file: Path, model: Model, report: Report) -> Converted:
        """The model's parts from its published file, converted if need be. Raises UserError, see `converted`."""
        revisions = store.revisions(self._packages)
        if revisions != self._revisions:  # other weights were downloaded since
            self.unload()
            self._networks.clear()
            self._ready.clear()
            self._revisions = revisions
        if file not in self._ready or known(file) is None:
            self.unload()
            self._ready[file] = converted(file, model, report)
            self._networks |= networks_of(model, self._ready[file])
        return self._ready[file]

    def use(
        self,
        name: str,
        compute: Compute,
        work: Callable[[Any, Report], T],
        report: Report,
        notes: list[str],
        *,
        following: str = "",
    ) -> T:
        """The result of `work` with the network `name`, see `nn.runner.Runner.use`."""

        def run(network: Any, _: MemoryPlan, repeated: Report) -> T:  # noqa: ANN401
            with torch.inference_mode():
                return work(network, repeated)

        return self._base.use(name, compute, run, report, notes, following=following)

    def seconds(self, file: Path, model: Model, steps: int, precision: str) -> float | None:
        """How many seconds a run will about take on a slow device; None on a fast one."""
        return self._base.seconds(lambda: _share(known(file), model) * model.operations(steps), precision)

    def require_speed(self, file: Path, model: Model, steps: int, precision: str) -> None:
        """Raises UserError, which says how long it would take, if the device is too slow for the model."""
        self._base.require_speed(lambda: _share(known(file), model) * model.operations(steps), precision)

    def place(self) -> str:
        """The device on which the engine computes, the precision, and the memory plan, as words."""
        return self._base.place()

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        self._base.unload()


def _share(found: Converted | None, model: Model) -> float:
    """How large the networks and pictures on the disk are, of the published ones."""
    if found is None:
        return 1.0
    places = found.frames * found.side**2 / (model.frames * model.side**2)
    return found.values["unet"] / UNET_VALUES * places
