# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend batch` as people meet it: real processes, killed and started again, and real files."""

import contextlib
import json
import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend import engines
from backend.__main__ import main
from tests.backend.batch.batch_backend import FRAGILE as ENGINE
from tests.backend.batch.pictures import (
    ROOT,
    SCRIPT,
    SMALL,
    Image,
    batch,
    command,
    paint,
    start,
    states,
    summary,
    told,
    visible,
    wait_for,
)

trimesh = pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")

FRAGILE = ("--engine", "fragile")
ENGINES = {**engines.ENGINES, "fragile": ENGINE}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three pictures, one of them deeper."""
    folder = tmp_path / "photos"
    paint(folder / "apple.png")
    paint(folder / "more" / "apple.png", (20, 120, 240))
    paint(folder / "pear.png", (40, 200, 40))
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    return folder


def test_a_folder_becomes_meshes_a_summary_and_a_contact_sheet(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = batch(photos, "-o", out, *SMALL, "--save", "normal_map")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    results = {f"{name}{end}" for name in ("apple", "more/apple", "pear") for end in (".glb", "_normal_map.png")}
    assert {*visible(out)} == {*results, "manifest.jsonl", "summary.jsonl", "contact_sheet.jpg", "batch.log"}
    assert trimesh.load(out / "more" / "apple.glb", force="mesh").is_watertight
    lines = summary(out)
    assert [line["name"] for line in lines] == ["apple", "more/apple", "pear"]
    assert {line["state"] for line in lines} == {"done"}
    assert {file for line in lines for file in line["files"]} == results
    assert all((out / line["picture"]).resolve().is_file() for line in lines)
    assert "3 pictures: 3 made, 0 unchanged." in done.stdout
    with Image.open(out / "contact_sheet.jpg") as sheet:
        page = np.asarray(sheet)
    assert page.shape == (192, 3 * (3 * 160 + 8) + 8, 3), "a row of three pictures with three tiles each"
    for number in range(9):
        tile = page[8:168, 8 + number // 3 * 488 + number % 3 * 160 :][:, :160]
        assert np.abs(tile[:10, :10].astype(int) - 237).max() < 9, "the background"
        assert np.abs(tile[80, 80].astype(int) - 237).max() > 20, "something is in its middle"
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}, "nothing beside it"


def test_the_same_command_twice_does_nothing_the_second_time(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(photos, "-o", out, *SMALL).returncode == 0
    before = {name: time for name, time in visible(out).items() if name != "summary.jsonl"}
    manifest = (out / "manifest.jsonl").read_bytes()
    again = batch(photos, "-o", out, *SMALL, "--json")
    assert told(again)[-1] == {"finished": True, "made": 0, "failed": 0, "unchanged": 3, "elsewhere": 0}
    assert {name: time for name, time in visible(out).items() if name != "summary.jsonl"} == before
    assert (out / "manifest.jsonl").read_bytes() == manifest


@pytest.mark.parametrize("change", ["picture", "touched", "setting", "result", "version", "product"])
def test_only_what_has_changed_is_made_again(tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for name in ("a", "b", "c"):
        paint(photos / f"{name}.png", (0, 0, ord(name)))
    arguments: list[object] = [photos, "-o", out, *FRAGILE, "--json"]
    assert told(batch(*arguments, script=SCRIPT))[-1]["made"] == 3
    expected = 3
    match change:
        case "picture":
            paint(photos / "b.png", (0, 0, 1))
            expected = 1
        case "touched":
            os.utime(photos / "b.png", ns=(1, 10**18))
            expected = 0
        case "setting":
            arguments += ["--set", "size=2"]
        case "result":
            (out / "b.glb").unlink()
            expected = 1
        case "version":
            monkeypatch.setenv("FRAGILE_VERSION", "2")
        case _:
            (photos / "d.png").write_bytes((photos / "a.png").read_bytes())
            expected = 1
    again = told(batch(*arguments, script=SCRIPT))
    assert again[-1]["made"] == expected, again
    assert told(batch(*arguments, script=SCRIPT))[-1]["made"] == 0
    if change == "setting":
        assert trimesh.load(out / "b.glb", force="mesh").extents.max() == pytest.approx(2.0)


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


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_terminal_shows_which_picture_it_is_and_how_long_the_rest_takes(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for number in range(3):
        paint(photos / f"{number}.png", (0, 3, number))
    terminal, end = os.openpty()
    arguments = command("batch", photos, "-o", tmp_path / "out", *FRAGILE, script=SCRIPT)
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=end)
    os.close(end)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    assert process.wait() == 0
    lines = shown.decode().split("\r\x1b[2K")
    assert any(re.search(r"picture 1 of 3, 0: Building$", line) for line in lines)
    assert any(re.search(r"█.* picture 3 of 3, 2: Building  \d+ s left$", line) for line in lines)
    assert lines[-1] == "", "the line is gone at the end"


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number in range(8):
        paint(photos / f"{number}.png", (0, 5, number))
    arguments = (photos, "-o", out, *FRAGILE, "--json")
    both = [start(*arguments, script=SCRIPT) for _ in range(2)]
    made: list[list[str]] = []
    for process in both:
        stdout, stderr = process.communicate(timeout=110)
        assert process.returncode == 0, stderr
        lines = [json.loads(line) for line in stdout.splitlines()]
        made.append([line["name"] for line in lines if line.get("state") == "done"])
    assert sorted(made[0] + made[1]) == [str(number) for number in range(8)]
    assert states(out) == {str(number): "done" for number in range(8)}


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


def test_a_list_gives_each_picture_its_own_settings(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        paint(tmp_path / f"{name}.png", (0, 0, 9))
    lines: list[dict[str, Any] | str] = [
        "# the first is as the command line says",
        "a.png",
        "",
        {"picture": "b.png", "settings": {"size": 3}, "name": "large/b"},
        {"picture": "c.png", "seed": 5, "count": 2},
        {"picture": "c.png", "engine": "draft", "settings": {"resolution": 64, "faces": 1000}},
    ]
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (tmp_path / "list.jsonl").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    done = batch(tmp_path / "list.jsonl", "-o", out, *FRAGILE, "--set", "size=2", script=SCRIPT)
    assert done.returncode == 0, done.stderr
    sizes = {name: trimesh.load(out / name, force="mesh").extents.max() for name in visible(out) if name[-4:] == ".glb"}
    expected = {"a.glb": 2, "large/b.glb": 3, "c_seed5.glb": 2, "c_seed6.glb": 2, "c-2.glb": 1}
    assert sizes == pytest.approx(expected, abs=1e-5)


def test_the_artists_own_normal_map_is_used(tmp_path: Path) -> None:
    paint(tmp_path / "a.png")
    out = tmp_path / "out"
    assert batch(tmp_path / "a.png", "-o", out, *SMALL, "--save", "normal_map").returncode == 0
    (out / "a_normal_map.png").replace(tmp_path / "map.png")
    (tmp_path / "list.jsonl").write_text('{"picture": "a.png", "own_normal_map": "map.png"}', encoding="utf-8")
    arguments = (tmp_path / "list.jsonl", "-o", tmp_path / "other", *SMALL, "--json")
    assert told(batch(*arguments))[-1]["made"] == 1
    paint(tmp_path / "map.png", (127, 127, 255), 60.0)
    assert told(batch(*arguments))[-1]["made"] == 1, "another map is another request"
    assert told(batch(*arguments))[-1]["made"] == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no valid JSON"),
        ('{"seed": 1}', "names no picture"),
        ('{"picture": "a.png", "seed": -1}', "seed"),
        ('{"picture": "a.png", "count": 17}', "count"),
        ('{"picture": "a.png", "seed": true}', "seed"),
        ('{"picture": "a.png", "settings": {"size": 99}}', "Size cannot be 99"),
        ('{"picture": "a.png", "settings": {"taste": 1}}', "no setting “taste”"),
        ('{"picture": "a.png", "engine": "steam"}', "steam"),
        ('{"picture": "a.png", "colour": "b.png"}', "colour"),
        ('{"picture": "a.png", "name": "../a"}', "name"),
        ('{"picture": "a.png", "name": "x"}\n{"picture": "a.png", "name": "X"}', "Line 3"),
        ("{" * 100_000, "no valid JSON"),
    ],
)
def test_an_invalid_list_is_refused_before_any_work(
    tmp_path: Path, line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.jsonl").write_text(f"a.png\n{line}\n", encoding="utf-8")
    assert main(["batch", str(tmp_path / "list.jsonl"), "-o", str(tmp_path / "out"), *FRAGILE], ENGINES) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert words in said
    assert "Line 2" in said or "Line 3" in said
    assert not list((tmp_path / "out").glob("*.glb"))


def test_a_folder_with_something_else_in_it_is_left_alone(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("mine", encoding="utf-8")
    done = batch(photos, "-o", out, *SMALL)
    assert done.returncode == 1
    assert "letter.txt" in done.stderr
    assert {*visible(out)} == {"letter.txt"}


def test_what_somebody_puts_between_the_results_is_never_written_over(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(photos / "pear.png", "-o", out, *SMALL).returncode == 0
    (out / "apple.glb").write_text("mine", encoding="utf-8")
    done = batch(photos, "-o", out, *SMALL)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (out / "apple.glb").read_text("utf-8") == "mine"
    assert (out / "more" / "apple.glb").is_file()


def test_nothing_is_written_through_a_link_out_of_the_folder(photos: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert batch(photos / "pear.png", "-o", out, *SMALL).returncode == 0
    (out / "more").symlink_to(elsewhere)
    assert batch(photos, "-o", out, *SMALL).returncode == 1
    assert [*elsewhere.iterdir()] == []
    assert (out / "apple.glb").is_file()


def test_results_inside_the_folder_of_pictures_are_no_pictures(photos: Path) -> None:
    arguments = (photos, "-o", photos / "out", *SMALL, "--save", "normal_map", "--json")
    assert told(batch(*arguments))[-1]["made"] == 3
    assert told(batch(*arguments))[-1] == {"finished": True, "made": 0, "failed": 0, "unchanged": 3, "elsewhere": 0}


def test_what_a_picture_no_longer_has_is_removed(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(photos / "pear.png", "-o", out, *SMALL, "--count", "2").returncode == 0
    assert {"pear_seed0.glb", "pear_seed1.glb"} <= {*visible(out)}
    assert batch(photos / "pear.png", "-o", out, *SMALL).returncode == 0
    assert {name for name in visible(out) if name.endswith(".glb")} == {"pear.glb"}


def test_an_engine_that_is_missing_ends_the_batch_before_it_begins(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = replace(ENGINE, missing=lambda: "Install it first.")
    assert main(["batch", str(photos), "-o", str(tmp_path / "out"), *FRAGILE], {**ENGINES, "fragile": absent}) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "Install it first" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--save", "aura"], "aura"),
        (["--set", "size=99"], "Size cannot be 99"),
        (["nowhere.txt"], "nowhere.txt"),
    ],
)
def test_a_wrong_command_is_refused_before_anything_is_written(
    photos: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", str(photos), *arguments, "-o", str(tmp_path / "out"), *FRAGILE], ENGINES) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert words in said
    assert not (tmp_path / "out").exists()


def test_a_folder_without_pictures_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["batch", str(tmp_path / "empty"), "-o", str(tmp_path / "out")], ENGINES) == 1
    assert "There is no picture in" in capsys.readouterr().err
