# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets are applied, saved among Blender's own, and removed; the command takes both kinds."""

from pathlib import Path
from typing import Any

import bpy
import pytest

from backend.engines import ENGINES
from backend.flow.presets import read


@pytest.fixture
def saved(scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the draft engine's saved presets, empty: Blender's own user folder is left alone."""
    monkeypatch.setenv("BLENDER_USER_SCRIPTS", str(tmp_path))
    scene.hi3dgen.engine = "draft"
    return tmp_path / "presets" / "hi3dgen" / "draft"


def test_one_that_ships_sets_all_settings(scene: Any) -> None:
    scene.hi3dgen.engine = "draft"
    scene.hi3dgen_draft.thickness = 2.0
    assert bpy.ops.hi3dgen.apply_preset(preset="game_asset") == {"FINISHED"}
    group = scene.hi3dgen_draft
    assert (group.faces, group.colours, group.normal_texture, group.remove_light) == (5000, "1024", "always", True)
    assert group.thickness == 1.0, "what it does not name has its default"


def test_one_is_saved_found_by_its_name_applied_and_removed(scene: Any, saved: Path) -> None:
    scene.hi3dgen_draft.thickness = 0.7
    scene.hi3dgen_draft.colours = "front"
    assert bpy.ops.hi3dgen.add_preset(name="Very thin") == {"FINISHED"}
    file = saved / "Very_thin.py"
    values = read(file, ENGINES["draft"])
    assert (values["thickness"], values["colours"]) == (0.7, "front")
    assert {*values} == {setting.name for setting in ENGINES["draft"].settings}
    bpy.ops.hi3dgen.apply_preset(preset="balanced")
    assert bpy.ops.hi3dgen.apply_preset(preset="Very thin") == {"FINISHED"}
    assert scene.hi3dgen_draft.colours == "front"
    assert scene.hi3dgen_draft.thickness == pytest.approx(0.7)
    bpy.ops.hi3dgen.apply_preset(preset="balanced")
    assert bpy.ops.hi3dgen.apply_preset(filepath=str(file)) == {"FINISHED"}
    assert scene.hi3dgen_draft.colours == "front"
    assert bpy.ops.hi3dgen.add_preset(name="Very thin", remove_name=True) == {"FINISHED"}
    assert not file.exists()


@pytest.mark.parametrize("name", ["game_asset", "Game Asset", "game asset", "GAME_ASSET"])
def test_one_that_was_saved_by_the_name_of_one_that_ships_does_not_take_its_place(
    scene: Any, saved: Path, name: str
) -> None:
    scene.hi3dgen_draft.faces = 7777
    bpy.ops.hi3dgen.add_preset(name=name)
    bpy.ops.hi3dgen.apply_preset(preset=name)
    assert scene.hi3dgen_draft.faces == 5000
    (file,) = saved.iterdir()
    bpy.ops.hi3dgen.apply_preset(filepath=str(file))
    assert scene.hi3dgen_draft.faces == 7777


def test_each_engine_has_its_own(scene: Any, saved: Path) -> None:
    bpy.ops.hi3dgen.add_preset(name="Mine")
    scene.hi3dgen.engine = "hi3dgen"
    with pytest.raises(RuntimeError, match=r"has no preset “Mine”\. .*in Blender also by its name\."):
        bpy.ops.hi3dgen.apply_preset(preset="Mine")
    with pytest.raises(RuntimeError, match="is no preset of"):
        bpy.ops.hi3dgen.apply_preset(filepath=str(saved / "Mine.py"))


def test_one_of_another_version_changes_nothing(scene: Any, saved: Path) -> None:
    saved.mkdir(parents=True)
    lines = ["settings = bpy.context.scene.hi3dgen_draft", "settings.faces = 5000", "settings.gone = 1"]
    (saved / "Old.py").write_text("\n".join(lines), "utf-8")
    faces = scene.hi3dgen_draft.faces
    with pytest.raises(RuntimeError, match="has no setting “gone”"):
        bpy.ops.hi3dgen.apply_preset(preset="Old")
    assert scene.hi3dgen_draft.faces == faces


def test_the_command_takes_one_by_the_name_under_which_it_was_saved(
    command: Any, scene: Any, saved: Path, tmp_path: Path, picture_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.hi3dgen_draft.resolution, scene.hi3dgen_draft.faces, scene.hi3dgen_draft.colours = 96, 1500, "front"
    bpy.ops.hi3dgen.add_preset(name="Tiny")
    assert command([str(picture_file), "-o", str(tmp_path / "out"), "--engine", "draft", "--preset", "Tiny"]) == 0
    manifest = "".join(path.read_text("utf-8") for path in (tmp_path / "out").glob("manifest*"))
    assert '"faces": 1500' in manifest
    assert command([str(picture_file), "-o", str(tmp_path / "no"), "--engine", "draft", "--preset", "Giant"]) == 1
    assert "has no preset “Giant”" in capsys.readouterr().err
