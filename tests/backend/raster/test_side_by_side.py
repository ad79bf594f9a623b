# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tasks at once, and many items in order, on threads that end when the work is cancelled or fails."""

import threading
from collections.abc import Iterator
from threading import Barrier, Event

import pytest

from backend.errors import Cancelled
from backend.raster.side_by_side import both, in_order
from backend.raster.ticks import Poll, unwatched

LONG = 30  # seconds after which a test gives up


def cancel() -> None:
    raise Cancelled


def until_stopped(poll: Poll) -> None:
    while True:
        poll()
        Event().wait(0.001)


def fail(_poll: Poll) -> None:
    raise ValueError("a task's own error")


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_both_run_at_once_and_each_result_is_in_its_place() -> None:
    meeting = Barrier(2, timeout=LONG)

    def met(answer: str) -> str:
        meeting.wait()
        return answer

    assert both(lambda _: met("one"), lambda _: met("other"), unwatched) == ("one", "other")


def test_a_poll_that_raises_ends_both() -> None:
    with pytest.raises(Cancelled):
        both(until_stopped, until_stopped, cancel)


def test_an_error_of_either_ends_the_other_and_is_raised() -> None:
    for tasks in ((fail, until_stopped), (until_stopped, fail)):
        with pytest.raises(ValueError, match="own error"):
            both(*tasks, unwatched)


def test_results_come_in_order_while_the_next_item_is_worked_on() -> None:
    second = Event()

    def doubled(item: int) -> int:
        if item == 0:
            assert second.wait(LONG)
        if item == 1:
            second.set()
        return 2 * item

    assert list(in_order(doubled, range(5), unwatched)) == [0, 2, 4, 6, 8]
    assert list(in_order(doubled, [], unwatched)) == []


def test_items_end_with_an_error_of_the_work_or_of_the_poll() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda item: 1 // item, [2, 1, 0, 3], unwatched))
    with pytest.raises(Cancelled):
        list(in_order(lambda item: item, [1], cancel))
