# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as a package: what its zip holds, that it installs, and that it comes and goes without a trace."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.blender_addon.support import CHECKOUT

MODULE = "bl_ext.user_default.hi3dgen"
MAX_BYTES = 17_000_000
SHIPPED = ("backend/", "blender_addon/")
KEPT = ("backend/detailverse/", "backend/training/")
SHIPPED_FILES = {"__init__.py", "blender_manifest.toml", "LICENSE", "constraints.txt", "pyproject.toml"}


def blender_tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Blender's own extension tool, the one behind `blender --command extension`."""
    tool = Path(bpy.utils.system_resource("SCRIPTS"), "addons_core", "bl_pkg", "cli", "blender_ext.py")
    command = [sys.executable, tool, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def archive(extension: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, built from the files that git knows, as a release is."""
    source = tmp_path_factory.mktemp("checkout")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, tracked.split("\0")):
        if (CHECKOUT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((CHECKOUT / name).read_bytes())
    for left_by_pip in ("build/lib/backend/x.py", "hi3dgen.egg-info/PKG-INFO"):
        path = source / left_by_pip
        path.parent.mkdir(parents=True)
        path.write_text("not to be shipped")
    made = tmp_path_factory.mktemp("zip") / "hi3dgen.zip"
    built = blender_tool("build", "--source-dir", source, "--output-filepath", made)
    assert built.returncode == 0, built.stdout + built.stderr
    return made


def test_the_manifest_is_valid(extension: ModuleType, archive: Path) -> None:
    checked = blender_tool("validate", archive)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_zip_holds_the_code_that_runs_and_nothing_else(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = {name for name in opened.namelist() if not name.endswith("/")}
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, check=True, text=True).stdout
    wanted = {name for name in tracked.splitlines() if name.startswith(SHIPPED)} | SHIPPED_FILES
    kept = {name for name in wanted if name.startswith(KEPT)}
    assert kept
    assert names == wanted - kept
    assert not any(Path(name).suffix in {".so", ".pyd", ".dll", ".dylib", ".pyc", ".exe"} for name in names)
    assert archive.stat().st_size < MAX_BYTES


@pytest.mark.parametrize(
    "command",
    [
        ("train", "sheet", "-o", "sheet.png"),
        ("train", "normals", "--config", "tiny", "--folder", "run"),
        ("evaluate", "normals", ".", "--engine", "outline"),
        ("evaluate", "geometry", "."),
    ],
    ids=" ".join,
)
def test_what_the_zip_leaves_out_is_answered_with_a_sentence(
    archive: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    asked = [sys.executable, "-m", "backend", *command]
    ran = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "the extension's zip leaves that part out" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_it_comes_and_goes_any_number_of_times(scene: Any, extension: ModuleType) -> None:
    def traces() -> tuple[bool, ...]:
        operators = {"generate", "cancel", "try_again", "show_log"} <= set(dir(bpy.ops.hi3dgen))
        panels = hasattr(bpy.types, "HI3DGEN_PT_viewport")
        return operators, panels, hasattr(bpy.types.Scene, "hi3dgen"), hasattr(bpy.types.Material, "hi3dgen_shows")

    for _ in range(3):
        assert all(traces())
        extension.unregister()
        assert not any(traces()[1:])
        extension.register()
    assert all(traces())


INSTALLED = """
import os, sys
import bpy
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[1], repo="user_default", enable_on_install=True, overwrite=True)
bpy.context.scene.hi3dgen_draft.resolution = 96
bpy.ops.hi3dgen.generate(filepath=sys.argv[2], seed=5)
print("made", bpy.context.view_layer.objects.active.name)
import addon_utils
addon_utils.disable("bl_ext.user_default.hi3dgen", default_set=True)
sys.stdout.flush()
os._exit(0)  # what Blender itself does at its end is not what is tested
"""


def test_the_installed_zip_works_and_writes_nothing_into_its_folder(
    archive: Path, picture_file: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)}
    command = [sys.executable, "-B", "-c", INSTALLED, str(archive), str(picture_file)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert "made apple" in ran.stdout, ran.stdout + ran.stderr
    installed = tmp_path / "extensions" / "user_default" / "hi3dgen"
    with zipfile.ZipFile(archive) as opened:
        shipped = {name for name in opened.namelist() if not name.endswith("/")}
    found = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    assert found == shipped
    assert list((tmp_path / "extensions" / ".user" / "user_default" / "hi3dgen").glob("backend-*.log"))
