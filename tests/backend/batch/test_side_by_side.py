# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes make tasks at the same time, and one that dies takes only its own task along."""

import sys
from pathlib import Path

import pytest

from backend.batch.executor import LocalExecutor
from backend.batch.running import Ended, Task
from backend.errors import UserError

# It ends a task when the other that runs has begun too, so that two have to run at once. The task "dies" kills it.
WORKER = """
import json, os, pathlib, signal, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    task = json.loads(line)["task"]
    if task["name"] == "dies":
        os.kill(os.getpid(), signal.SIGTERM)
    begun = pathlib.Path(task["folder"])
    (begun / task["name"]).touch()
    for _ in range(2000):
        if len(list(begun.iterdir())) >= 2:
            break
        time.sleep(0.01)
    else:
        sys.exit(3)
    print(json.dumps({"progress": [task["name"], "Making", 0.5]}), flush=True)
    ended = {"name": task["name"], "fingerprints": {}, "seconds": 0.0, "notes": [str(os.getpid())],
             "code": "", "sentence": "", "advice": ""}
    print(json.dumps({"ended": ended, "last": task["name"] == "last"}), flush=True)
"""


def made(tmp_path: Path, names: list[str], processes: int) -> dict[str, Ended]:
    begun = tmp_path / "begun"
    begun.mkdir()
    tasks = iter([Task(name, name, {}, {}, str(begun), "") for name in names])
    execute = LocalExecutor([sys.executable, "-c", WORKER], tmp_path / "log", processes)
    said: list[str] = []

    def progressed(name: str, _label: str, _done: float) -> None:
        said.append(name)

    ended = {end.name: end for end in execute(tasks, progressed)}
    assert {*said} == {name for name, end in ended.items() if not end.code}
    return ended


@pytest.mark.skipif(sys.platform == "win32", reason="a process there does not kill itself by a signal")
def test_two_run_at_once_and_a_death_costs_one_task(tmp_path: Path) -> None:
    names = ["a", "b", "dies", "c", "last", "d", "e"]
    ended = made(tmp_path, names, 2)
    assert {*ended} == {*names}
    assert {name: end.code for name, end in ended.items() if end.code} == {"dies": "process-died"}
    assert "SIGTERM" in ended["dies"].sentence
    processes = {end.notes[0] for end in ended.values() if not end.code}
    assert len(processes) >= 3, "two that were there at first, and one for each that has ended"


def test_a_process_that_does_not_start_ends_the_batch(tmp_path: Path) -> None:
    execute = LocalExecutor([sys.executable, "-c", "raise SystemExit(1)"], tmp_path / "log", 2)
    with pytest.raises(UserError, match="ended before it was ready"):
        next(execute(iter([Task("a", "a", {}, {}, str(tmp_path), "")]), print))
