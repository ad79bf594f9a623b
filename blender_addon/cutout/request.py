# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking an engine what it would cut out: a job beside the others, whose answer lands in no scene."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ...backend.wire.limits import Scalar
from ...backend.wire.messages import EngineInfo, Request, Result
from ..link import runtime
from ..link.job import Job, Reading, Refused

PRODUCT = "cutout"


def can_give(engine: EngineInfo | None) -> bool:
    """Whether an engine gives its cut-out on request."""
    return engine is not None and PRODUCT in engine.on_request


def ask(
    title: str,
    engine: str,
    settings: Mapping[str, Scalar],
    inputs: Mapping[str, NDArray[np.uint8]],
    heard: Callable[[Result], None],
    reading: Reading | None = None,
) -> Job:
    """Request the cut-out of a picture; `heard` is called with it, on the main thread, in whatever mode Blender is.

    reading: the steps in which the inputs are read that are not there yet. An error stays with the job. Raises
    `AddonError` while the backend is given up, if the engine cannot run, and if the first step of the reading fails.
    """
    session = runtime.session()
    if missing := session.why_missing(engine):
        raise missing

    def land(results: list[Result]) -> Refused:
        for result in results:
            heard(result)
        return []

    request = Request(session.next_name(), engine, 0, inputs, settings, gives=(PRODUCT,))
    job = session.submit(Job(title, request, land, aside=True, reading=reading))
    runtime.keep_ticking()
    return job
