# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of `doctor` when an engine cannot answer."""

import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from backend.__main__ import main
from backend.commands import doctor
from backend.engines import ENGINES
from backend.errors import UserError
from backend.flow.engine import Engine
from backend.weights import record
from backend.weights.catalogue import GEOMETRY

DRAFT = ENGINES["draft"]


def raises(error: Exception) -> Callable[..., str]:
    """A function that raises `error`, whatever it is called with."""

    def fail(*_: object) -> str:
        raise error

    return fail


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (replace(DRAFT, missing=raises(UserError("a", "It is broken.", "Mend it."))), "It is broken. Mend it."),
        (replace(DRAFT, missing=raises(RecursionError("too deep"))), "could not be found out"),
        (replace(DRAFT, place=raises(OSError("no driver"))), "it cannot run here: OSError: no driver"),
        (replace(DRAFT, seconds=raises(MemoryError("full"))), "it cannot run here: MemoryError: full"),
    ],
)
def test_an_engine_that_fails_to_answer_does_not_end_the_report(
    broken: Engine, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.run(Namespace(json=False), {"broken": broken, "draft": DRAFT}) == 0
    printed = capsys.readouterr().out
    assert sentence in printed
    assert "engine Draft: ready" in printed
    assert "trimesh" in printed
    assert doctor.run(Namespace(json=False), {"broken": broken}) == 1


def test_an_unreadable_record_is_reported_and_costs_its_own_engine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    path = tmp_path / GEOMETRY.name / record.NAME
    path.parent.mkdir()
    path.write_text("[" * 100_000)
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "engine Draft: ready" in printed
    assert str(path) in printed


def test_programs_learn_what_pytorch_can_compute_on(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert main(["doctor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert ["cpu", "the processor"] in answer["devices"]
    assert any(line.startswith("PyTorch 2.") for line in answer["lines"])
    assert "engine Draft: ready, on the processor" in answer["lines"]


def test_a_pytorch_that_is_broken_does_not_end_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("backend.nn.device.devices", raises(OSError("no driver")))
    assert doctor.run(Namespace(json=False), {"draft": DRAFT}) == 0
    assert "does not say what it can compute on: OSError: no driver" in capsys.readouterr().out


def test_what_a_mesh_takes_is_told_for_one_picture() -> None:
    """Each of the stages takes a minute; those of further pictures do not run."""

    def a_minute(*_: object) -> float:
        return 60.0

    alone = sum(stage.runs_for(["picture"]) for stage in DRAFT.stages)
    _, line = doctor._described(replace(DRAFT, seconds=a_minute))  # pyright: ignore[reportPrivateUsage]
    assert line.endswith(f"a mesh will take about {alone} min")
    assert alone < len(DRAFT.stages)
