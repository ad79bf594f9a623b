# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches made ahead of time by worker processes: a function of the step, and of how many workers there are."""

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

_AHEAD = 4  # batches that a worker holds ready

Tensors = tuple[Tensor, ...]


def stream(batch: Callable[[int], Tensors], start: int, workers: int) -> Iterator[Tensors]:
    """Yield the batches of the steps from `start` on, without end. Without workers they are made in this process.

    Several make them in turn, each from blocks of its own, see `windows.first_block`.
    """
    loader = DataLoader(
        _Steps(batch),
        batch_size=None,
        sampler=cast("Iterable[int]", range(start, 1 << 40)),
        num_workers=workers,
        prefetch_factor=_AHEAD if workers else None,
        multiprocessing_context="spawn" if workers else None,
        collate_fn=cast("Any", _unchanged),
        worker_init_fn=_begin,
    )
    return iter(loader)


@dataclass(frozen=True)
class _Steps(Dataset[Tensors]):
    batch: Callable[[int], Tensors]

    def __getitem__(self, index: int) -> Tensors:
        torch.set_num_threads(1)
        return self.batch(index)


def _begin(_: int) -> None:
    """Leave the trainer's session: Linux divides a busy machine between sessions, and then between their processes.

    And end without Python's own clean-up, in which threads of libraries that are still there abort the process.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    atexit.register(os._exit, 0)


def _unchanged(parts: Tensors) -> Tensors:
    return parts
