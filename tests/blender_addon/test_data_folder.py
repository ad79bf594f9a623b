# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's environment and the weights outlive the extension; those of an earlier version are moved, not lost."""

import errno
import subprocess
import sys
import venv
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from backend import lock
from tests.blender_addon.support import MODULE

WEIGHTS = "trellis-normal-v0-1/ckpts/structure.safetensors"
OTHER = "yoso-normal-v1-8-1/unet/config.json"


@pytest.fixture
def module(extension: object) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.link.data_folder")


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual place, where nothing is yet."""
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path / "share" / "hi3dgen"))
    monkeypatch.delenv("HI3DGEN_WEIGHTS", raising=False)
    return tmp_path / "share" / "hi3dgen"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The extension's user folder as an earlier version left it."""
    folder = tmp_path / "extension"
    write(folder / "environment.json", "{}")
    write(folder / "environments" / "cpu-1a2b" / "pyvenv.cfg", "home = /usr/bin")
    write(folder / "weights" / WEIGHTS, "two gigabytes")
    write(folder / "weights" / ".lock", "")
    write(folder / "environments.lock", "")
    write(folder / "backend-1.log", "a log")
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("lock"))
    return {path.relative_to(folder).as_posix() for path in found}


ENVIRONMENT = {"environment.json", "environments/cpu-1a2b/pyvenv.cfg"}


def test_what_an_earlier_version_left_is_moved_and_the_log_stays(module: Any, old: Path, new: Path) -> None:
    module.move_out(old)
    assert files(new) == {*ENVIRONMENT, f"weights/{WEIGHTS}"}
    assert files(old) == {"backend-1.log"}
    assert module.data_folder(old) == new
    assert module.lasting_folder(old) is None
    module.move_out(old)
    assert files(new) == {*ENVIRONMENT, f"weights/{WEIGHTS}"}


def test_a_fresh_extension_uses_the_usual_place_and_makes_nothing(module: Any, tmp_path: Path, new: Path) -> None:
    module.move_out(tmp_path / "none")
    assert module.data_folder(tmp_path / "none") == new
    assert not new.exists()


def test_what_another_blender_has_moved_there_already_stays_and_so_does_what_is_here(
    module: Any, old: Path, new: Path
) -> None:
    write(new / "environment.json", "of another Blender")
    write(new / "weights" / WEIGHTS, "the other's")
    write(old / "weights" / OTHER, "only here")
    module.move_out(old)
    assert (new / "environment.json").read_text("utf-8") == "of another Blender"
    assert (new / "weights" / WEIGHTS).read_text("utf-8") == "the other's"
    assert (new / "weights" / OTHER).read_text("utf-8") == "only here"
    assert files(old) == {*ENVIRONMENT, f"weights/{WEIGHTS}", "backend-1.log"}
    assert module.data_folder(old) == new


@pytest.mark.parametrize("fails", ["environments", "weights"])
def test_onto_another_disk_nothing_is_moved_and_it_is_used_where_it_is(
    fails: str, module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, rename = files(old), Path.rename

    def on_this_disk(path: Path, target: Path) -> Path:
        if path == old / fails:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", on_this_disk)
    module.move_out(old)
    assert files(old) == before
    assert module.data_folder(old) == old
    assert module.lasting_folder(old) == new


@pytest.mark.parametrize("name", ["environments.lock", "weights/.lock"])
@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot lock against itself")
def test_nothing_is_moved_while_something_is_installed(name: str, module: Any, old: Path, new: Path) -> None:
    before = files(old)
    with (old / name).open("ab") as file:
        assert lock.take(file)
        module.move_out(old)
    assert files(old) == before
    module.move_out(old)
    assert files(old) != before


def test_a_moved_environment_works(module: Any, tmp_path: Path, new: Path) -> None:
    old = tmp_path / "extension"
    python = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    venv.create(old / "environments" / "cpu-1a2b", symlinks=sys.platform != "win32")
    write(old / "environments" / "cpu-1a2b" / "hi3dgen-environment.json", "{}")
    write(old / "environment.json", f'{{"python": "environments/cpu-1a2b/{python}"}}')
    module.move_out(old)
    found = import_module(f"{MODULE}.blender_addon.link.environment").installed(module.data_folder(old))
    assert found.trouble == ""
    prefix = subprocess.run([found.python, "-c", "import sys; print(sys.prefix)"], capture_output=True, check=True)
    assert Path(prefix.stdout.decode().strip()) == new / "environments" / "cpu-1a2b"
