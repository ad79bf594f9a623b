# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments are removed whole, also while the process that ran in one is just ending."""

import json
import os
import shutil
from pathlib import Path

import pytest

from backend import folders
from backend.errors import UserError
from backend.folders import IN_USE, STAMP
from backend.install import environments
from backend.install.builds import BUILDS
from backend.install.environments import Environments, Installed

delete = shutil.rmtree


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A user folder with an environment and downloads in it."""
    for path in (
        "environments/cpu-1a2b3c4d/bin/python",
        "hi3dgen-downloads/torch",
        IN_USE,
        "hi3dgen-install.log",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    return tmp_path


def open_files(monkeypatch: pytest.MonkeyPatch, *, tries: int) -> None:
    """Let deleting fail that often, as on Windows while a process has a file open."""
    left = [tries]

    def rmtree(folder: Path) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        delete(folder)

    monkeypatch.setattr(shutil, "rmtree", rmtree)


def test_a_file_that_is_in_use_for_a_moment_is_waited_for(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_files(monkeypatch, tries=3)
    assert Environments(user).has_files()
    Environments(user).remove()
    assert list(user.iterdir()) == []
    assert not Environments(user).has_files()


def test_a_file_that_stays_in_use_is_a_sentence_and_can_be_removed_later(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ENDING_SECONDS", 0.3)
    open_files(monkeypatch, tries=1_000)
    with pytest.raises(UserError) as caught:
        Environments(user).remove()
    assert caught.value.code == "not-writable"
    assert "switched off" in caught.value.sentence
    assert not (user / IN_USE).exists(), "nothing half-deleted is in use"
    assert Environments(user).has_files()
    monkeypatch.undo()
    Environments(user).remove()
    assert list(user.iterdir()) == []


def test_what_is_not_ours_stays_whatever_folder_is_chosen(user: Path) -> None:
    others = [
        "downloads/letter.txt",
        "bytecode/x.pyc",
        "install.log",
        "environment.json",
        "environments/work/notes.txt",
    ]
    for name in others:
        (user / name).parent.mkdir(parents=True, exist_ok=True)
        (user / name).write_text("precious")
    older = user / "environments" / "an older name"
    older.mkdir()
    (older / STAMP).write_text("{}")
    with Environments(user).locked():
        Environments(user).prune()
        assert not older.exists(), "it has our stamp"
        assert sorted(path.name for path in Environments(user).all.iterdir()) == ["work"]
        Environments(user).remove()
    assert not Environments(user).has_files()
    assert Environments(user).size() == 0
    assert all((user / name).read_text() == "precious" for name in others)


def test_a_linked_folder_of_environments_stays_a_link(user: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.name != "posix":
        pytest.skip("Windows lets not everybody make links")
    disk = tmp_path_factory.mktemp("large disk") / "environments"
    (user / "environments").rename(disk)
    (user / "environments").symlink_to(disk)
    assert Environments(user).size() == 2
    Environments(user).remove()
    assert list(disk.iterdir()) == []
    assert (user / "environments").is_symlink()


def test_in_our_own_folder_what_an_earlier_version_left_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HI3DGEN_USER_FOLDER", raising=False)
    monkeypatch.setattr(folders, "system_folder", lambda: tmp_path)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "torch").write_text("{}")
    (tmp_path / "environment.json").write_text("{}")
    with Environments(tmp_path).locked():
        assert (Environments(tmp_path).downloads / "torch").exists()
        assert (tmp_path / IN_USE).exists()
    assert not (tmp_path / "downloads").exists()
    assert not (tmp_path / "environment.json").exists()


def test_an_earlier_versions_environment_in_a_chosen_folder_is_in_use_and_not_pruned(user: Path) -> None:
    (user / IN_USE).unlink()
    python = Environments(user).python("cpu-1a2b3c4d").relative_to(user).as_posix()
    (user / "environment.json").write_text(json.dumps({"name": "cpu-1a2b3c4d", "python": python}))
    with Environments(user).locked():
        assert not (user / IN_USE).exists(), "what it points to has no stamp"
    (user / "environments" / "cpu-1a2b3c4d" / "pyvenv.cfg").write_text("")
    Environments(user).python("cpu-1a2b3c4d").parent.mkdir(exist_ok=True)
    Environments(user).python("cpu-1a2b3c4d").touch()
    Environments(user).stamp(Installed("cpu-1a2b3c4d", "cpu", "2.13.0", "CPU"))
    with Environments(user).locked():
        Environments(user).prune(*Environments(user).kept())
    assert Environments(user).current() is not None
    assert not (user / "environment.json").exists()


def test_a_half_made_environment_of_any_build_is_ours_by_its_name(tmp_path: Path) -> None:
    names = {f"{build.name or 'mps'}-0123abcd" for build in BUILDS.values()}
    for name in names:
        Environments(tmp_path).folder(name).mkdir(parents=True)
    assert {folder.name for folder in Environments(tmp_path).ours()} == names
