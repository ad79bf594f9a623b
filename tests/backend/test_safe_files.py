# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written whole or not at all, and read with other things on the disk in their place."""

import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import lock
from backend.safe_files import (
    MAX_LOG,
    SMALL,
    make_private_folder,
    older_log,
    open_log,
    open_own,
    read_json,
    read_small,
    replacing,
    write_json,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes on the disk, links only for some")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_value_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ä.json"
    for value in ({"a": [1, "ü", None]}, {}):
        write_json(path, value)
        assert read_json(path) == value
    assert names(tmp_path) == ["ä.json"]


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


@posix
def test_a_socket_is_not_removed_for_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for appends in (False, True):
            with pytest.raises(OSError, match="not a file"):
                open_own(Path("socket"), append=appends)
            assert Path("socket").is_socket()


def replace(path: Path) -> None:
    write_json(path, 1)


def make_new(path: Path) -> None:
    open_own(path).close()


def append(path: Path) -> None:
    open_own(path, append=True).close()


def append_to_log(path: Path) -> None:
    open_log(path).close()


@posix
@pytest.mark.parametrize(
    "write",
    [replace, make_new, append, append_to_log],
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


@posix
def test_a_file_that_was_open_to_everyone_becomes_private_and_a_shared_one_stays_as_it_is(tmp_path: Path) -> None:
    for private, left in ((True, 0o600), (False, 0o644)):
        path = tmp_path / str(private)
        path.touch()
        path.chmod(0o644)
        open_own(path, append=True, private=private).close()
        assert mode(path) == left


def test_a_full_log_begins_anew_and_the_older_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "setup.log"
    for letter in (b"a", b"b", b"c"):
        with open_log(path) as file:
            file.write(letter * (MAX_LOG + 1))
    assert names(tmp_path) == ["setup-older.log", "setup.log"]
    assert (older_log(path).read_bytes()[:1], path.read_bytes()[:1]) == (b"b", b"c")


def test_a_full_log_that_cannot_be_renamed_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "setup.log"
    path.write_bytes(b"a" * (MAX_LOG + 1))
    older_log(path).mkdir()
    open_log(path).close()
    assert path.read_bytes() == b""


@pytest.mark.skipif(os.name != "posix", reason="Windows renames no open file")
def test_a_log_that_two_processes_find_full_begins_anew_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "setup.log"
    path.write_bytes(b"a" * (MAX_LOG + 1))

    def the_other_comes_first(file: BinaryIO) -> bool:
        monkeypatch.undo()
        with open_log(path) as other:
            other.write(b"newest")
        return lock.take(file)

    monkeypatch.setattr(lock, "take", the_other_comes_first)
    open_log(path).close()
    assert path.read_bytes() == b"newest"
    assert older_log(path).stat().st_size > MAX_LOG


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


# --- replacing --------------------------------------------------------------------------------------------------------


@given(data=st.lists(st.binary(max_size=100), max_size=4))
def test_the_file_holds_what_was_written(tmp_path_factory: pytest.TempPathFactory, data: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("written") / "a.bin"
    for _ in range(2):
        with replacing(path) as file:
            file.writelines(data)
        assert path.read_bytes() == b"".join(data)
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_a_folder_has_is_refused_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError), replacing(tmp_path / "a") as file:  # noqa: PT011 - the system's own sentence
        file.write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_name_beside_is_another_each_time(tmp_path: Path) -> None:
    seen: set[str] = set()
    for _ in range(5):
        with replacing(tmp_path / "a.bin"):
            seen.update(path.name for path in tmp_path.glob(".hi3dgen-*.part"))
    assert len(seen) == 5


@posix
def test_a_link_that_is_planted_under_the_random_name_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guessed(_: int) -> str:
        return "guessed"

    monkeypatch.setattr("secrets.token_hex", guessed)
    target = tmp_path / "target"
    for exists in (False, True):
        (tmp_path / ".hi3dgen-guessed.part").unlink(missing_ok=True)
        (tmp_path / ".hi3dgen-guessed.part").symlink_to(target)
        with pytest.raises(FileExistsError), replacing(tmp_path / "a.bin") as file:
            file.write(b"x")
        assert target.exists() == exists
        assert not exists or target.read_bytes() == b"precious"
        target.write_bytes(b"precious")


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        (tmp_path / "plain").write_bytes(b"")
        with replacing(tmp_path / "new"):
            pass
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == mode(tmp_path / "plain") == 0o666 & ~mask


@posix
@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o666, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, permissions: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"")
    path.chmod(permissions)
    with replacing(path) as file:
        assert mode(next(tmp_path.glob(".hi3dgen-*.part"))) == permissions
        file.write(b"new")
    assert mode(path) == permissions
    assert path.read_bytes() == b"new"


@posix
def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"")
    path.chmod(0o666)
    with replacing(path, private=True):
        assert mode(next(tmp_path.glob(".hi3dgen-*.part"))) == 0o600
    assert mode(path) == 0o600


def test_a_name_of_255_bytes_is_written_and_a_longer_one_raises_before_the_work(tmp_path: Path) -> None:
    with replacing(tmp_path / ("n" * 255)) as file:
        file.write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["n" * 255]
    began = False
    with pytest.raises(OSError, match="too long"), replacing(tmp_path / ("n" * 256)):
        began = True
    assert not began


@posix
def test_private_folders_are_made_and_others_are_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path / "a" / "b")
    make_private_folder(tmp_path / "a" / "b")
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o700


def test_a_folder_is_refused_with_a_reason_that_can_be_shown(tmp_path: Path) -> None:
    for use in (read_small, open_own, open_log):
        with pytest.raises(OSError, match="not a file") as raised:
            use(tmp_path)
        assert (raised.value.strerror, raised.value.filename) == ("it is not a file", str(tmp_path))
