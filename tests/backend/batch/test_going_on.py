# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches that are killed, interrupted, shared or have bad pictures: what is done stays, and the rest goes on."""

import json
import signal
from pathlib import Path

import pytest

from backend.safe_files import MAX_LOG, older_log
from tests.backend.batch.pictures import FRAGILE, SCRIPT, batch, paint, start, states, summary, told, visible, wait_for

pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")


def test_a_run_that_is_killed_goes_on_and_makes_nothing_twice(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number in range(6):
        paint(photos / f"{number}.png", (0, 3, number))
    arguments = (photos, "-o", out, *FRAGILE, "--json")
    made: list[str] = []
    for kill_at in (2, 4):
        process = start(*arguments, script=SCRIPT)
        wait_for(lambda: out.exists() and (out / f"{kill_at}.glb").exists())  # noqa: B023
        process.kill()
        stdout, _ = process.communicate()
        lines = [json.loads(line) for line in stdout.split(b"\n")[:-1]]
        made += [line["name"] for line in lines if line.get("state") == "done"]
        assert "done" in states(out).values()
    final = batch(*arguments, script=SCRIPT)
    assert final.returncode == 0, final.stderr
    made += [line["name"] for line in told(final) if line.get("state") == "done"]
    assert len(made) == len({*made}), "nothing is made twice"
    assert states(out) == {str(number): "done" for number in range(6)}
    assert sorted(name for name in visible(out) if name.endswith(".glb")) == [f"{number}.glb" for number in range(6)]
    assert [*(out / ".batch" / "workers").iterdir()] == [], "what the dead have left is gone"
    assert [line["name"] for line in summary(out)] == [str(number) for number in range(6)]


def test_the_process_that_makes_the_pictures_ends_with_its_parent(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    paint(tmp_path / "a.png", (4, 0, 0))
    process = start(tmp_path / "a.png", "-o", tmp_path / "out", *FRAGILE, script=SCRIPT)
    wait_for(lambda: (tmp_path / "out" / "manifest.jsonl").exists() and states(tmp_path / "out").get("a") == "running")
    parent = psutil.Process(process.pid)
    try:
        wait_for(lambda: bool(parent.children(recursive=True)))  # a picture is claimed before its process starts
        children = parent.children(recursive=True)
    finally:
        process.kill()
        process.communicate()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_a_bad_picture_costs_only_itself_and_is_listed_with_its_sentence(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number, name in enumerate(("good", "deadly", "hungry", "buggy", "late")):
        paint(photos / f"{name}.png", (number % 4, 0, 0))
    (photos / "broken.png").write_bytes(b"no picture")
    done = batch(photos, "-o", out, *FRAGILE, script=SCRIPT)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    codes = {line["name"]: line.get("error", {}).get("code") for line in summary(out)}
    assert codes == {
        "broken": "bad-picture",
        "buggy": "internal",
        "deadly": "process-died",
        "good": None,
        "hungry": "out-of-memory",
        "late": None,
    }
    end = done.stdout.splitlines()[-1]
    assert end == "6 pictures: 2 made, 0 unchanged, 4 failed."
    for word in ("SIGKILL", "cannot be read as a picture", "memory was not enough"):
        assert word in done.stderr
    assert "ZeroDivisionError" in (out / "batch.log").read_text("utf-8")
    again = batch(photos, "-o", out, *FRAGILE, "--json", script=SCRIPT)
    assert told(again)[-1] == {"finished": True, "made": 0, "failed": 4, "unchanged": 2, "elsewhere": 0}
    assert again.returncode == 1


def test_what_was_made_before_a_failure_stays(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", (1, 0, 0))
    out = tmp_path / "out"
    arguments = (tmp_path / "a.png", "-o", out, *FRAGILE, "--seed", 2**31 - 2, "--count", "4")
    assert batch(*arguments, script=SCRIPT).returncode == 1  # the seeds below 100 kill the process
    (line,) = summary(out)
    assert line["state"] == "failed"
    assert line["files"] == [f"a_seed{2**31 - 2}.glb", f"a_seed{2**31 - 1}.glb"]
    assert all((out / file).is_file() for file in line["files"])
    refused = batch(*arguments, "--set", "size=2", script=SCRIPT)
    assert "would be written over" in refused.stderr
    again = batch(*arguments, script=SCRIPT)
    assert "would be written over" not in again.stderr, "the same request goes on"


def test_an_interrupt_keeps_the_state_and_the_next_run_goes_on(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    paint(photos / "a.png", (0, 0, 0))
    paint(photos / "b.png", (4, 0, 0))
    process = start(photos, "-o", out, *FRAGILE, script=SCRIPT)
    wait_for(lambda: (out / "a.glb").exists() and states(out)["b"] == "running")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.decode().splitlines()[-1] == "Interrupted."
    assert states(out) == {"a": "done", "b": "waiting"}
    assert [line["state"] for line in summary(out)] == ["done", "waiting"]
    paint(photos / "b.png", (0, 0, 0))
    assert told(batch(photos, "-o", out, *FRAGILE, "--json", script=SCRIPT))[-1]["made"] == 1


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number in range(8):
        paint(photos / f"{number}.png", (0, 5, number))
    arguments = (photos, "-o", out, *FRAGILE, "--json")
    both = [start(*arguments, script=SCRIPT) for _ in range(2)]
    made: list[list[str]] = []
    for process in both:
        stdout, stderr = process.communicate(timeout=110)
        lines = [json.loads(line) for line in stdout.splitlines()]
        assert process.returncode == (1 if lines[-1]["elsewhere"] else 0), stderr
        made.append([line["name"] for line in lines if line.get("state") == "done"])
    assert sorted(made[0] + made[1]) == [str(number) for number in range(8)]
    assert states(out) == {str(number): "done" for number in range(8)}


def test_a_batch_of_which_another_process_makes_a_picture_is_not_done(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    paint(photos / "a.png", (4, 0, 0))
    paint(photos / "b.png", (0, 0, 0))
    first = start(photos, "-o", out, *FRAGILE, script=SCRIPT)
    try:
        wait_for(lambda: (out / "manifest.jsonl").exists() and states(out).get("a") == "running")
        second = batch(photos, "-o", out, *FRAGILE, script=SCRIPT)
        assert states(out) == {"a": "running", "b": "done"}
        assert second.returncode == 1
        assert second.stdout.splitlines()[-1] == "2 pictures: 1 made, 0 unchanged, 1 being made by another process."
        assert second.stderr.startswith("1 picture is not made yet: another process has taken it. ")
    finally:
        first.kill()
        first.communicate()


def test_the_log_is_bounded_and_stays_readable_for_whoever_shares_the_folder(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", (3, 0, 0))
    arguments = (tmp_path / "a.png", "-o", tmp_path / "out", *FRAGILE)
    log = tmp_path / "out" / "batch.log"
    assert batch(*arguments, script=SCRIPT).returncode == 1
    permissions = log.stat().st_mode
    log.write_bytes(b"x" * MAX_LOG + b"x\n")
    assert batch(*arguments, script=SCRIPT).returncode == 1
    assert older_log(log).stat().st_size > MAX_LOG
    assert log.stat().st_size < MAX_LOG
    assert log.stat().st_mode == permissions
    assert "ZeroDivisionError" in log.read_text("utf-8")


def test_another_process_does_not_make_the_same_pictures_differently(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", (4, 0, 0))
    out = tmp_path / "out"
    first = start(tmp_path / "a.png", "-o", out, *FRAGILE, script=SCRIPT)
    try:
        wait_for(lambda: (out / "manifest.jsonl").exists() and states(out).get("a") == "running")
        second = batch(tmp_path / "a.png", "-o", out, *FRAGILE, "--seed", "7", script=SCRIPT)
        assert second.returncode == 1
        assert "Another process is working" in second.stderr
        assert states(out) == {"a": "running"}
    finally:
        first.kill()
        first.communicate()
