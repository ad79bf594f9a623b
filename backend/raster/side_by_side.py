# SPDX-License-Identifier: GPL-3.0-or-later
"""Work of which no part needs another's result, on two threads: large operations of numpy let other threads run.

What comes out is the same, to the bit, as if one part ran after the other.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, TypeVar

from ..errors import Cancelled
from .ticks import Poll

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")

_THREADS = 2  # more would need more memory, and few parts of the work are so many
_POLL_SECONDS = 0.02


def both(one: Callable[[Poll], Result], other: Callable[[Poll], Other], poll: Poll) -> tuple[Result, Other]:
    """Run two tasks at once and return what each returns.

    poll: called in this thread meanwhile. If it raises, or one of the tasks, both end at the next call of the poll that
    they are given, and it is raised here.
    """
    stop = Event()

    def go_on() -> None:
        if stop.is_set():
            raise Cancelled

    with ThreadPoolExecutor(_THREADS) as threads:
        first, second = threads.submit(one, go_on), threads.submit(other, go_on)
        try:
            _wait((first, second), poll)
        finally:
            stop.set()
        return first.result(), second.result()


def in_order(work: Callable[[Item], Result], items: Iterable[Item], poll: Poll) -> Iterator[Result]:
    """Yield what `work` makes of each item, in order, while it is done for the next ones.

    poll: called in this thread meanwhile. What it raises, or `work`, is raised here, after at most one item more.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) == _THREADS:
                _wait((waiting[0],), poll)
                yield waiting.popleft().result()
        while waiting:
            _wait((waiting[0],), poll)
            yield waiting.popleft().result()


def _wait(tasks: Iterable[Future[Any]], poll: Poll) -> None:
    """Wait until all are done. Raises what one of them raises, at once."""
    poll()
    while True:
        done, others = wait(tasks, _POLL_SECONDS, FIRST_EXCEPTION)
        for task in done:
            task.result()
        if not others:
            return
        poll()
