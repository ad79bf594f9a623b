# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a job will still take, from what this machine has measured before."""

import time
from collections.abc import Mapping, Sequence

Kind = tuple[str, str, str]
"""What decides how long a stage takes: engine, label, and the values of the settings that it depends on."""


class Clock:
    """Times the tasks of one run and estimates what is left of it.

    durations: seconds of one lane, by kind; `end` adds to it. plan: each task's kind and how many lanes it has to do.
    guesses: seconds of one lane, by kind, used until something was measured.
    """

    def __init__(
        self, durations: dict[Kind, float], plan: Sequence[tuple[Kind, int]], guesses: Mapping[Kind, float]
    ) -> None:
        self._durations = durations
        self._plan = plan
        self._guesses = guesses
        self._started = time.monotonic()

    def begin(self) -> None:
        """A task begins."""
        self._started = time.monotonic()

    def end(self, index: int) -> float:
        """The task `index` has ended; returns the seconds that each of its lanes has taken."""
        kind, lanes = self._plan[index]
        self._durations[kind] = seconds = (time.monotonic() - self._started) / lanes
        return seconds

    def remaining(self, index: int, step: int, of: int) -> float | None:
        """Seconds to the end of the last task, at step `step` of `of` of the task `index`.

        None as long as nothing is known of a task ahead.
        """
        ahead = [lanes and self._lasts(kind, lanes) for kind, lanes in self._plan[index + 1 :]]
        whole = self._lasts(*self._plan[index])
        if None in ahead or (whole is None and step == 0):
            return None
        elapsed = time.monotonic() - self._started
        if step > 0 and self._plan[index][0] not in self._durations:
            whole = elapsed * of / step  # what this run shows is worth more than a guess
        rest = max((whole or 0.0) - elapsed, 0.0)
        return rest + sum(seconds for seconds in ahead if seconds is not None)

    def _lasts(self, kind: Kind, lanes: int) -> float | None:
        seconds = self._durations.get(kind, self._guesses.get(kind))
        return None if seconds is None else seconds * lanes
