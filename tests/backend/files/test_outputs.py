# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs are checked before the work: files, folders, and whether two of them would be one."""

import os
from pathlib import Path

import pytest

from backend.adapters.folder import check_folder_path, folder_in_place
from backend.errors import UserError
from backend.files.outputs import is_one_of

posix = pytest.mark.skipif(os.name != "posix", reason="names, links and permissions as POSIX has them")


def test_a_file_is_known_by_every_name_before_it_exists(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "a.png"
    assert is_one_of(path, [tmp_path / "b.png", tmp_path / "folder" / ".." / "a.png"])
    assert not is_one_of(path, [tmp_path / "b.png", tmp_path / "folder" / "a.png"])
    path.touch()
    (tmp_path / "b.png").hardlink_to(path)
    assert is_one_of(path, [tmp_path / "b.png"])


def test_a_folder_that_is_new_or_empty_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        check_folder_path(tmp_path / name)
        with folder_in_place(tmp_path / name) as folder:
            (folder / "a").touch()
        assert [path.name for path in (tmp_path / name).iterdir()] == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


@posix
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("full", "“.*full” is there already, and is not an empty folder"),
        ("file", "“.*file” is there already, and is not an empty folder"),
        ("link", "“.*link” is there already, and is not an empty folder"),
        ("n" * 300, "“n+” cannot be written: File name too long"),
        ("n" * 300 + "/new", "There is no folder “.*”"),
        ("nowhere/new", "There is no folder “.*nowhere”"),
        ("/proc/new", "The folder “/proc” cannot be written to"),
    ],
)
def test_a_folder_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path, name: str, sentence: str) -> None:
    for folder in ("full/inside", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    if name.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("this system has no /proc")
    with pytest.raises(UserError, match=sentence) as error:
        check_folder_path(tmp_path / name)
    assert error.value.code == "bad-output"
