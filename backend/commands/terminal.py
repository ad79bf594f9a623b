# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a job on a terminal: one line that fills up. If standard error is no terminal it stays silent."""

import sys
from typing import Self

from ..flow.pipeline import Progress

WIDTH = 24


class Terminal:
    """A `Watcher` that draws a progress bar on standard error."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def progressed(self, progress: Progress) -> None:
        """Redraw the bar."""
        done = progress.done
        bar = ("█" * round(done * WIDTH)).ljust(WIDTH, "░")
        left = "" if progress.eta_seconds is None else f"  {progress.eta_seconds:.0f} s left"
        self._write(f"{bar} {progress.stage.label}{left}")

    def made(self, name: str, product: object) -> None:
        """Products are not shown."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def _write(self, line: str) -> None:
        if self._shown:
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)
