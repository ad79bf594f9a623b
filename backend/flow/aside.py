# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of which nothing before them in the order needs the product: they run in a thread while those do."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Generic, Self, TypeVar

from ..errors import Cancelled
from .products import Report

Result = TypeVar("Result")

_POLL_SECONDS = 0.02


class Aside(Generic[Result]):
    """Work in a thread, one after another, by number. Use it as a context: behind it nothing runs any more."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._stopped = Event()
        self._begun: dict[int, Future[Result]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._begun

    def begin(self, number: int, work: Callable[[Report], Result]) -> None:
        """Run `work` as soon as the thread is free. It is given a report that ends it when the context ends."""
        self._begun[number] = self._thread.submit(work, self._report)

    def result(self, number: int, report: Report) -> Result:
        """What the work returns, or raises, as soon as it is there. `report` is called here meanwhile."""
        while not self._begun[number].done():
            report(0, 1)
            wait([self._begun[number]], _POLL_SECONDS)
        return self._begun[number].result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.shutdown(cancel_futures=True)

    def _report(self, _step: int, _of: int) -> None:
        if self._stopped.is_set():
            raise Cancelled
