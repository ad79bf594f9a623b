# SPDX-License-Identifier: GPL-3.0-or-later
"""What long work calls between its parts. The caller may raise from either, which ends the work."""

from collections.abc import Callable

Tick = Callable[[float], None]
"""`tick(fraction)`: called several times a second with the fraction of the work that is done, 0 to 1."""

Poll = Callable[[], None]
"""`poll()`: called several times a second by work that cannot tell how far it is."""


def unwatched() -> None:
    """A poll of work that nobody waits for."""
