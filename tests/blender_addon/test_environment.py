# SPDX-License-Identifier: GPL-3.0-or-later
"""Which environment the extension accepts, with anything at all in its place on the disk."""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from backend.folders import IN_USE
from tests.blender_addon.support import MODULE

NAME = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
STAMP = "hi3dgen-environment.json"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes on the disk, and links only for some")
root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def installed(extension: object) -> Any:
    """The function that looks for the environment."""
    return import_module(f"{MODULE}.blender_addon.link.environment").installed


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A user folder with a whole environment in it."""
    folder = tmp_path / "user ü"
    python = folder / "environments" / "cpu-1a2b" / NAME
    python.parent.mkdir(parents=True)
    python.write_text("")
    (python.parents[1] / STAMP).write_text("{}")
    point(folder, f"environments/cpu-1a2b/{NAME}")
    return folder


def point(folder: Path, python: object) -> None:
    (folder / IN_USE).write_text(json.dumps({"name": "cpu-1a2b", "python": python, "previous": ""}))


def refused(found: Any, why: str) -> bool:
    """Whether no Python is accepted, and the artist is told why and what to do."""
    return found.python is None and why in found.trouble and "install it again" in found.trouble


def test_a_whole_environment_is_accepted(installed: Any, user: Path) -> None:
    found = installed(user)
    assert found.python == user / "environments" / "cpu-1a2b" / NAME
    assert found.trouble == ""


def test_no_environment_is_no_trouble(installed: Any, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert (installed(folder).python, installed(folder).trouble) == (None, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"python',
        b"[]",
        b"3",
        b"{}",
        b'{"python": 3}',
        b'{"python": ["environments"]}',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"python":' * 6_000,
        b" " * 100_000,
    ],
    ids=[
        "empty",
        "half",
        "list",
        "number",
        "nothing",
        "a number",
        "a list",
        "no text",
        "nested",
        "nested too",
        "large",
    ],
)
def test_a_pointer_with_anything_in_it_is_a_sentence(content: bytes, installed: Any, user: Path) -> None:
    (user / IN_USE).write_bytes(content)
    assert refused(installed(user), "cannot be read")


@pytest.mark.parametrize(
    "python",
    [
        "/usr/bin/python3",
        "../elsewhere/bin/python",
        f"environments/../../elsewhere/{NAME}",
        f"environments/..//{NAME}",
        "environments/cpu-1a2b/bin/../../../python",
        f"environments/cpu-1a2b/{NAME}\0",
        f"environments/cpu-1a2b/lib/{NAME}",
        f"environments/ü/{NAME}",
        "",
        ".",
    ],
)
def test_a_pointer_to_another_place_is_refused(python: str, installed: Any, user: Path) -> None:
    point(user, python)
    assert refused(installed(user), "cannot be read")


@posix
def test_a_pipe_and_a_folder_in_place_of_the_pointer_neither_block_nor_raise(installed: Any, user: Path) -> None:
    (user / IN_USE).unlink()
    os.mkfifo(user / IN_USE)
    assert refused(installed(user), "cannot be read")
    (user / IN_USE).unlink()
    (user / IN_USE).mkdir()
    assert refused(installed(user), "cannot be read")


@posix
@pytest.mark.parametrize("linked", ["environments", "environments/cpu-1a2b", "environments/cpu-1a2b/bin"])
def test_a_link_out_of_the_user_folder_is_refused(linked: str, installed: Any, user: Path) -> None:
    outside = user.with_name("elsewhere")
    (user / linked).rename(outside)
    (user / linked).symlink_to(outside)
    assert refused(installed(user), "not inside")


@posix
@pytest.mark.parametrize("path", [IN_USE, "environments", "environments/cpu-1a2b", "environments/cpu-1a2b/bin"])
def test_links_in_a_circle_raise_nothing(path: str, installed: Any, user: Path) -> None:
    (user / path).rename(user.with_name("elsewhere"))
    (user / path).symlink_to(user / path)
    found = installed(user)
    assert found.python is None
    assert found.trouble


def test_half_an_environment_is_refused(installed: Any, user: Path) -> None:
    folder = user / "environments" / "cpu-1a2b"
    (folder / NAME).unlink()
    assert refused(installed(user), "is gone")
    (folder / NAME).write_text("")
    (folder / STAMP).unlink()
    assert refused(installed(user), "not whole")


@root
@pytest.mark.parametrize("path", ["", STAMP, NAME])
def test_an_environment_of_another_user_is_refused(path: str, installed: Any, user: Path) -> None:
    os.chown(user / "environments" / "cpu-1a2b" / path, 65534, -1)
    assert refused(installed(user), "another user")


@root
def test_a_folder_that_another_user_closed_raises_nothing(installed: Any, user: Path) -> None:
    os.seteuid(65534)  # the user “nobody” cannot enter the folder of the tests
    try:
        found = installed(user)
    finally:
        os.seteuid(0)
    assert refused(found, "cannot be read")
