# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes in one folder: what one of them makes, no other makes differently meanwhile."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from backend.batch.lines import PICTURE, Line
from backend.batch.manifest import Entry, Manifest, State
from backend.batch.planning import Wanted, plan
from backend.batch.running import Ended, Progressed, Task, run
from backend.errors import UserError
from tests.backend.batch.pictures import REQUEST


class Silent:
    """Watches a batch and says nothing."""

    def _ignore(self, *_: object) -> None:
        pass

    begun = progressed = ended = _ignore


def wanted(folder: Path, seed: int) -> list[Wanted]:
    """The picture `a` with that seed."""
    request = {key: value for key, value in REQUEST.items() if key != "inputs"} | {"seed": seed}
    return [Wanted(Line({PICTURE: folder / "a.png"}, "a"), request)]


def test_who_plans_later_is_refused_even_if_it_opened_the_folder_first(tmp_path: Path) -> None:
    with Manifest(tmp_path / "out") as first, Manifest(tmp_path / "out") as second:
        plan(second, wanted(tmp_path, 1))
        assert second.claim("a")
        with pytest.raises(UserError) as raised:
            plan(first, wanted(tmp_path, 2))
        assert raised.value.code == "in-use"
        assert first.entries["a"].worker == second.worker.name
        assert first.entries["a"].request["seed"] == 1


def test_a_folder_that_another_has_only_opened_can_be_planned_in(tmp_path: Path) -> None:
    with Manifest(tmp_path / "out") as manifest:
        plan(manifest, wanted(tmp_path, 1))
    with Manifest(tmp_path / "out") as first, Manifest(tmp_path / "out") as second:
        assert plan(first, wanted(tmp_path, 2)) == ["a"]
        assert plan(second, wanted(tmp_path, 2)) == ["a"], "the same command may run twice"


def test_what_was_made_of_a_picture_that_another_process_has_taken_is_no_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Manifest(out) as mine, Manifest(out) as other:
        plan(mine, wanted(tmp_path, 1))

        def execute(tasks: Iterator[Task], _: Progressed) -> Generator[Ended, None, None]:
            for task in tasks:
                Path(task.folder, "a.glb").write_bytes(b"of seed 1")
                with other.locked():  # as if this process had been taken for dead
                    other.write(Entry("a", REQUEST | {"seed": 2}, State.RUNNING, worker=other.worker.name))
                yield Ended(task.name)

        with pytest.raises(UserError) as raised:
            run(mine, ["a"], execute, Silent())
        assert raised.value.code == "in-use"
        assert mine.entries["a"].state is State.RUNNING
        assert mine.entries["a"].worker == other.worker.name
        assert not (out / "a.glb").exists()
