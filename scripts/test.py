# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs what a change has to pass: format, lint, types and the fast tests; with --all the rest too.

    python3 scripts/test.py                   some minutes, needs nothing but Python 3.11 or 3.13
    python3 scripts/test.py --all             also the slow tests, Blender's window, the oldest and newest Blender
    python3 scripts/test.py -k wire -x        other arguments go to pytest

The first run makes `.venv`, or `.venv-3.13` with Python 3.13, and with --all more environments. Two things come from
outside, each in a variable: HI3DGEN_BLENDER names the `blender` commands whose windows are tested, separated as in
PATH; HI3DGEN_OTHER_PYTHON names a Python 3.13 if this is 3.11, or the other way round. Without them the last lines say
what was skipped. A step that fails does not keep the next ones from running; the last line says how it ended. Windows
and other Blenders are tested beside the rest, two steps at a time, and their output comes at their end.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environment import DEVELOPMENT, EDGE, FOLDERS, OLDEST, ROOT, THIS, SetupError, make
from system_libraries import require_system_libraries

if TYPE_CHECKING:
    from pathlib import Path

STEP_LIMIT = 2400  # seconds; a Blender that hangs when its process ends must not hang the run
NO_TESTS = 5  # pytest's exit code if its arguments select no test
TYPED = (3, 11)  # the Python whose NumPy describes types as the code is written for
OTHER = next(version for version in FOLDERS if version != THIS)
WINDOW, PYTHON = "HI3DGEN_BLENDER", "HI3DGEN_OTHER_PYTHON"

# What is tested in the oldest and in the newest Blender as well, and what is not: what cannot differ there (PyTorch,
# the text of modules, what commands make of meshes), and what takes long and differs little (pictures and clients of
# every kind, memory, bodies of any outline, the caches of stages, other computers; Blender's command line is tested
# with its windows).
# The oldest differs by bpy and NumPy; sockets, processes and packages do not know them. The newest differs by Python,
# too; PyTorch is not installed there, and the package index answers every Python alike.
_BOTH = (
    *("tests/blender_addon", "tests/backend", "--ignore=tests/backend/models", "--ignore=tests/backend/nn"),
    *("--ignore=tests/backend/test_layering.py", "--ignore=tests/backend/training", "--ignore=tests/backend/weights"),
    *("--ignore=tests/backend/batch", "--ignore=tests/backend/commands", "--ignore=tests/backend/test_command_line.py"),
    *("--ignore=tests/backend/foreground/test_cut_out.py", "--ignore=tests/backend/foreground/test_kinds.py"),
    *("--ignore=tests/backend/views", "--ignore=tests/backend/guided", "--ignore=tests/backend/engines/hi3dgen"),
    *("--ignore=tests/backend/engines/draft/test_geometry.py", "--ignore=tests/backend/engines/texture"),
    *("--ignore=tests/backend/flow", "--ignore=tests/blender_addon/test_command.py"),
    *("--ignore=tests/backend/volume", "--ignore=tests/backend/engines/grid"),
    *("--ignore=tests/blender_addon/test_command_refusals.py", "--ignore=tests/blender_addon/test_remote.py"),
    "--ignore=tests/backend/remote",
)
_OLDEST = (
    *_BOTH,
    *("--ignore=tests/backend/install", "--ignore=tests/backend/server", "--ignore=tests/backend/test_serve.py"),
    *("--ignore=tests/blender_addon/test_backend_process.py", "--ignore=tests/blender_addon/test_setup.py"),
    *("--ignore=tests/backend/test_log.py", "--ignore=tests/backend/test_receiving.py"),
    "--ignore=tests/backend/engines/external",
)
_NEWEST = (
    *_BOTH,
    *("--ignore=tests/backend/install/test_real_index.py", "--ignore=tests/backend/server/test_memory.py"),
    *("--ignore=tests/backend/server/test_clients_of_every_kind.py", "tests/scripts/test_environment.py"),
)


@dataclass(frozen=True)
class Step:
    """One command of the run.

    idle_code: an exit code that says it had nothing to do. beside: it may run while another does, its output comes
    at its end. variables: what the command finds in its environment, besides what is there.
    """

    name: str
    command: list[str | Path]
    idle_code: int = 0
    beside: bool = False
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class StepResult:
    """How a step ended: the seconds that it took and what went wrong, empty if nothing did."""

    name: str
    seconds: float
    trouble: str


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Run format, lint, types and tests. Arguments that are not listed here go to pytest.",
        allow_abbrev=False,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--all", action="store_true", help="also slow tests, Blender's window, the oldest and newest Blender"
    )
    which.add_argument(
        "--edge", action="store_true", help="the tests in the oldest or newest Blender that this Python has"
    )
    options, for_pytest = parser.parse_known_args()
    started = time.monotonic()
    try:
        if options.edge:
            steps, skipped = [edge(for_pytest)], []
        else:
            steps, skipped = plan(for_pytest, everything=options.all)
        results = run_all(steps)
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
    print(summary(results, skipped, time.monotonic() - started), flush=True)
    sys.exit(any(result.trouble for result in results))


