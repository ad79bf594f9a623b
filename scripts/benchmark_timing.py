# SPDX-License-Identifier: GPL-3.0-or-later
"""How long some work takes on a device, how much memory, and whether two ways of it come to the same."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backend.surface.surface import Surface

GIB = 1 << 30
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Bench:
    """Where and how to measure."""

    device: torch.device
    dtype: torch.dtype
    voxels: int
    repeats: int
    clock: Callable[[], float] = time.perf_counter  # in seconds
    blocks: int | None = None  # of a flow model that are timed for all; None is all of them


@dataclass(frozen=True)
class Race:
    """Two ways of the same work: the fastest of each, in seconds, and what came out."""

    ours: float
    other: float
    difference: float | None  # the largest, relative to the other's largest number; None if their shapes differ
    peak: float | None  # GiB that ours held at most, weights included, if the system reports it


def raced(bench: Bench, ours: Callable[[], Any], other: Callable[[], Any]) -> Race:
    """Times both in turn, so that they see the same machine, after one turn that nobody times."""
    ours()
    mine, theirs = float("inf"), float("inf")
    peak = difference = None
    for _ in range(bench.repeats):
        seconds, found, peak = timed(bench, ours)
        mine = min(mine, seconds)
        seconds, expected, _ = timed(bench, other)
        theirs = min(theirs, seconds)
        difference = relative_difference(found, expected)
    return Race(mine, theirs, difference, peak)


def timed(bench: Bench, work: Callable[[], Any]) -> tuple[float, Any, float | None]:
    """How long some work takes until the device has done it, what comes out, and the most memory held, in GiB."""
    on_gpu = bench.device.type == "cuda"
    if on_gpu:
        work()  # kernels are chosen and loaded the first time
        torch.cuda.synchronize(bench.device)
        torch.cuda.reset_peak_memory_stats(bench.device)
    elif _FORGET.exists():
        _FORGET.write_text("5", encoding="ascii")  # Linux starts the peak anew
    start = bench.clock()
    found = work()
    if on_gpu:
        torch.cuda.synchronize(bench.device)
    seconds = bench.clock() - start
    return seconds, found, torch.cuda.max_memory_allocated(bench.device) / GIB if on_gpu else _resident_peak()


def relative_difference(found: Any, expected: Any) -> float | None:  # noqa: ANN401  tensors or what holds one
    """The largest difference of two results, relative to the largest number; None if their shapes differ."""
    ours, theirs = (_numbers(result) for result in (found, expected))
    if ours.shape != theirs.shape:
        return None
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def machine(device: torch.device) -> str:
    """The device by its name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, {torch.get_num_threads()} threads"


def _numbers(result: Any) -> Tensor:  # noqa: ANN401
    if isinstance(result, Surface):  # vertices come in no particular order; their means and spread tell them apart
        vertices = result.vertices.double()
        return torch.cat([vertices.mean(0), vertices.square().mean(0), vertices.new_tensor([len(vertices)])]).cpu()
    return (result if isinstance(result, Tensor) else result[0]).double().cpu()


def _resident_peak() -> float | None:
    if not _STATUS.exists():
        return None
    lines = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / GIB


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
