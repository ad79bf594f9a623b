# SPDX-License-Identifier: GPL-3.0-or-later
"""A task on a node: its results come back by the shared disk or with its end, and only whole attempts count."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backend.batch.cluster import receive
from backend.batch.cluster_worker import ClusterWorker, Sent
from backend.batch.running import Ended, Task
from backend.batch.urls import UrlPlace
from backend.batch.worker import Make
from backend.commands.executors import add_executor, check_executor
from backend.errors import UserError


def copying() -> Make:
    """Makes results that hold what the input holds."""

    def make(task: Task, _say: object) -> Ended:
        content = Path(task.inputs["picture"]).read_bytes()
        (Path(task.folder) / "more").mkdir()
        Path(task.folder, "more", "a.glb").write_bytes(content)
        Path(task.folder, ".half.part").write_bytes(content)
        Path(task.tile).write_bytes(b"tile")
        return Ended(task.name, notes=(Path(task.inputs["picture"]).name,))

    return make


def task_in(folder: Path) -> Task:
    (folder / "results").mkdir(parents=True)
    return Task("a", "a", {"picture": "/of/another/machine/owl.png"}, {}, f"{folder}/results", f"{folder}/tile.jpg")


def whole(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


@pytest.mark.parametrize("shared", [True, False], ids=["a shared disk", "no shared disk"])
def test_results_come_back(tmp_path: Path, *, shared: bool) -> None:
    task = task_in(tmp_path / "here")
    (tmp_path / "here" / "attempt-of-one-that-died").mkdir()
    (tmp_path / "here" / "attempt-of-one-that-died" / "a.glb").write_bytes(b"half")
    worker = ClusterWorker(copying)
    sent = Sent(task, {"picture": ("owl.png", b"pixels")})
    hidden = tmp_path / "hidden"
    if not shared:
        (tmp_path / "here").rename(hidden)  # as on a node that does not see it
    made = worker.make(sent)
    if not shared:
        hidden.rename(tmp_path / "here")
    assert (made.folder == "") is not shared
    assert made.ended.notes == ("owl.png",)
    receive(made, task)
    assert whole(Path(task.folder)) == {"a.glb": b"pixels"}
    assert Path(task.tile).read_bytes() == b"tile"


def test_results_go_to_a_url_and_only_the_tile_comes_back(tmp_path: Path) -> None:
    task, url = task_in(tmp_path / "here"), f"file://{tmp_path}/bucket"
    made = ClusterWorker(copying, url, "b1").make(Sent(task, {"picture": ("owl.png", b"pixels")}))
    receive(made, task)
    assert whole(Path(task.folder)) == {}
    place = UrlPlace(url)
    assert not place.has("more/a.glb"), "it is not in its place yet"
    place.take(made.ended.staged["more/a.glb"], "more/a.glb")
    assert (tmp_path / "bucket" / "more" / "a.glb").read_bytes() == b"pixels"


def test_two_tasks_start_the_backend_once(tmp_path: Path) -> None:
    starts: list[Make] = []

    def start() -> Make:
        starts.append(copying())
        return starts[-1]

    worker = ClusterWorker(start)
    for name in ("one", "two"):
        made = worker.make(Sent(task_in(tmp_path / name), {"picture": ("owl.png", name.encode())}))
        assert made.ended.code == ""
        assert (Path(made.folder) / "results" / "more" / "a.glb").read_bytes() == name.encode()
    assert len(starts) == 1, "an engine keeps its networks from picture to picture"


def test_what_a_node_lacks_is_said() -> None:
    def lacks() -> Make:
        raise UserError("library-missing", "Pillow is not installed.", "Install it.")

    made = ClusterWorker(lacks).make(Sent(Task("a", "a", {}, {}, "/nowhere/results", ""), {}))
    assert made.ended.code == "library-missing"


def asked(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_executor(parser)
    return parser.parse_args(arguments)


def test_what_is_for_clusters_is_refused_without_one() -> None:
    check_executor(asked("--processes", "2"))
    for option in ("--address", "--cpus-per-worker", "--gpus-per-worker"):
        with pytest.raises(UserError, match=f"{option} is for clusters"):
            check_executor(asked(option, "1"))


@pytest.mark.parametrize("share", ["1.5", "-1", "nan", "all", "0"])
def test_what_cannot_be_shared_out_is_refused(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        asked("--cpus-per-worker", share)
    assert "--cpus-per-worker" in capsys.readouterr().err


def test_without_ray_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(name, "")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="Ray is not installed"):
        check_executor(asked("--executor", "ray"))
