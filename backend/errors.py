# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a job early: the artist's wish, or an error that a person can meet."""


class Cancelled(Exception):  # noqa: N818 - a wish, not an error
    """The job was cancelled; raised from inside a stage by its `Report`."""


class UserError(Exception):
    """An error that a person can meet.

    `code` is for programs (kebab-case, stable), `sentence` says what happened and `advice` what to do
    about it; both are plain sentences, shown as they are.
    """

    def __init__(self, code: str, sentence: str, advice: str) -> None:
        super().__init__(f"{sentence} {advice}")
        self.code = code
        self.sentence = sentence
        self.advice = advice
