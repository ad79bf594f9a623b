# SPDX-License-Identifier: GPL-3.0-or-later
"""The test command, run on a small checkout with the tools of the environment that these tests run in."""

import os
import sys
from pathlib import Path

import environment
import pytest
import test as command
from test import Step, StepResult

PYTHON = Path(sys.executable)

PROJECT = """
[tool.pytest.ini_options]
markers = ["slow", "window", "once"]
testpaths = ["tests"]
[tool.basedpyright]
include = ["tests"]
"""

TESTS = """import pytest


def test_passes() -> None:
    assert True


@pytest.mark.slow
def test_fails_and_is_slow() -> None:
    raise ValueError
"""

WINDOW_TEST = """import os

import pytest


@pytest.mark.window
def test_shows_its_blender() -> None:
    assert os.environ["HI3DGEN_BLENDER"].endswith("new blender")
"""


def this_one(_: environment.Environment) -> Path:
    """Takes the place of `make`: whatever is asked for is there."""
    return PYTHON


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout where all is well but a slow test, with every environment made already: this one."""
    root = tmp_path / "a check out"
    (root / "tests" / "backend").mkdir(parents=True)
    (root / "tests" / "blender_addon").mkdir()
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "tests" / "blender_addon" / "test_small.py").write_text(TESTS)
    (root / "tests" / "backend" / "test_none.py").write_text("def test_passes() -> None:\n    assert True\n")
    monkeypatch.setattr(command, "ROOT", root)
    monkeypatch.setattr(command, "make", this_one)
    monkeypatch.setattr(command, "THIS", command.TYPED)
    monkeypatch.setattr(command, "EDGE", environment.OLDEST)
    monkeypatch.delenv("HI3DGEN_BLENDER", raising=False)
    monkeypatch.delenv("HI3DGEN_OTHER_PYTHON", raising=False)
    return root


def script(path: Path, says: str) -> Path:
    """A command that prints a line, whatever it is asked."""
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def end(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Runs `test.py` with these arguments; its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["test.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    return ended.value.code, capfd.readouterr().out


@pytest.mark.usefixtures("checkout")
def test_the_fast_run_passes(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    code, out = end([], monkeypatch, capfd)
    assert not code
    assert "2 passed, 1 deselected" in out
    assert out.splitlines()[-1].startswith("All 4 steps passed.")


def test_one_failure_stops_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout / "tests" / "wrong.py").write_text('number: int = "no"\nimport nothing')
    code, out = end([], monkeypatch, capfd)
    assert code == 1
    assert "2 passed, 1 deselected" in out
    assert out.splitlines()[-1].startswith("FAILED: format, lint, types. ")


@pytest.mark.usefixtures("checkout")
def test_all_adds_slow_tests_and_the_oldest_blender_and_says_what_it_skips(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out = end(["--all"], monkeypatch, capfd)
    assert code == 1
    assert out.count("1 failed, 2 passed") == out.count("2 passed, 1 deselected") == 1
    assert "HI3DGEN_BLENDER is not set: Blender's window was not tested." in out.splitlines()
    assert "HI3DGEN_OTHER_PYTHON is not set: the newest Blender on Python " in out
    assert "tests in the oldest Blender: passed" in out
    assert out.splitlines()[-1].startswith("FAILED: tests. ")


@pytest.mark.usefixtures("checkout")
def test_the_newest_blender_is_not_tested_twice_and_types_are_left_to_python_3_11(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "THIS", (3, 13))
    monkeypatch.setattr(command, "EDGE", environment.NEWEST)
    steps, skipped = command.plan([], everything=True)
    assert [step.name for step in steps] == ["format", "lint", "tests"]
    assert skipped[0].startswith("Types were not checked: ")
    assert "the oldest Blender on Python " in skipped[2]


@pytest.mark.usefixtures("checkout")
def test_edge_runs_the_tests_in_the_oldest_blender_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out = end(["--edge"], monkeypatch, capfd)
    assert code == 0
    assert out.count("2 passed, 1 deselected") == 1
    assert "tests in the oldest Blender: passed" in out


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts take the places of Blender and Python here")
def test_each_window_and_the_other_python_have_a_step(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout / "tests" / "test_window.py").write_text(WINDOW_TEST)
    blenders = [script(tmp_path / "old blender", "Blender 8.3"), script(tmp_path / "new blender", "Blender 9.0 LTS")]
    monkeypatch.setenv("HI3DGEN_BLENDER", os.pathsep.join(map(str, blenders)))
    other = ".".join(map(str, command.OTHER))
    monkeypatch.setenv("HI3DGEN_OTHER_PYTHON", str(script(tmp_path / "python", other.replace(".", " "))))
    code, out = end(["--all", "-k", "shows_its_blender"], monkeypatch, capfd)
    assert code == 1
    assert "is not set" not in out
    assert "window of Blender 9.0 LTS: passed" in out
    assert f"tests in the newest Blender on Python {other}: passed" in out
    assert out.splitlines()[-1].startswith("FAILED: window of Blender 8.3. ")
    marks = {step.name: step.command[4] for step in command.plan([], everything=True)[0] if "window" in step.name}
    assert marks == {"window of Blender 8.3": "window and not once", "window of Blender 9.0 LTS": "window"}


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts take the places of Blender and Python here")
@pytest.mark.parametrize(
    ("variable", "trouble"),
    [("HI3DGEN_BLENDER", "is no Blender that runs"), ("HI3DGEN_OTHER_PYTHON", "is no Python 3")],
)
@pytest.mark.parametrize("there", [False, True])
def test_a_variable_that_names_something_else_is_a_sentence(
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    trouble: str,
    there: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    named = script(checkout / "something", "else") if there else checkout / "nothing"
    monkeypatch.setenv(variable, str(named))
    with pytest.raises(environment.SetupError) as caught:
        command.plan([], everything=True)
    assert caught.value.sentence.startswith(f"{variable} names {named}, which ")
    assert trouble in caught.value.sentence


@pytest.mark.usefixtures("checkout")
def test_other_arguments_go_to_pytest() -> None:
    steps, _ = command.plan(["-k", "wire", "-x"], everything=True)
    for step in steps[3:]:
        assert step.command[-3:] == ["-k", "wire", "-x"]


def test_a_step_says_what_went_wrong() -> None:
    outcome = command.run(Step("doubt", [PYTHON, "-c", "raise SystemExit(3)"]))
    assert (outcome.name, outcome.trouble) == ("doubt", "FAILED with exit code 3")


def test_a_step_keeps_compiled_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert command.run(Step("keeps", [PYTHON, "-c", "import sys; sys.exit(sys.dont_write_bytecode)"])).trouble == ""


def test_a_step_may_have_nothing_to_do() -> None:
    nothing = [PYTHON, "-c", f"raise SystemExit({command.NO_TESTS})"]
    assert command.run(Step("narrowed", nothing, command.NO_TESTS)).trouble == ""
    assert command.run(Step("whole", nothing)).trouble != ""


def test_a_step_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "STEP_LIMIT", 0.5)
    outcome = command.run(Step("stuck", [PYTHON, "-c", "import time; time.sleep(60)"]))
    assert outcome.trouble.startswith("FAILED: stopped after")


def test_steps_that_run_beside_others_say_at_their_end_what_they_had_to_say(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    wait = (
        "import sys, time; from pathlib import Path; one, other = map(Path, sys.argv[1:]); one.touch(); print('began')"
    )
    wait += "\nwhile not other.exists(): time.sleep(0.01)\nprint('met')"
    steps = [
        Step("one", [PYTHON, "-c", wait, here, there]),
        Step("two", [PYTHON, "-c", wait, there, here], beside=True),
    ]
    outcomes = command.run_all([*steps, Step("three", [PYTHON, "-c", "raise SystemExit(3)"], beside=True)])
    assert [outcome.trouble for outcome in outcomes] == ["", "", "FAILED with exit code 3"]
    out = capfd.readouterr().out
    assert (out.count("began"), out.count("met")) == (2, 2)
    assert "=== two ===\nbegan\nmet\n" in out


def test_whoever_is_done_first_takes_what_nobody_has_begun(tmp_path: Path) -> None:
    there = tmp_path / "there"
    wait = "import sys, time; from pathlib import Path\nwhile not Path(sys.argv[1]).exists(): time.sleep(0.01)"
    touch = "import sys; from pathlib import Path; Path(sys.argv[1]).touch()"
    steps = [
        Step("waits for the last", [PYTHON, "-c", wait, there], beside=True),
        Step("last", [PYTHON, "-c", touch, there], beside=True),
        Step("first", [PYTHON, "-c", ""]),
    ]
    assert [(outcome.name, outcome.trouble) for outcome in command.run_all(steps)] == [
        ("first", ""),
        ("waits for the last", ""),
        ("last", ""),
    ]


def test_two_steps_of_one_name_have_a_result_each(tmp_path: Path) -> None:
    there = tmp_path / "there"
    wait = "import sys, time; from pathlib import Path\nwhile not Path(sys.argv[1]).exists(): time.sleep(0.01)"
    touch = "import sys; from pathlib import Path; Path(sys.argv[1]).touch(); raise SystemExit(3)"
    steps = [
        Step("waits", [PYTHON, "-c", wait, there], beside=True),
        Step("window", [PYTHON, "-c", ""], beside=True),
        Step("window", [PYTHON, "-c", touch, there], beside=True),
    ]
    assert [bool(outcome.trouble) for outcome in command.run_all(steps)] == [False, False, True]


def test_the_last_line_names_every_failure() -> None:
    outcomes = [StepResult("lint", 1.0, ""), StepResult("types", 61.4, "FAILED with exit code 1")]
    assert command.summary(outcomes, ["A window was not tested."], 62.4).splitlines() == [
        "",
        "     1 s  lint: passed",
        "    61 s  types: FAILED with exit code 1",
        "A window was not tested.",
        "",
        "FAILED: types. 62 s in all.",
    ]
