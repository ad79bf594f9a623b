# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an engine's networks on the device, one after the other, as the memory plan says. It belongs to one thread."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..errors import UserError
from ..flow.products import Report
from .device import Compute, choose, device_name, memory_of
from .memory_plan import TYPICAL_VOXELS, MemoryPlan, Network, NetworkPool, choose_plan
from .speed import SLOW, speed_of
from .watching import repeating

T = TypeVar("T")
LONGEST = 600.0
"""Seconds that a job may take on a slow device."""


class Runner:
    """The networks of an engine, kept between jobs in its `pool`.

    revisions: says which weights are on the disk; the networks are let go when its answer changes.
    """

    def __init__(self, networks: Mapping[str, Network], revisions: Callable[[], Mapping[str, str]]) -> None:
        self.pool = NetworkPool(networks)
        self._revisions = revisions
        self._used = revisions()
        self._speeds: dict[Compute, float] = {}

    def use(
        self,
        name: str,
        compute: Compute,
        work: Callable[[Any, MemoryPlan, Report], T],
        report: Report,
        notes: list[str],
        *,
        following: str = "",
        voxels: int = TYPICAL_VOXELS,
    ) -> T:
        """The result of `work` with the network `name`; `report` is repeated meanwhile, also while it is loaded.

        following: the network whose weights are read meanwhile. voxels: of the object, for networks whose memory
        depends on them. Adds to `notes` what the artist should know of how it went. Raises what `work`, loading and
        `report` raise, and UserError if the device's memory is not enough.
        """
        with repeating(report) as repeated:
            repeated(0, 1)
            revisions = self._revisions()
            if revisions != self._used:  # other weights were downloaded since: a recipe names those on the disk
                self.pool.release()
                self._used = revisions
            result, new = self.pool.run(
                name, compute, lambda network, plan: work(network, plan, repeated), following=following, voxels=voxels
            )
        notes.extend(new)
        return result

    def seconds(self, operations: Callable[[], float], precision: str) -> float | None:
        """How many seconds floating-point operations will about take; None on a fast device, which needs no count."""
        compute = choose(precision)
        if compute.device.type not in SLOW:
            return None
        if compute not in self._speeds:
            self._speeds[compute] = speed_of(compute)
        return operations() / self._speeds[compute]

    def require_speed(self, operations: Callable[[], float], precision: str) -> None:
        """Raises UserError, which says how long it would take, if a slow device needs longer than `LONGEST`."""
        seconds = self.seconds(operations, precision)
        if seconds is not None and seconds > LONGEST:
            device = device_name(choose(precision).device)
            raise UserError(
                "too-slow",
                f"By {device} this would take about {seconds / 60:.0f} minutes.",
                "Use a computer with a graphics card for it, or fewer steps.",
            )

    def place(self) -> str:
        """The device on which the engine computes, the precision, and the memory plan, as words."""
        compute = choose()
        memory = memory_of(compute.device)
        plan = choose_plan(self.pool.networks, compute, memory)
        return f"in {compute}, {memory / 2**30:.1f} GiB free, {plan.name}"

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        self.pool.release()
