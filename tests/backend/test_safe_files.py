# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of this program, with other things on the disk in their place."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.safe_files import SMALL, open_own, read_json, read_small, replacing, write_json

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes on the disk, links only for some")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_value_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ä.json"
    for value in ({"a": [1, "ü", None]}, {}):
        write_json(path, value)
        assert read_json(path) == value
    assert names(tmp_path) == ["ä.json"]


def test_a_name_of_the_longest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_json(path, 1)
    assert read_json(path) == 1


@posix
def test_only_a_private_file_is_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_json(tmp_path / "own", 1, private=True)
        write_json(tmp_path / "everybodys", 1)
        open_own(tmp_path / "log").close()
    finally:
        os.umask(before)
    assert (mode(tmp_path / "own"), mode(tmp_path / "everybodys"), mode(tmp_path / "log")) == (0o600, 0o644, 0o600)


def test_an_error_while_writing_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def replace(path: Path) -> None:
    write_json(path, 1)


def make_new(path: Path) -> None:
    open_own(path).close()


def append(path: Path) -> None:
    open_own(path, append=True).close()


@posix
@pytest.mark.parametrize(
    "write",
    [replace, make_new, append],
)
@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
def test_a_planted_link_is_not_followed(
    write: Callable[[Path], None], plant: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    target, path = tmp_path / "target", tmp_path / "file"
    target.write_text("precious")
    plant(path, target)
    write(path)
    assert target.read_text() == "precious"
    assert path.is_file()
    assert not path.is_symlink()
    assert not path.samefile(target)


@posix
def test_a_pipe_neither_blocks_nor_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a file"):
        read_small(path)
    with open_own(path, append=True) as file:
        file.write(b"text")
    assert path.read_bytes() == b"text"


def test_a_log_that_is_appended_to_keeps_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for line in (b"one\n", b"two\n"):
        with open_own(path, append=True) as file:
            file.write(line)
    assert path.read_bytes() == b"one\ntwo\n"
    open_own(path).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b" " * (SMALL + 1)],
    ids=["empty", "half", "no text", "nested lists", "nested objects", "a long number", "large"],
)
def test_what_is_not_json_is_a_value_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r".") as caught:
        read_json(path)
    assert not isinstance(caught.value, OSError)


def test_a_missing_file_and_a_folder_are_an_os_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(OSError, match=r"."):
            read_json(path)
        with pytest.raises(OSError, match=r"."):
            open_own(tmp_path)
