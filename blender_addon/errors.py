# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that the artist meets."""


class AddonError(Exception):
    """An error for the artist: a plain sentence what happened, one what to do. `in_log`: the log knows more."""

    def __init__(self, sentence: str, advice: str, *, in_log: bool = False) -> None:
        super().__init__(f"{sentence} {advice}")
        self.sentence = sentence
        self.advice = advice
        self.in_log = in_log
