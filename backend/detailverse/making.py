# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages whose objects are made in processes of their own: which there are, and how a process makes one."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from ..batch.manifest import fingerprints
from ..batch.running import Ended, Task, end_of
from ..batch.tile import write_tile
from ..batch.worker import Make, Say, failure_of
from .made import Made

Run = Callable[[Task], Made]
"""Writes an object's results into the task's folder. Raises `UserError`, or whatever a library raises."""


def _pictures() -> Run:
    from .pictures import Maker  # noqa: PLC0415 - heavy

    return Maker().make


def _sculptures() -> Run:
    from .sculptures import make  # noqa: PLC0415 - heavy

    return make


def _measures() -> Run:
    from .measures import make  # noqa: PLC0415 - heavy

    return make


STAGES: dict[str, Callable[[], Run]] = {"pictures": _pictures, "sculptures": _sculptures, "measures": _measures}
"""What imports a stage's libraries and returns what makes its objects."""


def maker_of(stage: str) -> Make:
    """What a process of a stage, a key of `STAGES`, makes its tasks by."""
    run = STAGES[stage]()

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
