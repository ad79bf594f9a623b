# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress by evaluations of networks; what is done between them reports where it stands."""

from ..flow.products import Report


class Progress:
    """Counts steps, and tells somebody, who may raise to end the work."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._done = 0
        self._whole = 1
        self.poll()

    def expect(self, steps: int) -> None:
        """So many steps are to come, and one at the end."""
        self._whole = self._done + steps + 1
        self.poll()

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        self.poll()

    def within(self, steps: int) -> Report:
        """A report for work that takes so many steps, and counts them from 0 itself."""
        first = self._done

        def report(done: int, _: int) -> None:
            self._done = first + min(done, steps)
            self.poll()

        return report

    def poll(self) -> None:
        """Nothing more is done yet."""
        self._report(self._done, self._whole)

    def finish(self) -> None:
        """All is done."""
        self._done = self._whole
        self.poll()
