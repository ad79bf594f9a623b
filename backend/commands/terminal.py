# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a job on a terminal: one line that fills up. Where standard error is no terminal it stays silent."""

import sys
from typing import Self

from ..flow.pipeline import Moment

WIDTH = 24


class Terminal:
    """A `Watcher` that draws a progress bar on standard error."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def moment(self, moment: Moment) -> None:
        """Redraw the bar."""
        done = (moment.index + moment.step / max(moment.of, 1)) / moment.count
        bar = ("█" * round(done * WIDTH)).ljust(WIDTH, "░")
        left = "" if moment.eta_seconds is None else f"  {moment.eta_seconds:.0f} s left"
        self._write(f"{bar} {moment.stage.label}{left}")

    def made(self, stage: str, result: object) -> None:
        """Results are not shown."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def _write(self, line: str) -> None:
        if self._shown:
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)
