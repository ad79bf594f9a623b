# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's environment and the weights outlive the extension; those of an earlier version are moved, not lost."""

import errno
import subprocess
import sys
import time
import venv
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend import lock
from backend.folders import IN_USE, STAMP
from backend.weights.catalogue import GEOMETRY, NORMALS
from tests.blender_addon.support import MODULE

DISK = OSError(errno.EXDEV, "Invalid cross-device link")
PACKAGE = f"weights/{GEOMETRY.name}"
WEIGHTS = f"{GEOMETRY.name}/{GEOMETRY.files[2]}"
OTHER = f"{NORMALS.name}/{NORMALS.files[0]}"
PYTHON = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
links = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everybody make links")


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
    write(folder / IN_USE, "{}")
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


ENVIRONMENT = {IN_USE, "environments/cpu-1a2b/pyvenv.cfg"}


def test_what_an_earlier_version_left_is_moved_and_the_log_stays(module: Any, old: Path, new: Path) -> None:
    module.move_out(old)
    assert files(new) == {*ENVIRONMENT, f"weights/{WEIGHTS}"}
    assert files(old) == {"backend-1.log"}
    assert module.data_folder(old) == new
    assert module.weights_folder(old) == new / "weights"
    assert module.lasting_folder(old) is None
    assert module.chosen_inside(old) == ""
    assert not (old / "environments").exists()
    assert module.move_out(old) == ""
    assert files(new) == {*ENVIRONMENT, f"weights/{WEIGHTS}"}


def test_what_it_called_otherwise_has_its_names_of_now(module: Any, old: Path, new: Path) -> None:
    for name in ("downloads/torch", "install.log", "bytecode/torch.pyc"):
        write(old / name, name)
    (old / IN_USE).rename(old / "environment.json")
    module.move_out(old)
    assert {"hi3dgen-downloads/torch", "hi3dgen-install.log", IN_USE} <= files(new)
    assert files(old) == {"backend-1.log", "hi3dgen-bytecode/torch.pyc"}


def test_somebody_elses_environment_in_a_chosen_folder_is_not_taken_for_ours(module: Any, old: Path, new: Path) -> None:
    theirs = write(new / "environment.json", '{"python": "3.13"}')
    assert module.data_folder(old) == old
    assert module.move_out(old) == ""
    assert theirs.read_text("utf-8") == '{"python": "3.13"}'
    assert module.data_folder(old) == new
    assert files(new) == {*ENVIRONMENT, "environment.json", f"weights/{WEIGHTS}"}


def test_an_earlier_versions_environment_in_a_chosen_folder_is_found(module: Any, tmp_path: Path, new: Path) -> None:
    python = make_whole(new)
    (new / IN_USE).rename(new / "environment.json")
    assert module.move_out(tmp_path / "none") == ""
    found = import_module(f"{MODULE}.blender_addon.link.environment").installed(module.data_folder(tmp_path / "none"))
    assert found.python == python


