# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that the artist meets."""

from .language.legible import legible


class AddonError(Exception):
    """An error for the artist: a plain sentence what happened, one what to do.

    Both may hold names of files, see `legible`. in_log: the log knows more. code: for programs, as a `UserError` of the
    backend has it.
    """

    def __init__(self, sentence: str, advice: str, *, in_log: bool = False, code: str = "failed") -> None:
        self.sentence = legible(sentence)
        self.advice = legible(advice)
        super().__init__(f"{self.sentence} {self.advice}")
        self.in_log = in_log
        self.code = code

    def anew(self) -> "AddonError":
        """The same error without a traceback, to be kept: its frames hold what they worked on, such as pixels."""
        return AddonError(self.sentence, self.advice, in_log=self.in_log, code=self.code)