def plan(for_pytest: list[str], *, everything: bool) -> tuple[list[Step], list[str]]:
    """The steps of a run, after making the environments that they run in, and a sentence for each that is skipped."""
    python = make(DEVELOPMENT)
    steps = [
        Step("format", [python, "-m", "ruff", "format", "--check", "."]),
        Step("lint", [python, "-m", "ruff", "check", "."]),
    ]
    skipped: list[str] = []
    if THIS == TYPED:
        steps.append(Step("types", [python, "-m", "basedpyright", "--pythonpath", python]))
    else:
        skipped.append("Types were not checked: NumPy 2 describes its own in other ways; Python 3.11 checks them.")
    if not everything:
        require_system_libraries(python)
        return [*steps, _tests("tests", python, "not slow and not window", for_pytest)], skipped

    steps.append(_tests("tests", python, "not window", for_pytest))
    require_system_libraries(python)
    blenders = {name: _version(name) for name in os.environ.get(WINDOW, "").split(os.pathsep) if name}
    newest = max(blenders.values(), key=_numbers, default="")
    for name, version in blenders.items():
        marks = "window" if version == newest else "window and not once"
        step = _tests(f"window of {version}", python, marks, for_pytest, beside=True, variables=((WINDOW, name),))
        steps.append(step)
    if not blenders:
        skipped.append(f"{WINDOW} is not set: Blender's window was not tested.")
    other = os.environ.get(PYTHON)
    described = f"{'newest' if EDGE is OLDEST else 'oldest'} Blender on Python {OTHER[0]}.{OTHER[1]}"
    if other:
        _require_other(other)
        command: list[str | Path] = [other, ROOT / "scripts" / "test.py", "--edge", *for_pytest]
        steps.append(Step(f"tests in the {described}", command, beside=True))
    else:
        skipped.append(f"{PYTHON} is not set: the {described} was not tested.")
    if EDGE is OLDEST:  # the newest is what Python 3.13 runs the tests in anyway
        steps.append(edge(for_pytest, beside=True))
    return steps, skipped


def edge(for_pytest: list[str], *, beside: bool = False) -> Step:
    """The tests in the oldest or newest Blender that is supported, whichever this Python can run."""
    python = make(EDGE)
    require_system_libraries(python)
    name, folders = ("oldest", _OLDEST) if EDGE is OLDEST else ("newest", _NEWEST)
    marks = "not window and not slow"
    return _tests(f"tests in the {name} Blender", python, marks, for_pytest, *folders, beside=beside)


def _tests(
    name: str,
    python: Path,
    marks: str,
    for_pytest: list[str],
    *folders: str,
    beside: bool = False,
    variables: tuple[tuple[str, str], ...] = (),
) -> Step:
    idle_code = NO_TESTS if for_pytest else 0  # a narrowed run may leave nothing for a step to do
    return Step(name, [python, "-m", "pytest", "-m", marks, *folders, *for_pytest], idle_code, beside, variables)


def _version(blender: str) -> str:
    """What a `blender` command says it is, such as Blender 5.2.2 LTS."""
    printed = _answer([blender, "--version"])
    if not printed.startswith("Blender "):
        raise SetupError(
            f"{WINDOW} names {blender}, which is no Blender that runs.",
            f"Set it to `blender` commands, separated by {os.pathsep!r}, such as /usr/bin/blender.",
        )
    return printed.splitlines()[0]


def _numbers(version: str) -> list[int]:
    """What orders versions: 5, 2 and 2 of Blender 5.2.2 LTS."""
    return [int(number) for number in re.findall(r"\d+", version)]


def _require_other(python: str) -> None:
    if _answer([python, "-c", "import sys; print(*sys.version_info[:2])"]).split() != [str(part) for part in OTHER]:
        wanted = f"{OTHER[0]}.{OTHER[1]}"
        raise SetupError(f"{PYTHON} names {python}, which is no Python {wanted}.", f"Set it to a Python {wanted}.")


def _answer(command: list[str]) -> str:
    """What a command prints; empty if it cannot be run or fails."""
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=True,
            timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout


def run_all(steps: list[Step]) -> list[StepResult]:
    """Runs the steps, two at a time: a thread takes those that may run beside others in their order.

    The rest run here. What the thread has not begun when they are done is run here as well, from the last one on.
    """
    aside = ThreadPoolExecutor(1)
    try:
        beside = [(step, aside.submit(run, step)) for step in steps if step.beside]
        results = [run(step) for step in steps if not step.beside]
        taken = [run(step) for step, future in reversed(beside) if future.cancel()]
        return results + [future.result() for _, future in beside if not future.cancelled()] + taken[::-1]
    finally:
        aside.shutdown(cancel_futures=True)


def run(step: Step) -> StepResult:
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
            env={**_environment(), **dict(step.variables)},
        )
        printed, code = ended.stdout, ended.returncode
        trouble = "" if code in {0, step.idle_code} else f"FAILED with exit code {code}"
    except subprocess.TimeoutExpired as late:
        printed, trouble = late.output, f"FAILED: stopped after {STEP_LIMIT // 60} minutes"
    if step.beside:
        print(heading, (printed or b"").decode(errors="replace"), sep="\n", flush=True)
    return StepResult(step.name, time.monotonic() - started, trouble)


def _environment() -> dict[str, str]:
    """A step's environment: this process's, but Python keeps the modules that it compiles.

    Containers often tell it not to; then each of hundreds of processes would compile the same modules again.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def summary(results: list[StepResult], skipped: list[str], seconds: float) -> str:
    """A line for each step and for each thing that was skipped, and a last one for the whole run."""
    lines = [f"{result.seconds:6.0f} s  {result.name}: {result.trouble or 'passed'}" for result in results]
    failed = [result.name for result in results if result.trouble]
    ended = f"FAILED: {', '.join(failed)}." if failed else f"All {len(results)} steps passed."
    return "\n".join(["", *lines, *skipped, "", f"{ended} {seconds:.0f} s in all."])


if __name__ == "__main__":
    main()
