# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are kept: as the environment says, else at the system's own place."""

from pathlib import Path

import pytest

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


def test_space_is_known_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "there") > 0
