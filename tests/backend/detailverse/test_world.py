# SPDX-License-Identifier: GPL-3.0-or-later
"""From nothing to what training reads: the stages as people run them, killed and broken on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")
pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

import numpy as np
import trimesh

from backend.__main__ import main
from backend.detailverse.world import World, read_lines
from tests.backend.batch.pictures import states, wait_for
from tests.backend.detailverse.command import COMMAND, ROOT, detailverse

SMALL = ("--cells", 32, "--faces", 1000)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Meshes that were made elsewhere, one of them broken, measured."""
    folder = tmp_path_factory.mktemp("detailverse") / "world"
    meshes = folder / "meshes"
    meshes.mkdir(parents=True)
    (meshes / "broken.ply").write_bytes(b"ply\nnonsense")
    trimesh.creation.box((1, 1, 0.001)).export(meshes / "sheet.stl")
    trimesh.creation.icosphere(1, 7.0).export(meshes / "ball.glb")
    trimesh.creation.annulus(0.8, 1.0, 0.5, sections=400).export(meshes / "ring.ply")
    measured = detailverse("quality", folder)
    assert measured.returncode == 1
    assert "broken: “broken.ply” cannot be read as a mesh." in measured.stderr
    assert "3 objects: 1 kept. Left out: flat 1, plain 2." in measured.stdout
    return folder


def test_a_broken_object_costs_only_itself(world: Path) -> None:
    assert states(world / "views") == {"broken": "failed", **dict.fromkeys(("ball", "ring", "sheet"), "done")}
    lines = {line["name"]: line for line in read_lines(World(world).quality, ("name", "kept", "reasons"))}
    assert [*lines] == ["ball", "ring", "sheet"]
    assert {name: line["kept"] for name, line in lines.items()} == {"ball": False, "ring": True, "sheet": False}
    assert lines["sheet"]["reasons"] == ["flat", "plain"]


def test_the_set_in_numbers_and_its_sheet(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detailverse", "statistics", str(world), "--angle", "45", "--shown", "2"]) == 0
    assert "| made | 3 |" in capsys.readouterr().out
    found = json.loads((world / "statistics.json").read_text("utf-8"))
    assert found["angle"] == 45
    assert found["sets"][0]["objects"] == 3
    assert (world / "statistics.csv").read_text("utf-8").startswith("set,objects,sharp_edges_mean")
    assert "DetailVerse, published" in (world / "statistics.md").read_text("utf-8")
    assert (world / "views" / "contact_sheet.jpg").exists()


def test_export_follows_what_is_kept(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = World(world)
    names = ("ball", "ring")
    judged = [{"name": name, "kept": name in names} for name in (*names, "sheet")]
    stage.quality.write_text("".join(json.dumps(line) + "\n" for line in judged), "utf-8")
    assert main(["detailverse", "export", str(world)]) == 0
    assert "2 objects in" in capsys.readouterr().out
    lines = read_lines(stage.export / "objects.jsonl", ("name", "file", "faces", "sharp"))
    assert [line["name"] for line in lines] == [*names]
    for line in lines:
        low, high = trimesh.load(stage.export / line["file"], force="mesh").bounds
        assert np.allclose(low + high, 0, atol=1e-6)
        assert (high - low).max() == pytest.approx(1, abs=1e-6)
    before = {path: path.stat().st_mtime_ns for path in stage.export.glob("*.ply")}
    stage.quality.write_text(json.dumps({"name": names[1], "kept": True}) + "\n", "utf-8")
    (stage.export / "own.ply").write_bytes(b"")
    assert main(["detailverse", "export", str(world)]) == 0
    assert "1 objects in" in capsys.readouterr().out
    kept = stage.export / f"{names[1]}.ply"
    assert {path.name for path in stage.export.glob("*.ply")} == {kept.name, "own.ply"}
    assert kept.stat().st_mtime_ns == before[kept], "it was there already"
    (stage.export / "own.ply").unlink()


@pytest.mark.slow
def test_what_is_exported_is_learned_from(world: Path, tmp_path: Path) -> None:
    """What is exported is prepared by a tiny encoder, and a tiny structure flow takes a step."""
    from tests.backend.training.norld.test_preparation import networks

    stage = World(world)
    judged = [{"name": name, "kept": True} for name in ("ball", "ring", "sheet")]
    stage.quality.write_text("".join(json.dumps(line) + "\n" for line in judged), "utf-8")
    assert main(["detailverse", "export", str(world)]) == 0
    objects = tmp_path / "objects"
    objects.mkdir()
    prepare = ["train", "prepare-objects", "--objects", str(objects), "--views", "1", *networks(tmp_path)]
    assert main([*prepare, *map(str, sorted(stage.export.glob("*.ply")))]) == 0
    train = ["train", "structure-flow", "--config", "tiny", "--objects", str(objects), "--steps", "1"]
    assert main([*train, "--folder", str(tmp_path / "run")]) == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="this test kills a group of processes")
def test_a_run_that_is_killed_goes_on_and_loses_only_what_was_in_work(tmp_path: Path) -> None:
    world = tmp_path / "world"
    arguments = ["sculptures", world, "--count", 12, *SMALL, "--processes", 2]
    running = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    wait_for(lambda: any((world / "meshes").glob("*.ply")))
    running.send_signal(signal.SIGKILL)
    running.wait()
    whole = {path: path.stat().st_mtime_ns for path in (world / "meshes").glob("*.ply")}
    assert len(whole) < 12
    again = detailverse(*arguments)
    assert again.returncode == 0, again.stderr
    assert len([*(world / "meshes").glob("*.ply")]) == 12
    done = {name for name, state in states(world / "meshes").items() if state == "done"}
    assert len(done) == 12
    kept = [path for path, changed in whole.items() if path.stat().st_mtime_ns == changed]
    assert len(kept) >= len(whole) - 2


def test_a_stage_without_the_one_before_it_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stage in (["quality"], ["export"], ["statistics"], ["label"], ["meshes"], ["pictures", "--pipeline", "x"]):
        assert main(["detailverse", stage[0], str(tmp_path / "none"), *stage[1:]]) == 1
        assert "Run the stage first that writes it" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_the_page_is_served_until_it_is_interrupted(world: Path) -> None:
    import http.client

    served = subprocess.Popen(
        [*COMMAND, "label", str(world)], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
    )
    assert served.stdout is not None
    address = served.stdout.readline().split()[1]
    host, _, path = address.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", f"/{path}objects.json")
    assert len(json.loads(connection.getresponse().read())) == 3
    connection.close()
    time.sleep(0.1)
    served.send_signal(signal.SIGINT)
    rest = served.stdout.read()
    assert served.wait(timeout=20) == 0
    assert "labels in" in rest
