# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports progress, and lets a job be cancelled, in the middle of a network's evaluation.

On a CPU one evaluation of a full-size network takes a minute, on a GPU it is queued in milliseconds. Instead of a hook
in every part of every network, torch calls us between its operations.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch.overrides import TorchFunctionMode

from ..flow.products import Report

_PAUSE = 0.1  # seconds


def part(report: Report, first: int, last: int, whole: int) -> Report:
    """A report for the part of a work that goes from `first` to `last` of a `whole`."""
    return lambda step, of: report(first * of + (last - first) * step, whole * of)


@contextmanager
def repeating(report: Report, pause: float = _PAUSE) -> Generator[Report]:
    """Gives a report that repeats its last call between torch's operations, after each `pause` in seconds.

    It repeats on this thread, inside the context. Errors of `report` come out of the operation.
    """
    mode = _Repeating(report, pause)
    with mode:
        yield mode.report


class _Repeating(TorchFunctionMode):
    def __init__(self, report: Report, pause: float) -> None:
        super().__init__()
        self._report = report
        self._pause = pause
        self._last: tuple[int, int] | None = None
        self._due = 0.0

    def report(self, step: int, of: int) -> None:
        self._last = (step, of)
        self._report(step, of)
        self._due = time.monotonic() + self._pause

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  whatever the operation gives
        if self._last is not None and time.monotonic() >= self._due:
            self.report(*self._last)
        return func(*args, **(kwargs or {}))
