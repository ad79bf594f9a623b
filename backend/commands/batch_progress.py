# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows how far a batch is: for a person a line that is overwritten and a line a picture, for a program JSON."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, Self

from ..batch.manifest import Entry, State
from ..batch.summary import described, taken_elsewhere

_BAR = 24  # characters
_ERASE = "\r\x1b[2K"


class BatchProgress:
    """A `Watcher`; use it as a context. of: how many pictures are asked for. todo: how many are not done yet.

    thing: what each of them is called, "picture" or "object".
    """

    def __init__(self, of: int, todo: int, *, as_json: bool, thing: str = "picture") -> None:
        self.ended_names: set[str] = set()
        self._of = of
        self._todo = todo
        self._json = as_json
        self._thing = thing
        self._terminal = sys.stderr.isatty() and not as_json
        self._started = time.monotonic()

    def begun(self, entry: Entry) -> None:
        """A picture begins."""
        if self._json:
            self._say({"name": entry.name, "state": "running", "number": self._number, "of": self._of})
        self.progressed(entry.name, "Reading the picture" if self._thing == "picture" else "Making it", 0.0)

    def progressed(self, name: str, label: str, done: float) -> None:
        """Redraw the line."""
        left = self._seconds_left(done)
        if self._json:
            self._say({"name": name, "label": label, "done": done, "seconds_left": left})
        elif self._terminal:
            bar = ("█" * round(done * _BAR)).ljust(_BAR, "░")
            rest = "" if left is None else f"  {duration(left)} left"
            line = f"{bar} {self._thing} {self._number} of {self._of}, {name}: {label}{rest}"
            print(f"{_ERASE}{line}", end="", file=sys.stderr, flush=True)

    def ended(self, entry: Entry, made: Sequence[str]) -> None:
        """A picture is done or has failed."""
        self.ended_names.add(entry.name)
        if self._json:
            self._say(described(entry))
            return
        self._erase()
        if entry.state is State.DONE:
            print(f"{entry.name}: {', '.join(made)} in {entry.seconds:.1f} s.", *entry.notes, flush=True)
        else:
            print(f"{entry.name}: {entry.sentence} {entry.advice}", file=sys.stderr, flush=True)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Say how the batch ended; all that failed is listed once more."""
        entries = [*entries]
        failed = [entry for entry in entries if entry.state is State.FAILED]
        made = sum(entry.name in self.ended_names for entry in entries) - len(failed)
        elsewhere = sum(entry.state in (State.WAITING, State.RUNNING) for entry in entries)
        counts = {
            "made": made,
            "failed": len(failed),
            "unchanged": len(entries) - made - len(failed) - elsewhere,
            "elsewhere": elsewhere,
        }
        if self._json:
            self._say({"finished": True, **counts})
            return
        words = [f"{counts['made']} made", f"{counts['unchanged']} unchanged"]
        words += [f"{len(failed)} failed"] if failed else []
        words += [f"{elsewhere} being made by another process"] if elsewhere else []
        print(f"{self._of} {self._thing if self._of == 1 else f'{self._thing}s'}: {', '.join(words)}.", flush=True)
        for entry in failed if len(failed) > 1 or len(self.ended_names) > 1 else []:
            print(f"{entry.name}: {entry.sentence} {entry.advice}", file=sys.stderr)
        if sentence := taken_elsewhere(entries):
            print(sentence, file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._erase()

    @property
    def _number(self) -> int:
        """The number of the picture that is made now, from 1, of all that are asked for."""
        return self._of - self._todo + len(self.ended_names) + 1

    def _seconds_left(self, done: float) -> float | None:
        """By what the pictures of this run have taken; None before the first has ended."""
        ended = len(self.ended_names)
        if not ended:
            return None
        each = (time.monotonic() - self._started) / (ended + done)
        return round(each * (self._todo - ended - done), 1)

    def _erase(self) -> None:
        if self._terminal:
            print(_ERASE, end="", file=sys.stderr, flush=True)

    def _say(self, message: dict[str, Any]) -> None:
        print(json.dumps(message), flush=True)


def duration(seconds: float) -> str:
    """Seconds for a person: "40 s", "12 min", "3 h 20 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
