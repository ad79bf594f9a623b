# SPDX-License-Identifier: GPL-3.0-or-later
"""Which networks lie on the device at once, so that all of them fit: memory by plan.

What a network needs is known before it is loaded: its weights from its files, its work from the sizes that it works
on. The plan follows from that and from the device's memory: everything stays there, or one network at a time
(the files stay mapped into memory, so that the system keeps in its cache what there is room for), or besides that the
work is done in smaller pieces. Where memory runs out all the same, because others use the device too, the next smaller
plan is taken and the stage is repeated.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from ..errors import UserError
from .device import Compute, device_name, is_device_lost, is_out_of_memory, memory_of, release

log = logging.getLogger(__name__)

T = TypeVar("T")
_GIB = 1 << 30
TYPICAL_VOXELS = 30_000
"""Voxels of a large object's structure."""

_RESERVE = _GIB // 2  # of the device, for its driver and what torch cannot use of its own
_BLOCK = 16 << 20


@dataclass(frozen=True)
class Plan:
    """How to share a device's memory.

    resident: networks stay once they are there. gathered: how many elements a sparse convolution gathers at once.
    together: how many seeds go through a network in one batch. apart: what consists of several networks brings them
    to the device one after the other.
    """

    name: str
    resident: bool
    together: int
    gathered: int
    apart: bool


PLANS = (
    Plan("everything on the device", resident=True, together=4, gathered=2**26, apart=False),
    Plan("one network at a time", resident=False, together=2, gathered=2**26, apart=False),
    Plan("one network at a time, in small pieces", resident=False, together=1, gathered=2**23, apart=True),
)
"""From the fastest to the smallest."""


@dataclass(frozen=True)
class Network:
    """A network, or some that work together, and where it comes from.

    values: how many numbers its weights are. works: numbers that its work holds at once, beside the weights: always,
    and for each voxel. files: where the weights lie, to be read ahead. load: maps them, in the published dtype, and
    raises UserError where that fails. place: brings what `load` returned to the device and dtype (what goes there
    apart: to the dtype alone), and returns it. single: whether it computes in float32 in any case.
    """

    label: str
    values: int
    works: tuple[int, int]
    files: Callable[[], Sequence[Path]]
    load: Callable[[], Any]
    place: Callable[[Any, Compute, Plan], Any]
    single: bool = False

    def weight(self, compute: Compute) -> int:
        """Bytes of its weights on the device."""
        return self.values * self._itemsize(compute)

    def work(self, compute: Compute, voxels: int) -> int:
        """Bytes that its work takes on the device for one object of so many voxels."""
        always, each = self.works
        return (always + each * voxels) * self._itemsize(compute)

    def _itemsize(self, compute: Compute) -> int:
        return torch.float32.itemsize if self.single else compute.dtype.itemsize


def choose_plan(
    networks: Mapping[str, Network], compute: Compute, memory: int, *, name: str = "", voxels: int = TYPICAL_VOXELS
) -> Plan:
    """The fastest plan by which the networks fit into `memory` bytes; the smallest one where none surely does.

    `voxels` are those of the network `name`; the others may come to have the typical number.
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


class Shelf:
    """Networks by name, loaded when they are asked for and kept as the plan says. It belongs to one thread."""

    def __init__(self, networks: Mapping[str, Network]) -> None:
        self.networks = networks
        self.plan: Plan | None = None
        self._compute: Compute | None = None
        self._placed: dict[str, Any] = {}

    def run(
        self,
        name: str,
        compute: Compute,
        work: Callable[[Any, Plan], T],
        *,
        following: str = "",
        voxels: int = TYPICAL_VOXELS,
    ) -> tuple[T, tuple[str, ...]]:
        """What `work` makes of the network and the plan, and a sentence for every time that it had to start again.

        The object has so many `voxels`. The weights of the network `following` are read meanwhile. Where memory runs
        out, all networks leave the device and the work is repeated by a smaller plan. Raises UserError where the
        smallest one does not fit, or the device is gone; what `work` and the network's loading raise passes through.
        """
        notes: list[str] = []
        while True:
            plan = self._planned(compute, name, voxels)
            trouble: str
            try:
                return self._attempt(name, compute, plan, work, following), tuple(notes)
            except (RuntimeError, MemoryError) as error:
                if is_device_lost(error):
                    raise _device_lost(compute) from error
                if not is_out_of_memory(error):
                    raise
                log.warning("memory ran out in the %s with %s: %s", self.networks[name].label, plan.name, error)
                trouble = str(error)
            # Here, not above: the error's traceback holds what the work had made.
            self.release()
            smaller = PLANS[PLANS.index(plan) + 1 :]
            if not smaller:
                raise _too_small(self.networks[name].label, compute, trouble)
            self.plan = smaller[0]
            notes.append(f"Memory ran out in the {self.networks[name].label}; it was repeated with {self.plan.name}.")

    def release(self) -> None:
        """Take every network off the device, and give the memory back. The plan is made anew next time."""
        self._placed.clear()
        self.plan = None
        if self._compute:
            release(self._compute.device)

    def _planned(self, compute: Compute, name: str, voxels: int) -> Plan:
        """The plan; it is made when nothing is on the device, and made smaller for an object that is too large."""
        if compute != self._compute:
            self.release()
            self._compute = compute
        if self.plan is None or voxels > TYPICAL_VOXELS:
            memory = memory_of(compute.device)
            plan = choose_plan(self.networks, compute, memory, name=name, voxels=voxels)
            if self.plan is None or PLANS.index(plan) > PLANS.index(self.plan):
                self.plan = plan
                log.info("networks in %s, %d MiB free: %s", compute, memory >> 20, plan.name)
        return self.plan

    def _attempt(self, name: str, compute: Compute, plan: Plan, work: Callable[[Any, Plan], T], following: str) -> T:
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
    """Read files into the system's cache in a thread of its own, so that mapping them later waits for no disk."""

    def read() -> None:
        for file in files:
            try:
                with file.open("rb", buffering=0) as opened:
                    while opened.read(_BLOCK):
                        pass
            except OSError:  # whoever needs the file says what is wrong with it
                return

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    return thread


def _too_small(label: str, compute: Compute, trouble: str) -> UserError:
    log.error("memory ran out for good: %s", trouble)
    sentence = f"The memory of {device_name(compute.device)} was not enough for the {label}, even in small pieces."
    advice = "Close other programs that use it, or set HI3DGEN_DEVICE to cpu, which is slow but has more memory."
    return UserError("out-of-memory", sentence, advice)


def _device_lost(compute: Compute) -> UserError:
    sentence = f"{device_name(compute.device)} stopped answering."
    advice = "Generate again: the backend starts anew. If it happens again, restart the computer or renew its driver."
    return UserError("device-lost", sentence, advice)
