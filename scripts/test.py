# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs what a change has to pass: format, lint, types and the fast tests; with --all the rest too.

    python3 scripts/test.py                   some minutes, needs nothing but Python 3.11
    python3 scripts/test.py --all             also the slow tests, a Blender window, other versions of Blender and NumPy
    python3 scripts/test.py -k wire -x        other arguments go to pytest

The first run makes `.venv` (and with --all three more environments). A step that fails does not keep the next ones
from running; the last line says how it ended. The other versions' tests run beside the main ones, and say at their end
what they had to say.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environment import DEVELOPMENT, NEWEST, NUMPY_2, OLDEST, ROOT, SetupError, make
from system_libraries import require_system_libraries

if TYPE_CHECKING:
    from pathlib import Path

STEP_LIMIT = 1500  # seconds; a Blender that hangs when its process ends must not hang the run
NO_TESTS = 5  # pytest's exit code when its arguments select no test
# Installing and downloading know neither bpy nor NumPy, and take minutes: once is enough.
NOT_AGAIN = ("--ignore=tests/backend/install", "--ignore=tests/backend/weights")


@dataclass(frozen=True)
class Step:
    """One command of the run.

    idle_code: an exit code that says it had nothing to do. beside: it runs while others do, its output comes
    at its end.
    """

    name: str
    command: list[str | Path]
    idle_code: int = 0
    beside: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step ended: the seconds that it took and what went wrong, empty where nothing did."""

    name: str
    seconds: float
    trouble: str


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Run format, lint, types and tests. Arguments that are not listed here go to pytest.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--all", action="store_true", help="also slow tests, a window, other Blender and NumPy versions"
    )
    options, for_pytest = parser.parse_known_args()
    started = time.monotonic()
    try:
        outcomes = run_all(plan(for_pytest, everything=options.all))
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
    print(summary(outcomes, time.monotonic() - started), flush=True)
    sys.exit(any(outcome.trouble for outcome in outcomes))


def plan(for_pytest: list[str], *, everything: bool) -> list[Step]:
    """The steps of a run, after making the environments that they run in."""
    python = make(DEVELOPMENT)
    checks = [
        Step("format", [python, "-m", "ruff", "format", "--check", "."]),
        Step("lint", [python, "-m", "ruff", "check", "."]),
        Step("types", [python, "-m", "basedpyright", "--pythonpath", python]),
    ]
    idle_code = NO_TESTS if for_pytest else 0  # a narrowed run may leave nothing for a step to do

    def tests(name: str, python: Path, marks: str, *folders: str, beside: bool = False) -> Step:
        return Step(name, [python, "-m", "pytest", "-m", marks, *folders, *for_pytest], idle_code, beside)

    if not everything:
        require_system_libraries(python)
        return [*checks, tests("tests", python, "not slow and not window")]

    oldest, newest, numpy_2 = make(OLDEST), make(NEWEST), make(NUMPY_2)
    require_system_libraries(python, oldest, newest)
    if not os.environ.get("HI3DGEN_BLENDER"):
        print("HI3DGEN_BLENDER is not set: tests in a Blender window are skipped, each says how to get one.")
    both = ("tests/backend", "tests/blender_addon")
    return [
        *checks,
        tests("tests", python, ""),
        tests("tests in Blender 4.2.0 with NumPy 1.24", oldest, "not window", *both, *NOT_AGAIN, beside=True),
        tests("tests in Blender 5.0.1", newest, "not window", "tests/blender_addon", beside=True),
        tests("tests with NumPy 2.4", numpy_2, "not window", "tests/backend", *NOT_AGAIN, beside=True),
    ]


def run_all(steps: list[Step]) -> list[Outcome]:
    """Runs the steps, those that may run beside others one after the other as well."""
    aside = ThreadPoolExecutor(1)
    try:
        beside = [aside.submit(run, step) for step in steps if step.beside]
        outcomes = [run(step) for step in steps if not step.beside]
        return outcomes + [future.result() for future in beside]
    finally:
        aside.shutdown(cancel_futures=True)


def run(step: Step) -> Outcome:
    """Runs `step` with its output on the terminal, at once or, of one that runs beside others, at its end."""
    heading = f"\n=== {step.name} ==="
    if not step.beside:
        print(heading, flush=True)
    started = time.monotonic()
    output = subprocess.PIPE if step.beside else None
    try:
        ended = subprocess.run(
            step.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if step.beside else None,
            timeout=STEP_LIMIT,
            check=False,
        )
        said, code = ended.stdout, ended.returncode
        trouble = "" if code in {0, step.idle_code} else f"FAILED with exit code {code}"
    except subprocess.TimeoutExpired as late:
        said, trouble = late.output, f"FAILED: stopped after {STEP_LIMIT // 60} minutes"
    if step.beside:
        print(heading, (said or b"").decode(errors="replace"), sep="\n", flush=True)
    return Outcome(step.name, time.monotonic() - started, trouble)


def summary(outcomes: list[Outcome], seconds: float) -> str:
    """A line for each step and a last one for the whole run."""
    lines = [f"{outcome.seconds:6.0f} s  {outcome.name}: {outcome.trouble or 'passed'}" for outcome in outcomes]
    failed = [outcome.name for outcome in outcomes if outcome.trouble]
    ended = f"FAILED: {', '.join(failed)}." if failed else f"All {len(outcomes)} steps passed."
    return "\n".join(["", *lines, "", f"{ended} {seconds:.0f} s in all."])


if __name__ == "__main__":
    main()
