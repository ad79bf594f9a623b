# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written whole or not at all, follow no link, and are readable by whom they should be."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.files.writing import make_private_folder, replacing

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links as POSIX has them")


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@given(data=st.lists(st.binary(max_size=100), max_size=4))
def test_the_file_holds_what_was_written(tmp_path_factory: pytest.TempPathFactory, data: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("written") / "a.bin"
    for _ in range(2):
        with replacing(path) as file:
            file.writelines(data)
        assert path.read_bytes() == b"".join(data)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_earlier_file_and_no_trace(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    with pytest.raises(error), replacing(path) as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


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
def test_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    link = tmp_path / "a.bin"
    link.symlink_to(target)
    with replacing(link) as file:
        file.write(b"new")
    assert not link.is_symlink()
    assert (link.read_bytes(), target.read_bytes()) == (b"new", b"precious")


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
    assert permissions(tmp_path / "new") == permissions(tmp_path / "plain") == 0o666 & ~mask


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"")
    path.chmod(mode)
    with replacing(path) as file:
        assert permissions(next(tmp_path.glob(".hi3dgen-*.part"))) == mode
        file.write(b"new")
    assert permissions(path) == mode
    assert path.read_bytes() == b"new"


@posix
def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"")
    path.chmod(0o666)
    with replacing(path, private=True):
        assert permissions(next(tmp_path.glob(".hi3dgen-*.part"))) == 0o600
    assert permissions(path) == 0o600


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
    assert permissions(tmp_path) == 0o755
    assert permissions(tmp_path / "a") == permissions(tmp_path / "a" / "b") == 0o700
