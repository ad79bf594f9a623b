# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of a source's blocks that a training's steps draw from: a function of the step.

Data take long to make. The window moves on with the steps, so slowly that each datum is drawn several times before it
has passed. The blocks in it stay in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .schedule import STAGES, TrainingStageName

MOST_WORKERS = 256  # of all processes together
_APART = 1 << 24  # blocks between the first ones of two workers
_FIRST = 8  # blocks of the first window, which grows


def first_block(stage: TrainingStageName, share: int, workers: int, step: int) -> int:
    """Return the first block of whoever makes the batch of a step: nobody else draws from its blocks.

    share: which of several processes it is made for. workers: of each, which make the batches in turn; 0 if none does.
    Raises `ValueError` if there are more than `MOST_WORKERS`.
    """
    each = max(1, workers)
    number = share * each + step % each
    if number >= MOST_WORKERS:
        raise ValueError(f"there are more than {MOST_WORKERS} workers")
    return (STAGES.index(stage) * MOST_WORKERS + number) * _APART


@dataclass(frozen=True)
class Windows:
    """Blocks of a source; see `first_block` for share and workers.

    source: makes the block of a number. rate: how many blocks the window moves on with a step that a worker makes.
    most: blocks in memory of a worker.
    """

    source: Callable[[int], Any]
    stage: TrainingStageName
    share: int
    rate: float
    most: int
    workers: int = 0
    _kept: dict[int, Any] = field(default_factory=dict[int, Any])

    def at(self, step: int) -> range:
        """Return the numbers of the blocks that a step draws from."""
        end = _FIRST + int(step // max(1, self.workers) * self.rate)
        first = first_block(self.stage, self.share, self.workers, step)
        return range(first + max(0, end - self.most), first + end)

    def draw(self, step: int, count: int, random: np.random.Generator) -> list[Any]:
        """Return so many blocks for a step, with repetitions."""
        window = self.at(step)
        return [self.block(int(index), window) for index in random.integers(window.start, window.stop, count)]

    def block(self, index: int, window: range) -> Any:  # noqa: ANN401 - of the source's type
        """Return a block of a window, made now or kept."""
        for passed in [old for old in self._kept if old not in window]:
            del self._kept[passed]
        if index not in self._kept:
            self._kept[index] = self.source(index)
        return self._kept[index]
