# SPDX-License-Identifier: GPL-3.0-or-later
"""The question that a person at a terminal answers before anything is downloaded."""


def agrees(question: str) -> bool:
    """Whether the person says yes; every other answer is no, and so is the end of the input."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print()
        return False
