# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets by name and from files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines import ENGINES
from backend.errors import UserError
from backend.flow.engine import Engine
from backend.flow.presets import read, settings_of, values_given
from backend.flow.settings import Preset, checked
from backend.wire.limits import Scalar

DRAFT = ENGINES["draft"]
SAVED = "import bpy\nsettings = bpy.context.scene.hi3dgen_draft\n\n"
EVERY = [(engine, preset) for engine in ENGINES.values() for preset in engine.presets]


@pytest.mark.parametrize(("engine", "preset"), EVERY, ids=[f"{engine.name} {preset.name}" for engine, preset in EVERY])
def test_each_that_ships_is_found_by_name_and_label_and_is_another(engine: Engine, preset: Preset) -> None:
    for name in (preset.name, preset.label, preset.label.upper()):
        assert settings_of(engine, name) == preset.settings
    chosen = [checked(engine.label, engine.settings, each.settings) for each in engine.presets]
    assert chosen.count(checked(engine.label, engine.settings, preset.settings)) == 1


def test_what_is_typed_comes_before_the_preset() -> None:
    values = values_given(DRAFT, "game_asset", [("faces", "7000")])
    assert values == {**settings_of(DRAFT, "Game Asset"), "faces": 7000.0}
    assert values_given(DRAFT, None, [("faces", "7000")]) == {"faces": 7000.0}


def test_an_unknown_one_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UserError) as caught:
        values_given(DRAFT, "portrait", [])
    assert caught.value.code == "bad-preset"
    assert "preview, balanced, 3d_print, game_asset" in caught.value.advice


@given(
    st.fixed_dictionaries(
        {
            "thickness": st.floats(0.3, 2.5).map(lambda value: float(np.float32(value))),
            "resolution": st.integers(64, 1024),
            "upright": st.booleans(),
            "colours": st.sampled_from(["front", "all_round", "1024"]),
        }
    )
)
def test_a_saved_one_is_read_as_blender_wrote_it(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Scalar]
) -> None:
    path = tmp_path_factory.mktemp("presets") / "mine.py"
    path.write_text(SAVED + "".join(f"settings.{name} = {value!r}\n" for name, value in values.items()), "utf-8")
    found = read(path, DRAFT)
    assert found == {**values, "thickness": pytest.approx(values["thickness"], rel=1e-6)}
    assert checked(DRAFT.label, DRAFT.settings, found)["resolution"] == values["resolution"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "settings = bpy.context.scene.hi3dgen_hi3dgen\n",
        SAVED + SAVED,
        SAVED + "settings.faces = print('run')\n",
        SAVED + "settings.faces = 5000 + 1\n",
        SAVED + "settings.faces = b'5000'\n",
        SAVED + "other.faces = 5000\n",
        SAVED + "settings.faces =\n",
        SAVED + "settings.faces = 5000\0\n",
        "(" * 100_000,
    ],
    ids=str,
)
def test_what_is_none_is_refused_and_not_run(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError) as caught:
        settings_of(DRAFT, str(path))
    assert caught.value.code == "bad-preset"


def test_a_value_below_zero_is_read(tmp_path: Path) -> None:
    path = tmp_path / "below.py"
    path.write_text("import bpy\nsettings = bpy.context.scene.hi3dgen_hi3d\n\nsettings.elevation = -5.0\n", "utf-8")
    assert read(path, ENGINES["hi3d"]) == {"elevation": -5.0}


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        settings_of(DRAFT, str(tmp_path / "none.py"))
