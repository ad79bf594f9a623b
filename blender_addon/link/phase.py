# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend process is doing, and when it is given up."""

from enum import Enum, auto

from ..errors import AddonError

MAX_DEATHS = 3
NOT_STARTED, PROCESS_DIED = "not-started", "process-died"  # codes of errors
LOOK_AT_LOG = "Look at its log. The next Generate starts a fresh one."


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


def ended_in_work(computer: str) -> AddonError:
    """The error of a backend that is gone in the middle of a job. computer: the one it ran on; empty for this one."""
    sentence = "The backend ended in the middle of its work."
    if computer:
        sentence = f"The connection to “{computer}” was lost, or the backend there ended in the middle of its work."
    return AddonError(sentence, LOOK_AT_LOG, in_log=True, code=PROCESS_DIED)


def not_started(sentence: str) -> AddonError:
    """The error of a backend that never answered; the sentence says how far it came."""
    return AddonError(sentence, LOOK_AT_LOG, in_log=True, code=NOT_STARTED)
