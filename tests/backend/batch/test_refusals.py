# SPDX-License-Identifier: GPL-3.0-or-later
"""What `python -m backend batch` refuses, with a sentence, and whose files it leaves alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from backend import engines
from backend.__main__ import main
from tests.backend.batch.batch_backend import FRAGILE as ENGINE
from tests.backend.batch.pictures import FRAGILE, SMALL, batch, visible

pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")

ENGINES = {**engines.ENGINES, "fragile": ENGINE}


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
