# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel offers and the operator takes is what the engines take, whatever its kind."""

from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import pytest

from backend.engines import ENGINES
from backend.wire.messages import Setting
from backend.wire.settings import SETTINGS
from tests.blender_addon.support import MODULE

EVERY = {setting.name: setting for settings in SETTINGS.values() for setting in settings}
KINDS = {bool: "BOOLEAN", int: "INT", float: "FLOAT", str: "ENUM"}


@pytest.mark.parametrize("setting", EVERY.values(), ids=list(EVERY))
def test_a_setting_is_the_panels_and_the_operators(scene: Any, setting: Setting) -> None:
    for owner in (scene.hi3dgen.bl_rna, bpy.ops.hi3dgen.generate.get_rna_type()):
        shown = owner.properties[setting.name]
        assert (shown.name, shown.description) == (setting.label, setting.description)
        assert shown.type == KINDS[type(setting.default)]
        if setting.choices:
            items = [(item.identifier, item.name, item.description) for item in shown.enum_items]
            assert items == [(choice.name, choice.label, choice.description) for choice in setting.choices]
        if not isinstance(setting.default, bool | str):
            limits = (shown.hard_min, shown.hard_max)
            assert limits == pytest.approx((setting.minimum, setting.maximum))
        assert shown.default == (pytest.approx(setting.default) if type(setting.default) is float else setting.default)


def test_the_panel_offers_every_engine_that_there_is(scene: Any) -> None:
    items = scene.hi3dgen.bl_rna.properties["engine"].enum_items
    shown = {item.identifier: (item.name, item.description) for item in items}
    assert set(shown) == set(SETTINGS)
    for engine in ENGINES.values():
        assert shown[engine.name] == (engine.label, engine.description)
        assert engine.settings == SETTINGS[engine.name]


def ordered(scene: Any, monkeypatch: pytest.MonkeyPatch, **said: Any) -> Any:
    """What a call of the operator asks for, before anything is made of it."""
    orders: list[Any] = []
    operators = import_module(f"{MODULE}.blender_addon.ui.operators")
    errors = import_module(f"{MODULE}.blender_addon.errors")

    def submit(_scene: Any, order: Any) -> None:
        orders.append(order)
        raise errors.AddonError("It was enough to ask.", "There is nothing to do.")

    monkeypatch.setattr(operators, "submit", submit)
    with pytest.raises(RuntimeError, match="enough to ask"):
        bpy.ops.hi3dgen.generate(filepath=__file__, **said)
    return orders[0]


def test_the_panel_decides_where_the_caller_says_nothing(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.hi3dgen.engine = "hi3dgen"
    scene.hi3dgen.quality = "balanced"
    scene.hi3dgen.solid = False
    scene.hi3dgen.structure_guidance = 0.3
    order = ordered(scene, monkeypatch, faces=20_000, clean=False, latent_guidance=1.1)
    assert order.engine == "hi3dgen"
    defaults = {setting.name: setting.default for setting in SETTINGS["hi3dgen"]}
    assert order.settings == {
        **defaults,
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
