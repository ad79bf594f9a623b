# SPDX-License-Identifier: GPL-3.0-or-later
r"""How a command that takes minutes shows how far it is.

For a person: on a terminal one line of standard error that is overwritten; elsewhere a line for each label, at its end.

For a program (`--json`): lines on standard output, each a JSON object.

    {"label": str, "done": int, "of": int, "per_second": float, "unit": "bytes" | "steps"}   while it runs, several
        times a second at most; `of` is 0 if the end is not known, `per_second` 0 while no speed is known
    {"finished": true, ...}                                   it is done; the command adds what it made; exit code 0
    {"error": code, "sentence": str, "advice": str}           it failed, with exit code 1; or it was interrupted, with
        the code "cancelled" and exit code 130. The sentences are for the person, as they are.
"""

import json
import sys
import time
from collections import deque
from typing import Literal, Self

from ..errors import Cancelled, UserError

Unit = Literal["bytes", "steps"]

_PAUSE = 0.1  # seconds between two lines at least
_WINDOW = 5.0  # seconds over which the speed is measured
_BAR = 24  # characters


class ProgressBar:
    """Shows the progress of one command. Use it as a context; what is raised inside is shown too, and raised again."""

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self._terminal = sys.stderr.isatty()
        self._label = ""
        self._shown_at = 0.0
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, label: str, done: int, of: int, unit: Unit = "bytes") -> None:
        """`done` of `of` bytes or steps of what `label` names are done. May be called any number of times a second."""
        now = time.monotonic()
        if label != self._label:
            self._label = label
            self._seen.clear()
            self._shown_at = 0.0
        speed = self._speed(now, done)
        if now - self._shown_at < _PAUSE and done < of:
            return
        self._shown_at = now
        if self._json:
            self._line({"label": label, "done": done, "of": of, "per_second": round(speed, 3), "unit": unit})
        elif self._terminal:
            print(f"\r\x1b[2K{_bar(label, done, of, speed, unit)}", end="", file=sys.stderr, flush=True)
        elif 0 < of <= done:
            print(f"{label}: {amount(done, unit)}", file=sys.stderr, flush=True)

    def finished(self, **made: object) -> None:
        """The command is done; `made` goes into the last line of JSON."""
        if self._json:
            self._line({"finished": True, **made})

    def make_room(self) -> None:
        """Clear the line on the terminal, for another that comes there."""
        if self._terminal and not self._json:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.make_room()
        if self._json and error is not None:
            code, sentence, advice = _described(error)
            self._line({"error": code, "sentence": sentence, "advice": advice})

    def _line(self, message: dict[str, object]) -> None:
        print(json.dumps(message), flush=True)

    def _speed(self, now: float, done: int) -> float:
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW and len(self._seen) > 2:
            self._seen.popleft()
        seconds = now - self._seen[0][0]
        return (done - self._seen[0][1]) / seconds if seconds > 0 else 0.0


def amount(count: float, unit: Unit = "bytes") -> str:
    """A number of bytes or steps for a person: "2.66 GB", "12 steps"."""
    if unit == "steps":
        return f"{count:.0f} steps"
    for size, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.{2 if size == 1e9 else 1 if size == 1e6 else 0}f} {name}"
    return f"{count:.0f} bytes"


def _bar(label: str, done: int, of: int, speed: float, unit: Unit) -> str:
    filled = ("█" * round(min(done / of, 1) * _BAR)).ljust(_BAR, "░") + " " if of else ""
    rest = f" of {amount(of, unit)}" if of else ""
    return f"{filled}{label}: {amount(done, unit)}{rest}, {amount(speed, unit)}/s"


def _described(error: BaseException) -> tuple[str, str, str]:
    if isinstance(error, UserError):
        return error.code, error.sentence, error.advice
    if isinstance(error, KeyboardInterrupt | Cancelled):
        return "cancelled", "It was cancelled.", "Start it again: it goes on where it was."
    return "unexpected", f"Something unexpected happened: {error!r:.200}.", "Please report it with the lines above it."
