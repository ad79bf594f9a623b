# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage that nothing before it needs runs beside the others, and leaves nothing behind however the job ends."""

import threading
from dataclasses import replace

import pytest

from backend.engines import DRAFT
from backend.errors import Cancelled, UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Cutout, Mesh, NormalMap, Report
from backend.flow.stage import Stage
from tests.backend.vase import Notes, request, run_one

SECONDS = 60.0


class Meeting:
    """A draft engine whose geometry and tones wait for each other."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.building, self.reading = threading.Event(), threading.Event()
        self.ended = ""
        stages = {stage.name: stage for stage in DRAFT.stages}
        self.geometry, self.tones = stages["geometry"], stages["tones"]
        changed = {"geometry": replace(self.geometry, run=self.build), "tones": replace(self.tones, run=self.read)}
        stages = tuple(changed.get(stage.name, stage) for stage in DRAFT.stages)
        self.pipeline = Pipeline({"draft": replace(DRAFT, stages=stages)})

    def build(self, normal_map: NormalMap, cutout: Cutout, **used: object) -> Mesh:
        """The draft's geometry, once the colours are being read."""
        self.building.set()
        assert self.reading.wait(SECONDS)
        if self.fails == "geometry":
            raise UserError("no-body", "There is no body.", "Choose another picture.")
        return self.geometry.run(normal_map, cutout, **used)

    def read(self, cutout: Cutout, normal_map: NormalMap, *, report: Report, **used: object) -> object:
        """The draft's reading, once the surface is being built."""
        self.reading.set()
        assert self.building.wait(SECONDS)
        if self.fails == "tones":
            raise UserError("no-colour", "There is no colour.", "Choose another picture.")
        try:
            while self.fails:
                report(0, 1)
        except Cancelled:
            self.ended = "cancelled"
            raise
        return self.tones.run(cutout, normal_map, report=report, **used)


def beside() -> list[Stage]:
    return [stage for stage in DRAFT.stages if stage.beside]


def test_colours_are_read_while_the_surface_is_built() -> None:
    assert [stage.name for stage in beside()] == ["tones"]
    run_one(Meeting().pipeline, request(), Notes())


def test_what_fails_beside_is_told_in_its_turn() -> None:
    notes = Notes()
    with pytest.raises(UserError, match="There is no colour"):
        run_one(Meeting("tones").pipeline, request(), notes)
    assert notes.names == ["cutout", "normal_map", *["mesh"] * 4]


def test_what_runs_beside_ends_with_a_job_that_fails() -> None:
    meeting = Meeting("geometry")
    with pytest.raises(UserError, match="There is no body"):
        run_one(meeting.pipeline, request(), Notes())
    assert meeting.ended == "cancelled"


def test_a_job_is_cancelled_while_it_waits_for_what_runs_beside() -> None:
    meeting = Meeting("waits")
    with pytest.raises(Cancelled):
        run_one(meeting.pipeline, request(), Notes(cancel=lambda seen: seen.stage.name == "tones"))
    assert meeting.ended == "cancelled"
