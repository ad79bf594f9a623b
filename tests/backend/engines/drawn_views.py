# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of engines that draw views for several seeds at once have in common."""

from typing import Any

import numpy as np
import pytest

from backend.errors import Cancelled
from backend.flow.engine import Engine
from backend.flow.pipeline import Pipeline
from backend.flow.products import Views
from backend.flow.request import Request
from backend.nn.memory_plan import PLANS
from tests.backend.engines.hi3dgen.tiny_engine import Watcher


def drawn(pipeline: Pipeline, asked: Request) -> list[Views]:
    """The views of every seed."""
    return [outcome.products["views"] for outcome in pipeline.run(asked, Watcher())]


def assert_same_by_the_smallest_plan(pipeline: Pipeline, asked: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn does not depend on the memory that there is, to a level."""
    (views,) = drawn(pipeline, asked)
    pipeline.unload()

    def smallest(*_: Any, **__: Any) -> Any:
        return PLANS[-1]

    monkeypatch.setattr("backend.nn.memory_plan.choose_plan", smallest)
    (again,) = drawn(pipeline, asked)
    np.testing.assert_allclose(again.pictures.astype(int), views.pictures.astype(int), atol=1)
    pipeline.unload()


def assert_ends_within(engine: Engine, asked: Request, stage: str) -> None:
    """A job that is cancelled in a stage ends there."""
    watcher = Watcher(cancel_in=stage)
    with pytest.raises(Cancelled):
        list(Pipeline({engine.name: engine}).run(asked, watcher))
    assert watcher.ran[-1] == stage
    engine.unload()
