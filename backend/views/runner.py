# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the networks of models of views one after the other, as the memory plan says. It belongs to one thread."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch

from ..errors import UserError
from ..flow.products import Report
from ..nn.device import Compute, choose, device_name, memory_of
from ..nn.memory_plan import MemoryPlan, Network, NetworkPool, choose_plan
from ..nn.speed import SLOW, speed_of
from ..nn.watching import repeating
from ..weights import store
from ..weights.catalogue import Package
from .conversion import Converted, converted, known
from .model import UNET_VALUES, Model
from .networks import networks_of

T = TypeVar("T")
_LONGEST = 3600.0  # seconds that a slow device may take
_HOUR = 3600.0


class Runner:
    """The networks of one engine, kept between jobs."""

    def __init__(self, packages: Iterable[Package]) -> None:
        self._packages = tuple(packages)
        self._networks: dict[str, Network] = {}
        self._pool = NetworkPool(self._networks)
        self._ready: dict[Path, Converted] = {}
        self._revisions = store.revisions(self._packages)
        self._speeds: dict[Compute, float] = {}

    def prepare(self, file: Path, model: Model, report: Report) -> Converted:
        """The model's parts from its published file, converted if need be. Raises UserError, see `converted`."""
        revisions = store.revisions(self._packages)
        if revisions != self._revisions:  # other weights were downloaded since
            self._pool.release()
            self._networks.clear()
            self._ready.clear()
            self._revisions = revisions
        if file not in self._ready or known(file) is None:
            self._pool.release()
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
        """The result of `work` with the network `name`; `report` is repeated meanwhile, also while it is loaded.

        Adds to `notes` what the artist should know of how it went.
        """

        def run(network: Any, _: MemoryPlan) -> T:  # noqa: ANN401
            with torch.inference_mode():
                return work(network, repeated)

        with repeating(report) as repeated:
            repeated(0, 1)
            result, new = self._pool.run(name, compute, run, following=following)
        notes.extend(new)
        return result

    def seconds(self, file: Path, model: Model, steps: int, precision: str) -> float | None:
        """How many seconds a run will about take on a slow device; None on a fast one."""
        compute = choose(precision)
        if compute.device.type not in SLOW:
            return None
        if compute not in self._speeds:
            self._speeds[compute] = speed_of(compute)
        return _share(known(file), model) * model.operations(steps) / self._speeds[compute]

    def require_speed(self, file: Path, model: Model, steps: int, precision: str) -> None:
        """Raises UserError, which says how long it would take, if the device is too slow for the model."""
        seconds = self.seconds(file, model, steps, precision)
        if seconds is not None and seconds > _LONGEST:
            device = device_name(choose(precision).device)
            hours = f"{seconds / _HOUR:.0f}" if seconds > 1.5 * _HOUR else "more than one"
            raise UserError(
                "too-slow",
                f"By {device} these views would take about {hours} hours.",
                "Use a computer with a graphics card for them.",
            )

    def place(self) -> str:
        """The device on which the engine computes, the precision, and the memory plan, as words."""
        compute = choose()
        memory = memory_of(compute.device)
        plan = choose_plan(self._networks, compute, memory)
        return f"in {compute}, {memory / 2**30:.1f} GiB free, {plan.name}"

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        self._pool.release()


def _share(found: Converted | None, model: Model) -> float:
    """How large the networks and pictures on the disk are, of the published ones."""
    if found is None:
        return 1.0
    places = found.frames * found.side**2 / (model.frames * model.side**2)
    return found.values["unet"] / UNET_VALUES * places
