# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist is told when something does not work."""


class AddonError(Exception):
    """An error for the artist: a plain sentence what happened, and one what to do."""

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__(f"{sentence} {advice}")
        self.sentence = sentence
        self.advice = advice
