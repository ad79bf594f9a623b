# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel offers, and the operator takes, what the engines take."""

import itertools
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import pytest

from backend.engines import ENGINES
from backend.flow.settings import Setting
from tests.blender_addon.support import MODULE

EVERY = [(engine.name, setting) for engine in ENGINES.values() for setting in engine.settings]
KINDS: dict[type, str] = {bool: "BOOLEAN", int: "INT", float: "FLOAT"}


def kind_of(setting: Setting) -> str:
    """What Blender calls the property of a setting: text is one of some options, or a line."""
    return KINDS.get(type(setting.default), "ENUM" if setting.options else "STRING")


def shown_as(owner: Any, setting: Setting) -> Any:
    """The property, after asserting that it says what the setting says."""
    shown = owner.properties[setting.name]
    assert (shown.name, shown.description) == (setting.label, setting.description)
    assert shown.type == kind_of(setting)
    assert shown.default == (pytest.approx(setting.default) if type(setting.default) is float else setting.default)
    return shown


def is_alone(setting: Setting) -> bool:
    """Whether no engine means something else by its name."""
    return all(other == setting for _, other in EVERY if other.name == setting.name)


@pytest.mark.parametrize(("engine", "setting"), EVERY, ids=[f"{engine} {setting.name}" for engine, setting in EVERY])
def test_a_setting_is_the_panels_and_the_operators(scene: Any, engine: str, setting: Setting) -> None:
    panel, operator = getattr(scene, f"hi3dgen_{engine}").bl_rna, bpy.ops.hi3dgen.generate.get_rna_type()
    taken = operator.properties[setting.name]
    assert taken.type == kind_of(setting), "scripts give the same to all engines"
    if setting.options:
        assert {option.name for option in setting.options} <= {item.identifier for item in taken.enum_items}
    elif isinstance(setting.default, str):
        assert taken.length_max == setting.maximum + 1, "Blender counts the zero behind it"
    elif not isinstance(setting.default, bool):
        least, most = pytest.approx(setting.minimum), pytest.approx(setting.maximum)
        assert taken.hard_min <= setting.minimum or taken.hard_min == least
        assert taken.hard_max >= setting.maximum or taken.hard_max == most
    for owner in (panel, operator) if is_alone(setting) else (panel,):
        shown = shown_as(owner, setting)
        if setting.options:
            items = [(item.identifier, item.name, item.description) for item in shown.enum_items]
            assert items == [(option.name, option.label, option.description) for option in setting.options]
        if not isinstance(setting.default, bool | str):
            limits = (shown.hard_min, shown.hard_max)
            assert limits == pytest.approx((setting.minimum, setting.maximum))


def test_the_panel_offers_every_engine_that_there_is(scene: Any) -> None:
    for name in ENGINES:
        scene.hi3dgen.engine = name
        assert scene.hi3dgen.engine == name
    with pytest.raises(TypeError):
        scene.hi3dgen.engine = "perpetuum"


def requested(scene: Any, monkeypatch: pytest.MonkeyPatch, **said: Any) -> tuple[str, dict[str, Any]]:
    """The engine and the settings that a call of the operator asks for, before anything is made of it."""
    requests: list[tuple[str, dict[str, Any]]] = []
    operator = import_module(f"{MODULE}.blender_addon.ui.generate_operator")
    errors = import_module(f"{MODULE}.blender_addon.errors")

    def submit(
        _scene: Any, _picture: Any, engine: str, _seed: int, *, settings: dict[str, Any], **_others: Any
    ) -> None:
        requests.append((engine, settings))
        raise errors.AddonError("It was enough to ask.", "There is nothing to do.")

    monkeypatch.setattr(operator, "submit", submit)
    with pytest.raises(RuntimeError, match="enough to ask"):
        bpy.ops.hi3dgen.generate(filepath=__file__, **said)
    return requests[0]


def test_the_panel_decides_if_the_caller_says_nothing(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.hi3dgen.engine = "hi3dgen"
    scene.hi3dgen_hi3dgen.quality = "balanced"
    scene.hi3dgen_hi3dgen.solid = False
    scene.hi3dgen_hi3dgen.structure_guidance = 0.3
    engine, settings = requested(scene, monkeypatch, faces=20_000, clean=False, latent_guidance=1.1)
    assert engine == "hi3dgen"
    assert settings == {
        **{setting.name: setting.default for setting in ENGINES["hi3dgen"].settings},
        "quality": "balanced",
        "solid": False,
        "clean": False,
        "faces": 20_000,
        "structure_guidance": 0.3,
        "latent_guidance": 1.1,
    }


def test_a_setting_of_another_engine_is_refused_and_not_ignored(scene: Any, picture_file: Path) -> None:
    with pytest.raises(RuntimeError, match="Draft has no setting “quality”"):
        bpy.ops.hi3dgen.generate(filepath=str(picture_file), engine="draft", quality="preview")


def test_engines_of_one_setting_keep_their_own_values(scene: Any) -> None:
    scene.hi3dgen_draft.faces = 5_000
    assert scene.hi3dgen_hi3dgen.faces == next(
        setting.default for setting in ENGINES["hi3dgen"].settings if setting.name == "faces"
    )


def test_numbers_of_names_stay_and_differ(scene: Any) -> None:
    module = import_module(f"{MODULE}.blender_addon.ui.engine_settings")
    names = ["draft", "hi3dgen", "orbit", "a", "b", *(setting.name for _, setting in EVERY)]
    assert all(module.number_of(a) != module.number_of(b) for a, b in itertools.combinations(set(names), 2))
    assert module.number_of("draft") == 1182570132
