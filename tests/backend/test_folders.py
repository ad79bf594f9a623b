# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of this program: what the environment names, else the system's own place."""

from pathlib import Path

import pytest

from backend.errors import UserError
from backend.folders import free_space, user_folder, weights_folder


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HI3DGEN_USER_FOLDER", "HI3DGEN_WEIGHTS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/who"))


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("linux", "/home/who/.local/share/hi3dgen"),
        ("darwin", "/home/who/Library/Application Support/Hi3DGen"),
        ("win32", "/home/who/AppData/Local/Hi3DGen"),
    ],
)
def test_each_system_has_its_place(system: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", system)
    assert user_folder() == Path(folder)
    assert weights_folder() == Path(folder) / "weights"


def test_the_environment_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    assert weights_folder() == tmp_path / "weights"
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "elsewhere"))
    assert weights_folder() == tmp_path / "elsewhere"
    assert user_folder() == tmp_path
    assert not weights_folder().exists()


def test_the_home_of_nobody_is_a_folder_of_that_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", "~no-such-user/weights")
    assert weights_folder() == tmp_path / "~no-such-user" / "weights"


def test_a_user_without_a_home_gets_a_sentence_unless_a_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")  # what Path raises

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(UserError, match="no home folder") as error:
        weights_folder()
    assert "HI3DGEN_USER_FOLDER" in error.value.advice
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "hi3dgen"


def test_a_missing_folder_has_the_free_space_of_its_disk(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "there") > 0
