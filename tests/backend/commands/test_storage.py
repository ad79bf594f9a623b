# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are and how large they are, and what of it can be deleted."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.__main__ import main
from backend.folders import BYTECODE, DOWNLOADS, size
from backend.weights import record, removal
from backend.weights.catalogue import FOREGROUND, HI3D, NORMALS, PACKAGES
from backend.weights.lock import only_process_in
from backend.weights.record import Entry, Record
from backend.weights.store import PARTIAL

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a bit of everything."""
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path / "user"))
    monkeypatch.delenv("HI3DGEN_WEIGHTS", raising=False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "extension" / BYTECODE))
    write(tmp_path / "user" / "environments" / "cpu-1a2b3c4d" / "lib" / "torch.so", 5000)
    write(tmp_path / "user" / DOWNLOADS / "wheel", 300)
    write(tmp_path / "user" / "weights" / NORMALS.name / NORMALS.files[0], 7000)
    write(tmp_path / "extension" / BYTECODE / "torch.pyc", 40)
    return tmp_path / "user"


def write(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)


def told(capsys: Printed, *arguments: str) -> dict[str, Any]:
    """The places, by their names."""
    assert main(["storage", "--json", *arguments]) == 0
    return {place["name"]: place for place in json.loads(capsys.readouterr().out)["places"]}


def test_it_says_where_everything_is_and_how_large(user: Path, capsys: Printed) -> None:
    places = told(capsys)
    assert {name: place["bytes"] for name, place in places.items()} == {
        "environment": 5000,
        "weights": 7000,
        "bytecode": 40,
        "downloads": 300,
    }
    assert places["environment"]["folder"] == str(user / "environments")
    assert places["downloads"]["folder"] == str(user / DOWNLOADS)
    assert main(["storage"]) == 0
    assert f"Weights: 7 kB, {user / 'weights'}" in capsys.readouterr().out


def test_clearing_keeps_what_cannot_be_made_again(user: Path, capsys: Printed) -> None:
    places = told(capsys, "--clear")
    assert {name: place["bytes"] for name, place in places.items()} == {
        "environment": 5000,
        "weights": 7000,
        "bytecode": 0,
        "downloads": 0,
    }


@pytest.mark.parametrize("name", ["home", "bytecode"])
def test_bytecode_in_a_folder_of_somebody_elses_is_left_alone(
    name: str, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    write(tmp_path / name / "letter.txt", 10)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / name))
    told(capsys, "--clear")
    assert (tmp_path / name / "letter.txt").exists()


def test_the_engine_is_removed_without_its_weights_or_with_them(user: Path, capsys: Printed) -> None:
    assert main(["install", "--remove"]) == 0
    assert "the weights stay" in capsys.readouterr().out
    assert {name: place["bytes"] for name, place in told(capsys).items()} == {
        "environment": 0,
        "weights": 7000,
        "bytecode": 40,
        "downloads": 0,
    }
    assert main(["install", "--remove", "--weights"]) == 0
    assert "so are the weights" in capsys.readouterr().out
    assert told(capsys)["weights"]["bytes"] == 0


def test_only_the_packages_are_removed_and_of_a_link_the_link(user: Path, tmp_path: Path) -> None:
    write(user / "weights" / "mine.txt", 10)
    write(tmp_path / "shared" / "model.safetensors", 10)
    if os.name == "posix":
        (user / "weights" / PACKAGES[0].name).symlink_to(tmp_path / "shared")
        write(tmp_path / "cache" / "config.json", 500)
        (user / "weights" / FOREGROUND.name).mkdir()
        (user / "weights" / FOREGROUND.name / "config.json").symlink_to(tmp_path / "cache" / "config.json")
    assert removal.bytes_here() == 7000, "what links point to does not become free"
    removal.remove()
    assert (user / "weights" / "mine.txt").exists()
    assert (tmp_path / "shared" / "model.safetensors").exists()
    assert os.name != "posix" or (tmp_path / "cache" / "config.json").exists()
    assert not any(os.path.lexists(user / "weights" / package.name) for package in PACKAGES)


def test_what_engines_made_of_the_files_is_removed_whole_or_not(user: Path) -> None:
    folder = user / "weights" / HI3D.name
    made = [folder / HI3D.made[0] / "unet.safetensors", folder / ".hi3dgen-0123.part" / "vae.safetensors"]
    for path in made:
        write(path, 10)
    assert removal.bytes_here() == 7000 + 20
    removal.remove()
    assert not folder.exists()


def junction(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system say that a folder is a junction of Windows, which is no symbolic link."""
    lstat = os.lstat

    def said(path: os.PathLike[str]) -> Any:
        found = lstat(path)
        return SimpleNamespace(st_mode=found.st_mode, st_reparse_tag=0xA0000003) if Path(path) == folder else found

    monkeypatch.setattr(os, "lstat", said)


def test_a_junction_of_windows_is_not_followed(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = user / "weights" / FOREGROUND.name / "theirs"
    (inside / "empty").mkdir(parents=True)
    write(inside / "letter.txt", 10)
    assert size(user / "weights") == 7010
    with monkeypatch.context() as windows:
        junction(inside, windows)
        assert size(user / "weights") == 7000
        assert size(inside) == 0
        removal.remove()
    assert (inside / "empty").exists()
    assert (inside / "letter.txt").exists()


def test_what_others_have_put_into_the_folder_of_a_package_stays(user: Path, tmp_path: Path) -> None:
    folder = user / "weights" / FOREGROUND.name
    others = [
        folder / "README.md",
        folder / "large" / "model.safetensors",
        tmp_path / "outside.txt",
        folder / "theirs" / "x",
    ]
    ours = [folder / "older.bin", folder / PARTIAL / ("0a" * 20), folder / ".hi3dgen-0123.part", folder / "config.json"]
    for path in (*others, *ours):
        write(path, 10)
    entry = Entry(10, "git-sha1", "0a" * 20, verified=True)
    named = dict.fromkeys(("older.bin", "theirs", "../../../outside.txt", str(tmp_path / "outside.txt")), entry)
    record.write(FOREGROUND, Record(FOREGROUND.repository, "", "", named))
    before = removal.bytes_here()
    removal.remove()
    assert [path for path in others if not path.exists()] == []
    assert [path for path in (*ours, folder / PARTIAL, folder / record.NAME) if path.exists()] == []
    assert before > 7000 + 10 * len(ours)
    assert removal.bytes_here() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot lock against itself")
def test_while_weights_are_downloaded_nothing_is_removed(user: Path, capsys: Printed) -> None:
    with only_process_in(user / "weights"):
        assert main(["install", "--remove", "--weights"]) == 1
    assert "busy with the weights" in capsys.readouterr().err
    assert {name: place["bytes"] for name, place in told(capsys).items()} == {
        "environment": 5000,
        "weights": 7000,
        "bytecode": 40,
        "downloads": 300,
    }


def test_weights_alone_are_not_taken_for_an_installation(user: Path, capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["install", "--weights"])
    assert "--weights goes with --remove" in capsys.readouterr().err


def test_what_is_missing_has_no_size(tmp_path: Path) -> None:
    assert size(tmp_path / "none") == 0


def test_clearing_touches_no_downloads_of_somebody_elses(user: Path, capsys: Printed) -> None:
    write(user / "downloads" / "letter.txt", 10)
    assert told(capsys, "--clear")["downloads"]["bytes"] == 0
    assert main(["install", "--remove"]) == 0
    assert (user / "downloads" / "letter.txt").exists()
