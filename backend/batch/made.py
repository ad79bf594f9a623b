# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a function makes of a task, as a process of an executor makes it."""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..flow.products import Picture
from .manifest import fingerprints
from .running import Ended, Task, end_of
from .tile import write_tile
from .worker import Make, Say, failure_of


class Made(NamedTuple):
    """What a task comes to, beside the files that it has written.

    notes: sentences on how it was made. drawn: pictures for the contact sheet, side by side; none without.
    """

    notes: Sequence[str] = ()
    drawn: Sequence[Picture] = ()


Run = Callable[[Task], Made]
"""Writes an object's results into the task's folder. Raises `UserError`, or whatever a library raises."""


def maker_by(run: Run) -> Make:
    """What makes tasks by a function."""

    def make(task: Task, _say: Say) -> Ended:
        started = time.monotonic()
        found = fingerprints(task.inputs)
        made = Made()

        def make_it() -> None:
            nonlocal made
            made = run(task)

        error = failure_of(task, make_it)
        with contextlib.suppress(Exception):  # without it the contact sheet has a gap
            if made.drawn:
                write_tile(Path(task.tile), made.drawn, failed=False)
        return end_of(task, started, found, made.notes, error)

    return make
