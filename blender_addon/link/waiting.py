# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the session where no timer ticks it: without a window, and for what an artist watches."""

import time
from collections.abc import Callable

from ..errors import AddonError
from .job import Job
from .phase import Phase
from .session import Session

TICK_SECONDS = 0.01


def wait_for_job(session: Session, job: Job, watch: Callable[[Job], None] = lambda _: None) -> None:
    """Tick until the job has ended. An interrupt from the keyboard cancels the job."""
    try:
        while job.live and session.phase is not Phase.BROKEN:
            session.tick()
            watch(job)
            time.sleep(TICK_SECONDS)
    except BaseException:
        session.cancel(job)
        raise


def wait_for_memory(session: Session) -> None:
    """Tick until the backend has answered `unload`. Raises `AddonError` if it could not."""
    while session.freeing:
        session.tick()
        time.sleep(TICK_SECONDS)
    if not session.notice:
        raise session.error or AddonError("The backend ended before it answered.", "Its memory is free.")
