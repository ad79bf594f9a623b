# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a backend gives signs of life.

Every message of it is one. If none comes it is asked for its status, which its main thread answers at once, whatever
its worker computes meanwhile: a stage that takes minutes is no silence.
"""

from dataclasses import dataclass

ASK_SECONDS = 2.0
SILENT_SECONDS = 10.0
_STEP_SECONDS = 0.5  # no more counts at a time: while Blender itself stands still it hears nothing


@dataclass
class Pulse:
    """Of one backend. owed: how many answers to `status` have not come. quiet: seconds since the last sign of life."""

    owed: int = 0
    quiet: float = 0.0
    _felt_at: float = 0.0

    @property
    def silent(self) -> bool:
        """Whether it should have answered by now."""
        return self.owed > 0 and self.quiet > SILENT_SECONDS

    def ask(self) -> bool:
        """Whether to ask for the status: not while an answer is on its way."""
        if self.owed:
            return False
        self.owed += 1
        return True

    def heard(self) -> None:
        """A message has come."""
        self.quiet = 0.0

    def is_due(self, now: float) -> bool:
        """Count on; whether to ask for the status now. now: seconds of a clock that only goes forward."""
        self.quiet += min(now - self._felt_at, _STEP_SECONDS)
        self._felt_at = now
        return self.quiet >= ASK_SECONDS and self.ask()
