# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend process is doing, and when it is given up."""

from enum import Enum, auto

from ..errors import AddonError

MAX_DEATHS = 3


class Phase(Enum):
    """What the backend process is doing."""

    STOPPED = auto()
    STARTING = auto()
    READY = auto()
    BROKEN = auto()  # it died again and again: nothing starts it but `Session.try_again`


def broken(code: str) -> AddonError:
    """The error of a backend that is given up."""
    sentence = f"The backend ended unexpectedly {MAX_DEATHS} times in a row."
    return AddonError(sentence, "Look at its log, then press Try Again.", in_log=True, code=code)
