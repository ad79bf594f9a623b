# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches on a real cluster of several nodes: what dies there costs time, and neither a picture nor a second one."""

import json
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.backend.batch.pictures import FRAGILE, SCRIPT, batch, paint, start, states, summary, visible, wait_for

if TYPE_CHECKING:
    from tests.backend.batch.ray_cluster import Nodes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not find_spec("ray"), reason="a cluster needs Ray: pip install ray"),  # not imported yet
    pytest.mark.skipif(sys.platform == "win32", reason="Ray has clusters of several nodes on other systems alone"),
]


@pytest.fixture(scope="module")
def nodes() -> Generator["Nodes"]:
    """Two nodes and a head."""
    for name in ("psutil", "trimesh"):
        pytest.importorskip(name)
    from tests.backend.batch.ray_cluster import Nodes

    with Nodes(2) as nodes:
        yield nodes


def test_the_chosen_upscaler_is_known_there_too(tmp_path: Path, nodes: "Nodes") -> None:
    paint(tmp_path / "photos" / "a.png")
    file = tmp_path / "x4.bin"
    file.write_bytes(b"")
    upscaled = ("--set", "resolution=96", "--set", "colours=front", "--upscaler", file)
    ray = ("--executor", "ray", "--address", nodes.address)
    ran = batch(tmp_path / "photos", "-o", tmp_path / "out", *upscaled, *ray)
    assert (ran.returncode, f"“{file}” is no file of weights" in ran.stderr) == (1, True), ran.stderr


def test_a_worker_and_a_node_are_killed_and_nothing_is_lost_or_made_twice(tmp_path: Path, nodes: "Nodes") -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number in range(8):
        paint(photos / f"{number}.png", (0, 8, number))
    for number, name in enumerate(("deadly", "hungry", "buggy"), 1):
        paint(photos / f"{name}.png", (number, 0, 0))
    ray = ("--executor", "ray", "--address", nodes.address)
    process = start(photos, "-o", out, *FRAGILE, *ray, "--json", script=SCRIPT)
    try:
        wait_for(lambda: (out / "0.glb").exists() and nodes.kill_worker(0))
        wait_for(lambda: (out / "2.glb").exists() and nodes.worker(1) is not None)
        nodes.kill(1)
        stdout, stderr = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 1, stderr
    ends = [line for line in map(json.loads, stdout.splitlines()) if line.get("state") in ("done", "failed")]
    assert sorted(line["name"] for line in ends) == sorted(states(out)), "each has ended once"
    codes = {line["name"]: line.get("error", {}).get("code") for line in summary(out)}
    failed = {"deadly": "process-died", "hungry": "out-of-memory", "buggy": "internal"}
    assert codes == dict.fromkeys(map(str, range(8))) | failed
    assert sorted(name for name in visible(out) if name.endswith(".glb")) == [f"{number}.glb" for number in range(8)]
    assert [*(out / ".batch" / "workers").iterdir()] == [], "attempts that were killed are thrown away"
    assert "ZeroDivisionError" in (out / "batch.log").read_text("utf-8")


def test_a_command_that_is_killed_goes_on_without_the_cluster(tmp_path: Path, nodes: "Nodes") -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number in range(3):
        paint(photos / f"{number}.png", (0, 3, number))
    process = start(photos, "-o", out, *FRAGILE, "--executor", "ray", "--address", nodes.address, script=SCRIPT)
    wait_for(lambda: (out / "manifest.jsonl").exists() and states(out).get("0") == "done")
    process.kill()
    process.communicate()
    before = visible(out)
    final = batch(photos, "-o", out, *FRAGILE, script=SCRIPT)
    assert final.returncode == 0, final.stderr
    assert states(out) == dict.fromkeys("012", "done")
    assert visible(out)["0.glb"] == before["0.glb"], "what is done is not made again"
