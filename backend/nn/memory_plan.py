# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory plan: which networks are on the device at once, so that all of them fit.

What a network needs is known before it is loaded: its weights from its files, its work from the sizes that it works
on. The plan follows from that and from the device's memory. All networks stay on the device; or one at a time is there
(the files stay mapped into memory, so that the system keeps in its cache what there is room for); or, besides that, the
work is done in smaller pieces. If memory runs out nevertheless, because other programs use the device too, the work is
repeated by the next smaller plan.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from ..errors import UserError
from .device import TOO_SMALL, Compute, device_lost, device_name, is_device_lost, is_out_of_memory, memory_of, release

log = logging.getLogger(__name__)

T = TypeVar("T")
_GIB = 1 << 30
TYPICAL_VOXELS = 30_000
"""Voxels of a large object's structure."""

_RESERVE = _GIB // 2  # of the device, for its driver and what torch cannot use of its own
_BLOCK = 16 << 20


@dataclass(frozen=True)
class MemoryPlan:
    """How to share a device's memory.

    resident: networks stay on the device after their first use. gathered: how many elements a sparse convolution
    gathers at once. together: how many seeds go through a network in one batch, at most. apart: the networks that work
    together are on the device one after the other.
    """

    name: str
    resident: bool
    together: int
    gathered: int
    apart: bool


PLANS = (
    MemoryPlan("everything on the device", resident=True, together=4, gathered=2**26, apart=False),
    MemoryPlan("one network at a time", resident=False, together=2, gathered=2**26, apart=False),
    MemoryPlan("one network at a time, in small pieces", resident=False, together=1, gathered=2**23, apart=True),
)
"""From the fastest to the one that needs the least memory."""


@dataclass(frozen=True)
class Network:
    """A network, or some that work together, and how to get it.

    values: how many numbers its weights are. works: how many numbers its work holds at once beside the weights: in any
    case, and for each voxel. files: the files of its weights. load: maps them into memory in the published dtype;
    raises UserError if that fails. place: brings what `load` returned to the device and dtype, and returns it; if the
    plan is `apart`, to the dtype only. single: whether it always computes in float32.
    """

    label: str
    values: int
    works: tuple[int, int]
    files: Callable[[], Sequence[Path]]
    load: Callable[[], Any]
    place: Callable[[Any, Compute, MemoryPlan], Any]
    single: bool = False

    def weight(self, compute: Compute) -> int:
        """Bytes of its weights on the device."""
        return self.values * self._itemsize(compute)

    def work(self, compute: Compute, voxels: int) -> int:
        """Bytes that its work takes on the device for one object of `voxels` voxels."""
        always, each = self.works
        return (always + each * voxels) * self._itemsize(compute)

    def _itemsize(self, compute: Compute) -> int:
        return torch.float32.itemsize if self.single else compute.dtype.itemsize


def choose_plan(
    networks: Mapping[str, Network], compute: Compute, memory: int, *, name: str = "", voxels: int = TYPICAL_VOXELS
) -> MemoryPlan:
    """The fastest plan by which the networks fit into `memory` bytes; the last one if none is sure to.

    `voxels` is how many the network `name` works on; the others are taken to work on `TYPICAL_VOXELS`.
    """
    room = memory - _RESERVE
    work = {other: network.work(compute, TYPICAL_VOXELS) for other, network in networks.items()}
    if name:
        work[name] = networks[name].work(compute, voxels)
    weight = {other: network.weight(compute) for other, network in networks.items()}
    everything, stages, small = PLANS
    if sum(weight.values()) + max(work.values(), default=0) <= room:
        return everything
    return stages if max((weight[other] + work[other] for other in networks), default=0) <= room else small