def test_in_the_systems_folder_the_pointer_of_an_earlier_version_is_found(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HI3DGEN_USER_FOLDER", raising=False)
    monkeypatch.setattr(module.folders, "system_folder", lambda: tmp_path / "system")
    write(tmp_path / "system" / "environment.json", "{}")
    assert module.move_out(tmp_path / "none") == ""
    assert files(tmp_path / "system") == {IN_USE}


@pytest.mark.parametrize("name", ["environments", "weights"])
@links
def test_what_lies_behind_a_link_stays_there(name: str, module: Any, old: Path, new: Path, tmp_path: Path) -> None:
    linked = tmp_path / "large disk" / name
    linked.parent.mkdir()
    (old / name).rename(linked)
    (old / name).symlink_to(linked)
    before = files(linked)
    assert f"move it to “{new}” by hand" in module.move_out(old)
    assert files(linked) == before
    assert (old / name).is_symlink()
    assert (module.data_folder(old), module.weights_folder(old).parent) == ((old, new), (new, old))[name == "weights"]


def test_a_fresh_extension_uses_the_usual_place_and_makes_nothing(module: Any, tmp_path: Path, new: Path) -> None:
    assert module.move_out(tmp_path / "none") == ""
    assert module.data_folder(tmp_path / "none") == new
    assert not new.exists()


def test_what_another_blender_has_moved_there_already_stays_and_so_does_what_is_here(
    module: Any, old: Path, new: Path
) -> None:
    write(new / IN_USE, "of another Blender")
    write(new / "weights" / WEIGHTS, "the other's")
    write(old / "weights" / OTHER, "only here")
    assert module.move_out(old) == (
        f"“{new}” has some of its own. If anything is missing there, quit Blender and move it there by hand."
    )
    assert module.lasting_folder(old) == new
    assert (new / IN_USE).read_text("utf-8") == "of another Blender"
    assert (new / "weights" / WEIGHTS).read_text("utf-8") == "the other's"
    assert (new / "weights" / OTHER).read_text("utf-8") == "only here"
    assert files(old) == {*ENVIRONMENT, f"weights/{WEIGHTS}", "backend-1.log"}
    assert module.data_folder(old) == new


def refuse(error: BaseException, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moving that path raise an error."""
    rename = Path.rename

    def move(this: Path, target: Path) -> Path:
        if this == path:
            raise error
        return rename(this, target)

    monkeypatch.setattr(Path, "rename", move)


@pytest.mark.parametrize("fails", ["environments", IN_USE, PACKAGE])
def test_onto_another_disk_nothing_is_moved_and_it_is_used_where_it_is(
    fails: str, module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(old)
    refuse(DISK, old / fails, monkeypatch)
    assert f"moved to “{new}”, which is on another disk" in module.move_out(old)
    assert files(old) == before
    assert module.data_folder(old) == old
    assert module.weights_folder(old) == old / "weights"
    assert module.lasting_folder(old) == new


def test_a_move_that_is_refused_is_told_by_its_reason(
    module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(PermissionError(errno.EACCES, "Permission denied"), old / "environments", monkeypatch)
    assert f"moved to “{new}”: Permission denied. Close other Blenders" in module.move_out(old)


def test_what_lies_on_another_disk_stays_in_view_when_others_make_the_usual_folders(
    module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(DISK, old / "environments", monkeypatch)
    write(new / "weights" / ".lock", "")
    module.move_out(old)
    assert module.data_folder(old) == old
    assert module.weights_folder(old) == old / "weights"
    child = import_module(f"{MODULE}.blender_addon.link.child")
    write(new / IN_USE, "made in a terminal")
    assert module.data_folder(old) == new
    assert module.weights_folder(old) == old / "weights", "they would have to be downloaded again"
    assert module.lasting_folder(old) == new, "the weights still lie where Blender deletes them"
    assert child.surroundings(old, old)["HI3DGEN_WEIGHTS"] == str(old / "weights")
    monkeypatch.setenv("HI3DGEN_WEIGHTS", "chosen")
    assert child.surroundings(old, old)["HI3DGEN_WEIGHTS"] == "chosen"


def test_the_extensions_folder_as_the_chosen_one_is_left_as_it_is(
    module: Any, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(old)
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(old))
    assert module.move_out(old) == ""
    assert files(old) == before
    assert module.lasting_folder(old) is None
    assert f"“{old}” leads there" in module.chosen_inside(old)


@pytest.mark.parametrize("variable", ["HI3DGEN_USER_FOLDER", "HI3DGEN_WEIGHTS"])
@pytest.mark.parametrize("way", ["straight", pytest.param("by a link", marks=links)])
def test_a_chosen_folder_within_the_extensions_is_told(
    variable: str, way: str, module: Any, tmp_path: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "extension" / "mine"
    if way == "by a link":
        chosen.mkdir(parents=True)
        (tmp_path / "link").symlink_to(chosen)
        chosen = tmp_path / "link"
    monkeypatch.setenv(variable, str(chosen))
    assert f"“{chosen}” leads there" in module.chosen_inside(tmp_path / "extension")


def test_weights_that_are_chosen_where_they_are_stay_there(
    module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(old / "weights"))
    module.move_out(old)
    assert files(new) == ENVIRONMENT
    assert files(old) == {f"weights/{WEIGHTS}", "backend-1.log"}


def make_whole(folder: Path) -> Path:
    """Put an environment in use that works, by what is on the disk."""
    python = write(folder / "environments" / "cpu-1a2b" / PYTHON, "")
    write(folder / "environments" / "cpu-1a2b" / STAMP, "{}")
    write(folder / IN_USE, f'{{"python": "environments/cpu-1a2b/{PYTHON}"}}')
    return python


def test_an_environment_that_is_broken_hides_none_that_works(module: Any, old: Path, new: Path) -> None:
    write(new / IN_USE, "{}")
    assert module.data_folder(old) == new, "neither works"
    python = make_whole(old)
    assert module.data_folder(old) == old
    make_whole(new)
    assert module.data_folder(old) == new, "both work"
    python.unlink()
    assert module.data_folder(old) == new


def test_folders_of_others_and_half_a_download_count_for_no_weights(module: Any, old: Path, new: Path) -> None:
    for name in ("sd15", "sdxl", "flux"):
        write(new / "weights" / name / "model.safetensors", "somebody else's")
    write(new / "weights" / GEOMETRY.name / ".partial" / "0a", "half")
    assert module.weights_folder(old) == old / "weights"


@links
@pytest.mark.parametrize("at", ["extension", "share/hi3dgen"])
def test_a_link_from_the_one_folder_of_weights_to_the_other_locks_nobody_out(
    at: str, module: Any, old: Path, new: Path, tmp_path: Path
) -> None:
    new.mkdir(parents=True)
    if at == "extension":
        (old / "weights").rename(new / "weights")
    link, other = tmp_path / at / "weights", (old if at != "extension" else new) / "weights"
    link.symlink_to(other)
    told = module.move_out(old)
    assert files(new) >= ENVIRONMENT
    assert (other / WEIGHTS).exists()
    assert link.is_symlink()
    assert (told, module.lasting_folder(old)) == ("", None)
    assert bool(module.chosen_inside(old)) == (at != "extension"), "Blender deletes them there"


@pytest.mark.parametrize("name", ["environments.lock", "weights/.lock"])
@pytest.mark.parametrize("where", ["extension", "share/hi3dgen"])
@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot lock against itself")
def test_nothing_is_moved_while_something_is_installed(
    where: str, name: str, module: Any, old: Path, new: Path, tmp_path: Path
) -> None:
    before = files(old)
    with write(tmp_path / where / name, "").open("ab") as file:
        assert lock.take(file)
        assert module.move_out(old) == module.BUSY
    assert files(old) == before
    assert module.move_out(old) == ""
    assert files(old) != before


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot lock against itself")
def test_of_two_blenders_that_start_at_once_one_moves_and_the_other_waits_for_it(
    module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write(new / "environments.lock", "").open("ab") as file:
        assert lock.take(file)

        def other_ends(_seconds: float) -> None:
            for name in ("environments", IN_USE):
                (old / name).rename(new / name)
            file.close()

        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=time.monotonic, sleep=other_ends))
        assert module.move_out(old) == ""
    assert files(new) == {*ENVIRONMENT, f"weights/{WEIGHTS}"}


@pytest.mark.parametrize("at", ["environments", "hi3dgen-downloads", IN_USE, PACKAGE])
def test_a_move_that_is_killed_goes_on_at_the_next_start(
    at: str, module: Any, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(old / "downloads" / "torch", "")
    with monkeypatch.context() as killed:
        refuse(KeyboardInterrupt(), old / at, killed)
        with pytest.raises(KeyboardInterrupt):
            module.move_out(old)
    assert module.move_out(old) == ""
    assert files(new) == {*ENVIRONMENT, f"weights/{WEIGHTS}", "hi3dgen-downloads/torch"}


@pytest.mark.parametrize("left", [("environments",), ("environments/cpu-1a2b",), ("environments", IN_USE)])
def test_a_move_that_was_killed_is_brought_to_its_end(left: tuple[str, ...], module: Any, old: Path, new: Path) -> None:
    write(old / "environments" / "cpu-before" / "pyvenv.cfg", "home = /usr/bin")
    (new / left[0]).parent.mkdir(parents=True)
    for name in left:
        (old / name).rename(new / name)
    assert module.move_out(old) == ""
    assert files(new) == {*ENVIRONMENT, "environments/cpu-before/pyvenv.cfg", f"weights/{WEIGHTS}"}


def test_an_environment_of_that_name_without_a_pointer_is_not_replaced(module: Any, old: Path, new: Path) -> None:
    half_made = write(new / "environments" / "cpu-1a2b" / "pip.txt", "half made")
    module.move_out(old)
    assert half_made.exists()
    assert module.data_folder(old) == old
    assert files(old) >= ENVIRONMENT


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_an_environment_that_another_blender_runs_in_is_not_moved(module: Any, old: Path, new: Path) -> None:
    before = files(old)
    python = old / "environments" / "cpu-1a2b" / "bin" / "python"
    command = [str(python), "-c", "import sys; print(flush=True); sys.stdin.read()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, executable=sys.executable, stdin=pipe, stdout=pipe) as backend:
        assert backend.stdout
        backend.stdout.readline()
        assert module.move_out(old) == module.BUSY
        assert files(old) == before
        backend.communicate()
    assert module.move_out(old) == ""
    assert files(old) != before


def test_a_moved_environment_works(module: Any, tmp_path: Path, new: Path) -> None:
    old = tmp_path / "extension"
    venv.create(old / "environments" / "cpu-1a2b", symlinks=sys.platform != "win32")
    write(old / "environments" / "cpu-1a2b" / STAMP, "{}")
    write(old / IN_USE, f'{{"python": "environments/cpu-1a2b/{PYTHON}"}}')
    module.move_out(old)
    found = import_module(f"{MODULE}.blender_addon.link.environment").installed(module.data_folder(old))
    assert found.trouble == ""
    prefix = subprocess.run([found.python, "-c", "import sys; print(sys.prefix)"], capture_output=True, check=True)
    assert Path(prefix.stdout.decode().strip()) == new / "environments" / "cpu-1a2b"
