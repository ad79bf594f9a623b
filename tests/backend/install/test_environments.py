# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments are removed whole, also while the process that ran in one is just ending."""

import shutil
from pathlib import Path

import pytest

from backend.errors import UserError
from backend.install import environments
from backend.install.environments import Environments

delete = shutil.rmtree


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A user folder with an environment and downloads in it."""
    for path in ("environments/cpu-1/bin/python", "downloads/torch.whl", "environment.json", "install.log"):
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
    assert not (user / "environment.json").exists(), "nothing half-deleted is in use"
    assert Environments(user).has_files()
    monkeypatch.undo()
    Environments(user).remove()
    assert list(user.iterdir()) == []
