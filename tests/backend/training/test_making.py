# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects to learn from are the same to the bit whoever makes them, and whatever dies on the way."""

import subprocess
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

import trimesh

from backend.__main__ import main
from tests.backend.batch.pictures import ROOT, SECONDS, wait_for
from tests.backend.training.norld.test_preparation import networks

if TYPE_CHECKING:
    from tests.backend.batch.ray_cluster import Nodes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SHAPES = ("prepare-shapes", "--count", 10, "--held-out", 2)


@pytest.fixture(scope="module")
def nodes() -> Generator["Nodes"]:
    """Two nodes and a head."""
    if sys.platform == "win32" or not find_spec("ray"):
        pytest.skip("Ray has clusters of several nodes on other systems, if it is installed: pip install ray")
    pytest.importorskip("psutil")
    from tests.backend.batch.ray_cluster import Nodes

    with Nodes(2) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Shapes as one process makes them."""
    folder = tmp_path_factory.mktemp("one")
    assert main(["train", *map(str, SHAPES), "--objects", str(folder)]) == 0
    return objects(folder)


def command(*words: object) -> list[str]:
    return [sys.executable, "-s", "-m", "backend", "train", *map(str, words)]


def train(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=ROOT, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
    )


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(command(*words), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


def objects(folder: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}


def test_two_processes_make_the_same_shapes(tmp_path: Path, shapes: dict[str, bytes]) -> None:
    ended = train(*SHAPES, "--objects", tmp_path, "--workers", 2)
    assert ended.returncode == 0, ended.stderr
    assert objects(tmp_path) == shapes


def test_a_worker_and_a_node_are_killed_and_nothing_is_lost_or_made_twice(
    tmp_path: Path, shapes: dict[str, bytes], nodes: "Nodes"
) -> None:
    process = start(*SHAPES, "--objects", tmp_path, "--executor", "ray", "--address", nodes.address)
    try:
        wait_for(lambda: len(objects(tmp_path)) >= 2 and nodes.kill_worker(0))
        wait_for(lambda: len(objects(tmp_path)) >= 4 and nodes.worker(1) is not None)
        nodes.kill(1)
        stdout, stderr = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    assert objects(tmp_path) == shapes
    ends = [line.partition(":")[0] for line in stdout.splitlines()]
    assert sorted(ends) == sorted([*shapes, "12 objects"]), "each has ended once"
    lost = [line.partition(":")[0] for line in (tmp_path / "batch.log").read_text("utf-8").splitlines()]
    assert len(lost) >= 2, "the log names what was lost"
    assert {*lost} <= {*shapes}
    assert [*(tmp_path / ".batch" / "workers").iterdir()] == [], "attempts that were killed are thrown away"


def test_a_command_that_is_killed_goes_on_without_the_cluster(
    tmp_path: Path, nodes: "Nodes", capsys: pytest.CaptureFixture[str]
) -> None:
    meshes = [tmp_path / f"box-{number}.{form}" for number, form in enumerate(("ply", "obj", "glb", "stl"))]
    for number, file in enumerate(meshes):
        trimesh.creation.box((1, 1, 1 + number)).export(file)
    broken = tmp_path / "broken.ply"
    broken.write_bytes(b"ply\nnonsense")
    prepare = ("prepare-objects", *meshes, broken, "--views", 1, *networks(tmp_path))
    one, several = tmp_path / "one", tmp_path / "several"
    assert main(["train", *map(str, prepare), "--objects", str(one)]) == 1
    process = start(*prepare, "--objects", several, "--executor", "ray", "--address", nodes.address)
    try:
        wait_for(lambda: len(objects(several)) >= 2)
    finally:
        process.kill()
        process.communicate()
    before = {path: path.stat().st_mtime_ns for path in several.glob("*.safetensors")}
    capsys.readouterr()
    assert main(["train", *map(str, prepare), "--objects", str(several)]) == 1
    assert "broken: “broken.ply” cannot be read as a mesh." in capsys.readouterr().err
    assert [*objects(several)] == [mesh.stem for mesh in meshes]
    assert objects(several) == objects(one)
    assert before == {path: path.stat().st_mtime_ns for path in before}, "what is done is not made again"
