# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder is filled: what is there stays, what fails costs only itself, and nothing is in its place by halves."""

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from backend.batch.executor import one_by_one
from backend.batch.filling import fill
from backend.batch.made import Made, maker_by
from backend.batch.manifest import Entry, State
from backend.batch.running import Ended, Task
from backend.errors import UserError

SUFFIX = ".txt"
MIRROR = "-mirror"


class Seen:
    """A `Watcher` that keeps what it is told."""

    def __init__(self) -> None:
        self.begun_names: list[str] = []
        self.ends: dict[str, tuple[str, ...]] = {}

    def begun(self, entry: Entry) -> None:
        """Something begins."""
        self.begun_names.append(entry.name)

    def progressed(self, name: str, label: str, done: float) -> None:
        """Nothing here makes any."""

    def ended(self, entry: Entry, made: Sequence[str]) -> None:
        """Something has ended."""
        self.ends[entry.name] = tuple(made)


def run(task: Task) -> Made:
    """Writes a file and one beside it; what the name says goes wrong."""
    Path(task.folder, f"{task.stem}{MIRROR}{SUFFIX}").write_text("beside", "utf-8")
    match task.name:
        case "wrong":
            raise UserError("no-sculpture", "Nothing is left.", "Leave it out.")
        case "buggy":
            raise ZeroDivisionError
        case "lacking":
            raise UserError("not-started", "The networks are damaged.", "Load them again.")
        case _:
            Path(task.folder, f"{task.stem}{SUFFIX}").write_text(task.request["seed"], "utf-8")
    return Made()


def filled(folder: Path, *names: str, seed: str = "1") -> tuple[Seen, dict[str, Entry]]:
    seen = Seen()
    entries = [Entry(name, {"inputs": {}, "seed": seed}) for name in names]
    executor = one_by_one(lambda: maker_by(run), folder / "batch.log")
    return seen, {entry.name: entry for entry in fill(folder, SUFFIX, entries, executor, seen)}


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_what_is_there_stays_and_what_fails_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    _, found = filled(folder, "b", "a")
    assert visible(folder) == {f"{name}{end}{SUFFIX}" for name in "ab" for end in ("", MIRROR)}
    (folder / f"a{SUFFIX}").unlink()
    (folder / f"c{SUFFIX}").write_text("of elsewhere", "utf-8")
    seen, found = filled(folder, "a", "b", "c", "wrong", "buggy", "d", seed="2")
    assert seen.begun_names == ["a", "wrong", "buggy", "d"]
    assert {name: entry.code for name, entry in found.items() if entry.state is State.FAILED} == {
        "wrong": "no-sculpture",
        "buggy": "internal",
    }
    assert seen.ends["d"] == (f"d{MIRROR}{SUFFIX}", f"d{SUFFIX}"), "what says that it is made comes last"
    contents = [(folder / f"{name}{SUFFIX}").read_text("utf-8") for name in "abcd"]
    assert contents == ["2", "1", "of elsewhere", "2"]
    assert not {name for name in visible(folder) if name.startswith(("wrong", "buggy"))}
    assert "ZeroDivisionError" in (folder / "batch.log").read_text("utf-8")
    assert [*(folder / ".batch" / "workers").iterdir()] == []


def test_without_what_all_need_it_ends(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="networks are damaged"):
        filled(tmp_path, "a", "lacking", "b")
    assert visible(tmp_path) == {f"a{SUFFIX}", f"a{MIRROR}{SUFFIX}"}


def test_what_dead_processes_have_left_is_removed_and_what_lives_stays(tmp_path: Path) -> None:
    workers = tmp_path / ".batch" / "workers"
    dead = workers / "of-a-dead-one"
    dead.mkdir(parents=True)
    (dead / "half.txt").touch()

    def nested(tasks: Iterator[Task], _progressed: object) -> Generator[Ended, None, None]:
        task = next(tasks)
        filled(tmp_path, "b")  # another one, while this one lives
        Path(task.folder, f"a{SUFFIX}").touch()
        yield Ended(task.name)

    fill(tmp_path, SUFFIX, [Entry("a", {"inputs": {}})], nested, Seen())
    assert visible(tmp_path) == {f"a{SUFFIX}", f"b{SUFFIX}", f"b{MIRROR}{SUFFIX}"}
    assert [*workers.iterdir()] == []


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_nothing_is_deleted_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "precious").mkdir(parents=True)
    (tmp_path / "folder" / ".batch").mkdir(parents=True)
    (tmp_path / "folder" / ".batch" / "workers").symlink_to(other)
    with pytest.raises(UserError, match="is a link"):
        filled(tmp_path / "folder", "a")
    assert (other / "precious").exists()
