# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine with a count of the stages that ran."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backend.engines import DRAFT
from backend.flow.pipeline import Pipeline
from backend.flow.products import Mesh
from backend.flow.request import Request
from backend.flow.stage import Stage
from tests.backend.vase import Notes, run_one

BEHIND = ["clean", "reduce", "place", "colour", "normal_texture", "project"]
SEEDED = ["geometry", *BEHIND]
MAPPED = ["geometry", "clean", "reduce", "place", "tones", "colour", "normal_texture", "project"]
ALL = ["foreground", "normals", *MAPPED]


@dataclass
class Counted:
    """A pipeline of the draft engine, and the stages that ran since they were last asked for."""

    _ran: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.pipeline = Pipeline({"draft": replace(DRAFT, stages=tuple(map(self.counting, DRAFT.stages)))})

    def counting(self, stage: Stage) -> Stage:
        """The same stage, which also notes that it ran."""

        def run(*taken: Any, **used: Any) -> Any:
            self._ran.append(stage.name)
            return stage.run(*taken, **used)

        return replace(stage, run=run)

    @property
    def ran(self) -> list[str]:
        """The stages that ran, each in its turn: what runs beside others may begin before it."""
        ran = [name for name in self._ran if name != "tones"]
        if len(ran) < len(self._ran):
            ran.insert(ran.index("colour") if "colour" in ran else len(ran), "tones")
        return ran

    def forget(self) -> None:
        """Count from now on."""
        self._ran.clear()

    def stages_of(self, request: Request) -> list[str]:
        """The stages that this request made run."""
        self.forget()
        run_one(self.pipeline, request, Notes())
        return self.ran


def same_mesh(a: Mesh, b: Mesh) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("vertices", "triangles", "uv"))
