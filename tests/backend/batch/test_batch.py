# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend batch` as people meet it: what becomes of folders and lists, and what is made again."""

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backend.batch.pictures import (
    FRAGILE,
    ROOT,
    SCRIPT,
    SMALL,
    Image,
    batch,
    command,
    paint,
    states,
    summary,
    told,
    visible,
)

trimesh = pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")


def test_a_folder_becomes_meshes_a_summary_and_a_contact_sheet(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = batch(photos, "-o", out, *SMALL, "--save", "normal_map")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    results = {f"{name}{end}" for name in ("apple", "more/apple", "pear") for end in (".glb", "_normal_map.png")}
    assert {*visible(out)} == {*results, "manifest.jsonl", "summary.jsonl", "contact_sheet.jpg", "batch.log"}
    apple = trimesh.load(out / "more" / "apple.glb", force="mesh")
    apple.merge_vertices(merge_tex=True, merge_norm=True)  # at seams
    assert apple.is_watertight
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
        assert np.abs(tile[40:120, 40:120].astype(int) - 237).max() > 20, "something is in its middle"
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "out"}, "nothing beside it"


def test_the_same_command_twice_does_nothing_the_second_time(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    chosen = ("--preset", "3d_print", *SMALL)
    assert batch(photos, "-o", out, *chosen).returncode == 0
    before = visible(out)
    manifest = (out / "manifest.jsonl").read_bytes()
    settings = json.loads(manifest.splitlines()[-1])["request"]["settings"]
    assert (settings["resolution"], settings["normal_texture"]) == (64, "never"), "what is set comes before the preset"
    again = batch(photos, "-o", out, *chosen, "--json")
    assert told(again)[-1] == {"finished": True, "made": 0, "failed": 0, "unchanged": 3, "elsewhere": 0}
    assert visible(out) == before
    assert (out / "manifest.jsonl").read_bytes() == manifest


def test_the_contact_sheet_shows_what_the_summary_lists(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def width() -> int:
        with Image.open(out / "contact_sheet.jpg") as sheet:
            return sheet.width

    widths: list[int] = []
    for sources in ([photos], [photos / "pear.png"], [photos]):
        assert batch(*sources, "-o", out, *SMALL).returncode == 0
        widths.append(width())
    assert widths[0] == widths[2] > widths[1]


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
    if change in ("picture", "setting", "version"):
        before = (out / "b.glb").stat()
        refused = batch(*arguments, script=SCRIPT)
        assert refused.returncode == 1
        assert "already, and would be written over. Give another folder, or add --overwrite." in refused.stderr
        assert (out / "b.glb").stat() == before
        assert {*states(out).values()} == {"done"}, "nothing was begun"
        arguments.append("--overwrite")
    again = told(batch(*arguments, script=SCRIPT))
    assert again[-1]["made"] == expected, again
    assert told(batch(*arguments, script=SCRIPT))[-1]["made"] == 0
    if change == "setting":
        assert trimesh.load(out / "b.glb", force="mesh").extents.max() == pytest.approx(2.0)


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
    assert told(batch(*arguments, "--overwrite"))[-1]["made"] == 1, "another map is another request"
    assert told(batch(*arguments))[-1]["made"] == 0


def test_results_inside_the_folder_of_pictures_are_no_pictures(photos: Path) -> None:
    arguments = (photos, "-o", photos / "out", *SMALL, "--save", "normal_map", "--json")
    assert told(batch(*arguments))[-1]["made"] == 3
    assert told(batch(*arguments))[-1] == {"finished": True, "made": 0, "failed": 0, "unchanged": 3, "elsewhere": 0}


def test_what_a_picture_no_longer_has_is_removed(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(photos / "pear.png", "-o", out, *SMALL, "--count", "2").returncode == 0
    assert {"pear_seed0.glb", "pear_seed1.glb"} <= {*visible(out)}
    refused = batch(photos / "pear.png", "-o", out, *SMALL)
    assert "pear_seed0.glb” and 1 more are there already" in refused.stderr
    assert batch(photos / "pear.png", "-o", out, *SMALL, "--overwrite").returncode == 0
    assert {name for name in visible(out) if name.endswith(".glb")} == {"pear.glb"}
