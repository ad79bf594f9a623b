# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages whose objects are made in processes of their own: which there are, and how a process makes one."""

from collections.abc import Callable

from ..batch.made import Run, maker_by
from ..batch.worker import Make


def _pictures() -> Run:
    from .pictures import Maker  # noqa: PLC0415 - heavy

    return Maker().make


def _sculptures() -> Run:
    from .sculptures import make  # noqa: PLC0415 - heavy

    return make


def _measures() -> Run:
    from .measures import make  # noqa: PLC0415 - heavy

    return make


STAGES: dict[str, Callable[[], Run]] = {"pictures": _pictures, "sculptures": _sculptures, "measures": _measures}
"""What imports a stage's libraries and returns what makes its objects."""


def maker_of(stage: str) -> Make:
    """What a process of a stage, a key of `STAGES`, makes its tasks by."""
    return maker_by(STAGES[stage]())
