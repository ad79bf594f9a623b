# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine makes at its first job and keeps: its stages, with the heavy libraries that they import."""

from collections.abc import Callable
from typing import Protocol, TypeVar


class Unloadable(Protocol):
    """What holds memory that it can give back."""

    def unload(self) -> None:
        """Gives back the memory."""
        ...


S = TypeVar("S", bound=Unloadable)


def made_late(make: Callable[[], S]) -> tuple[Callable[[], S], Callable[[], None]]:
    """A function that gives what `make` gives, which it calls once, at its first call; and one that unloads that.

    The second does nothing if nothing was made. Both belong to one thread.
    """
    made: list[S] = []

    def given() -> S:
        if not made:
            made.append(make())
        return made[0]

    def unload() -> None:
        for each in made:
            each.unload()

    return given, unload
