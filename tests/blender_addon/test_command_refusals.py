# SPDX-License-Identifier: GPL-3.0-or-later
"""What `blender --command hi3dgen` refuses, ends with or leaves out, each with a sentence."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import pytest

from tests.blender_addon.scripted import write_program
from tests.blender_addon.support import another_blender, states, visible

Command = Callable[[list[str]], int]


def test_a_file_of_somebody_else_is_never_written_over(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    arguments = [str(picture_file), "-o", str(output), "--set", "resolution=96"]
    assert command(arguments) == 0
    (output / "apple_normal_map.png").write_bytes(b"painted by hand")
    assert command([*arguments, "--normal-maps"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (output / "apple_normal_map.png").read_bytes() == b"painted by hand"


def test_a_folder_with_something_else_in_it_is_refused_before_any_work(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    assert command([str(picture_file), "-o", str(tmp_path)]) == 1
    assert "no batch has made" in capsys.readouterr().err
    assert visible(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_a_sentence(
    command: Command, picture_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command([str(picture_file), "-o", str(picture_file)]) == 1
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.png"],
        ["a.png", "-o", "out", "--seed", "-1"],
        ["a.png", "-o", "out", "--seed", "abc"],
        ["a.png", "-o", "out", "--set", "x"],
    ],
)
def test_wrong_arguments_end_with_2(command: Command, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"settings": {"resolution": 5}}, "cannot be 5"),
        ({"settings": {"taste": 1}}, "no setting “taste”"),
        ({"colour": "b.png"}, "does not take the input “colour”"),
        ({"engine": "steam"}, "unknown engine “steam”"),
    ],
)
def test_an_invalid_list_is_refused_before_any_work(
    command: Command,
    picture_file: Path,
    tmp_path: Path,
    line: dict[str, Any],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    invalid = json.dumps({"picture": picture_file.name, **line})
    (tmp_path / "list.jsonl").write_text(f"{picture_file.name}\n{invalid}\n", encoding="utf-8")
    assert command([str(tmp_path / "list.jsonl"), "-o", str(tmp_path / "out")]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith("Line 2 of “list.jsonl”")
    assert words in sentence
    assert not (tmp_path / "out").exists()


def test_a_wrong_setting_of_the_command_is_refused_before_any_work(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command([str(picture_file), "-o", str(tmp_path / "out"), "--set", "resolution=5"]) == 1
    assert "cannot be 5" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def two_pictures(picture_file: Path, tmp_path: Path) -> list[str]:
    """The command's arguments for two pictures."""
    other = tmp_path / "pear.png"
    other.write_bytes(picture_file.read_bytes())
    return [str(picture_file), str(other), "-o", str(tmp_path / "out")]


def test_an_engine_that_cannot_run_here_ends_the_batch(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # the backend says so, and then it is known
        assert command([*two_pictures(picture_file, tmp_path), "--engine", "hi3dgen"]) == 1
        assert capsys.readouterr().err.count("cannot run here") == 1
        assert states(tmp_path / "out") == ["waiting", "waiting"]


def test_a_backend_that_does_not_start_ends_the_batch(
    command: Command, session: Any, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.close()
    session.extension, usual = write_program(tmp_path, "raise SystemExit(3)"), session.extension
    try:
        assert command(two_pictures(picture_file, tmp_path)) == 1
    finally:
        session.close()
        session.extension = usual
    assert capsys.readouterr().err.count("The backend") == 1
    assert states(tmp_path / "out") == ["waiting", "waiting"]


def test_a_picture_that_fails_when_it_is_made_again_prints_no_path(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(picture_file), "-o", str(tmp_path / "out"), "--set", "resolution=96"]
    assert command(arguments) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / "apple.glb")]
    picture_file.write_bytes(b"no picture")
    assert command([*arguments, "--overwrite"]) == 1
    assert capsys.readouterr().out == ""
    assert (tmp_path / "out" / "apple.glb").is_file(), "what was made before stays"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_a_normal_map_is_not_waited_for(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    line = {"picture": picture_file.name, "own_normal_map": "pipe.png"}
    (tmp_path / "list.jsonl").write_text(json.dumps(line), encoding="utf-8")
    assert command([str(tmp_path / "list.jsonl"), "-o", str(tmp_path / "out")]) == 1
    assert "There is no file" in capsys.readouterr().err


def test_without_blenders_exporter_nothing_is_begun(
    command: Command, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    addon_utils.disable("io_scene_gltf2")
    try:
        assert not hasattr(bpy.types, "EXPORT_SCENE_OT_gltf")
        assert command([str(picture_file), "-o", str(tmp_path / "out")]) == 1
    finally:
        addon_utils.enable("io_scene_gltf2")
    assert "glTF exporter is switched off" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_reader_that_goes_away_ends_it_without_a_traceback(picture_file: Path, tmp_path: Path) -> None:
    arguments = [*two_pictures(picture_file, tmp_path), "--set", "resolution=96"]
    other = another_blender(tmp_path / "resources", arguments)
    assert other.stdout
    assert other.stderr
    other.stdout.close()
    said = other.stderr.read().decode()
    # The module bpy 4.2.0 crashes as Python ends, with and without the extension.
    assert other.wait() in ({1, -signal.SIGSEGV} if bpy.app.version < (4, 3) else {1}), said
    assert "Traceback" not in said
    assert "Broken" not in said
    assert states(tmp_path / "out") == ["done", "waiting"]