class NetworkPool:
    """Networks by name, loaded at their first use and kept as the memory plan says. It belongs to one thread."""

    def __init__(self, networks: Mapping[str, Network]) -> None:
        self.networks = networks
        self.plan: MemoryPlan | None = None
        self._memory = 0  # bytes, when the plan was made
        self._compute: Compute | None = None
        self._placed: dict[str, Any] = {}

    def run(
        self,
        name: str,
        compute: Compute,
        work: Callable[[Any, MemoryPlan], T],
        *,
        following: str = "",
        voxels: int = TYPICAL_VOXELS,
    ) -> tuple[T, tuple[str, ...]]:
        """The result of `work(network, plan)`, and a sentence for every time that it was repeated.

        `voxels` is how many the work is done on for one seed; the plan says for how many seeds there is room. The
        weights of the network `following` are read meanwhile. If memory runs out, all networks leave the device and
        the work is repeated by a smaller plan. Raises UserError if the last plan does not fit either, or if the device
        does not answer any more. Errors of `work` and of loading pass through.
        """
        notes: list[str] = []
        while True:
            plan = self._planned(compute, name, voxels)
            fitting = self._with_room(compute, plan, name, voxels)
            trouble: str
            try:
                return self._attempt(name, compute, fitting, work, following), tuple(notes)
            except (RuntimeError, MemoryError) as error:
                if is_device_lost(error):
                    raise device_lost(compute.device) from error
                if not is_out_of_memory(error):
                    raise
                log.warning("memory ran out in the %s with %s: %s", self.networks[name].label, plan.name, error)
                trouble = str(error)
            # After the except clause: until it ends, the error's traceback keeps the work's tensors alive.
            self.release()
            smaller = PLANS[PLANS.index(plan) + 1 :]
            if not smaller:
                raise _out_of_memory(self.networks[name].label, compute, trouble)
            self.plan = smaller[0]
            notes.append(f"Memory ran out in the {self.networks[name].label}; it was repeated with {self.plan.name}.")

    def release(self) -> None:
        """Takes every network off the device and gives its memory back. The next use makes a new plan."""
        self._placed.clear()
        self.plan = None
        if self._compute:
            release(self._compute.device)

    def _planned(self, compute: Compute, name: str, voxels: int) -> MemoryPlan:
        """The plan: made if nothing is on the device, and replaced by a smaller one if the object is too large."""
        if compute != self._compute:
            self.release()
            self._compute = compute
        if self.plan is None or voxels > TYPICAL_VOXELS:
            self._memory = memory_of(compute.device)
            plan = choose_plan(self.networks, compute, self._memory, name=name, voxels=voxels)
            if self.plan is None or PLANS.index(plan) > PLANS.index(self.plan):
                self.plan = plan
                log.info("networks in %s, %d MiB free: %s", compute, self._memory >> 20, plan.name)
        return self.plan

    def _with_room(self, compute: Compute, plan: MemoryPlan, name: str, voxels: int) -> MemoryPlan:
        """The plan with no more seeds in a batch than there is room for; one at least."""
        held = [*self.networks.values()] if plan.resident else [self.networks[name]]
        room = self._memory - _RESERVE - sum(network.weight(compute) for network in held)
        work = self.networks[name].work(compute, voxels)
        if work * plan.together <= room or not work:
            return plan
        return replace(plan, together=max(1, room // work))

    def _attempt(
        self, name: str, compute: Compute, plan: MemoryPlan, work: Callable[[Any, MemoryPlan], T], following: str
    ) -> T:
        if not plan.resident:
            for other in [other for other in self._placed if other != name]:
                del self._placed[other]
            release(compute.device)
        if name not in self._placed:
            wanted = self.networks[name]
            self._placed[name] = wanted.place(wanted.load(), compute, plan)
        if following and following not in self._placed:
            read_ahead(self.networks[following].files())
        return work(self._placed[name], plan)


def read_ahead(files: Sequence[Path]) -> threading.Thread:
    """Reads files into the system's cache in a thread of its own, so that mapping them later need not wait for it."""

    def read() -> None:
        for file in files:
            try:
                with file.open("rb", buffering=0) as opened:
                    while opened.read(_BLOCK):
                        pass
            except OSError:  # loading the network reports it
                return

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    return thread


def _out_of_memory(label: str, compute: Compute, trouble: str) -> UserError:
    log.error("memory ran out with the smallest plan: %s", trouble)
    sentence = f"The memory of {device_name(compute.device)} was not enough for the {label}, even in small pieces."
    return UserError("out-of-memory", sentence, TOO_SMALL)
