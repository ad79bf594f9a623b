# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of each engine as Blender's properties, made from the backend's capabilities.

An engine's settings are a property group of every scene, `scene.hi3dgen_ENGINE`: two engines may have settings of the
same name; and so are those of the tools that make a mesh of views. An operator takes the settings of all engines that
it can name, by name.
"""

import keyword
import logging
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ...backend.flow.presets import owner_of
from ...backend.wire.limits import Scalar, values_of
from ...backend.wire.messages import EngineInfo, OptionInfo, SettingInfo
from ..language.catalogue import keep_apart
from ..link import engines
from ..scene import sides

log = logging.getLogger(__name__)

# The panel has these for all engines.
SHARED_INPUTS = ("picture", "own_cutout", "strokes", "own_normal_map", *sides.INPUTS)
VIEWS = (engines.VIEWS, "normal_views")  # the scene's, which are no image
_INT_RANGE = (-(2**31), 2**31 - 1)

_groups: dict[str, tuple[EngineInfo, type]] = {}  # by the scene's attribute


def number_of(name: str) -> int:
    """A number for a name in Blender's enums, which stays the same when other names come and go."""
    return crc32(name.encode()) & 0x7FFFFFFF


def settings_of(scene: bpy.types.Scene, engine: EngineInfo) -> dict[str, Scalar]:
    """An engine's settings as the scene has them; the default if the scene has an option that is gone."""
    group = group_of(scene, engine)
    if group is None:
        return {}
    values = {setting.name: value_of(group, setting.name) for setting in shown(engine)}
    return {
        setting.name: setting.default if setting.options and values[setting.name] == "" else values[setting.name]
        for setting in shown(engine)
    }


def group_of(scene: bpy.types.Scene, engine: EngineInfo) -> bpy.types.PropertyGroup | None:
    """The scene's settings of an engine; None while they are not made yet."""
    return getattr(scene, owner_of(engine.name), None)


def shown(engine: EngineInfo) -> list[SettingInfo]:
    """The engine's settings that can be properties."""
    return [setting for setting in engine.settings if _is_free(setting.name)]


def further_inputs(engine: EngineInfo) -> list[str]:
    """The names of the pictures that this engine takes and others may not; each is a property beside its settings."""
    taken = {*SHARED_INPUTS, *VIEWS, *(setting.name for setting in engine.settings)}
    return [name for name in engine.inputs if name not in taken and _is_free(name)]


def value_of(owner: Any, name: str) -> Scalar:  # noqa: ANN401 - anything of Blender's with such properties
    """A setting as it was typed: Blender keeps 32 bits of a number, in which 0.3 lies beyond 0.3."""
    value = getattr(owner, name)
    return float(f"{value:.7g}") if isinstance(value, float) else value


def arguments(of: engines.Engines) -> dict[str, Any]:
    """Properties for the settings of engines by name, and for their inputs, each the name of an image.

    Engines may mean different things by one name: numbers are then bounded by the widest of the bounds, options are
    those of all, and what is of different kinds is text. The engine refuses what does not fit it.
    """
    by_name: dict[str, list[SettingInfo]] = {}
    for engine in of:
        for setting in shown(engine):
            by_name.setdefault(setting.name, []).append(setting)
    inputs = {name for engine in of for name in further_inputs(engine)}
    named = {name: StringProperty(name=label_of(name), description="The name of an image") for name in sorted(inputs)}
    return named | _properties(_united(settings) for settings in by_name.values())


def names(of: engines.Engines) -> set[str]:
    """The names of the settings of engines."""
    return {setting.name for engine in of for setting in shown(engine)}


def given(operator: Any, engine: EngineInfo | None) -> dict[str, Scalar]:  # noqa: ANN401 - of `made_operators`
    """The settings that an operator's caller gave, as `engine` has them; it refuses those that are not its own."""
    listed = names(operator.takes()).difference(operator.FIXED)
    wanted = sorted(name for name in listed if operator.properties.is_property_set(name))
    return {name: read(engine, name, value_of(operator, name)) for name in wanted}


def read(engine: EngineInfo | None, name: str, value: Scalar) -> Scalar:
    """The value of an argument as the engine's kind of it, if it came as text."""
    if engine is None or not isinstance(value, str):
        return value
    return values_of(engine.settings, [(name, value)])[name]


def update() -> None:
    """Make the groups of engines that are new or changed, and drop those of engines that are gone; values stay."""
    every = (*engines.known(), *engines.of_views())
    wanted = {owner_of(engine.name): engine for engine in every if owner_of(engine.name).isidentifier()}
    for attribute, (engine, _) in list(_groups.items()):
        if wanted.get(attribute) != engine:
            _drop(attribute)
    for attribute, engine in wanted.items():
        if attribute not in _groups:
            pictures = {
                name: PointerProperty(type=bpy.types.Image, name=label_of(name)) for name in further_inputs(engine)
            }
            properties = pictures | _properties(shown(engine))
            body = {"__annotations__": properties, "__doc__": f"Settings of the engine {engine.name}"}
            group = type(f"HI3DGEN_PG_{engine.name}", (bpy.types.PropertyGroup,), body)
            keep_apart(group)
            bpy.utils.register_class(group)
            setattr(bpy.types.Scene, attribute, PointerProperty(type=group, name=engine.label))
            _groups[attribute] = (engine, group)


def register() -> None:
    """Follow the engines."""
    engines.changed.append(update)
    update()


def unregister() -> None:
    """Drop all groups; what was chosen stays in the file."""
    engines.changed.remove(update)
    for attribute in list(_groups):
        _drop(attribute)


def _drop(attribute: str) -> None:
    _, group = _groups.pop(attribute)
    delattr(bpy.types.Scene, attribute)
    bpy.utils.unregister_class(group)


def label_of(name: str) -> str:
    """An input's name as a label."""
    return name.replace("_", " ").title()


def _is_free(name: str) -> bool:
    """Whether a property can have that name: it is one of Python's, and none that every group has."""
    return name.isidentifier() and not keyword.iskeyword(name) and not hasattr(bpy.types.PropertyGroup, name)


def _united(settings: list[SettingInfo]) -> SettingInfo:
    first, *others = settings
    if not others:
        return first
    if any(_kind(other) != _kind(first) for other in others):
        return SettingInfo(first.name, first.label, first.description, "")
    options: dict[str, OptionInfo] = {}
    for option in (option for setting in settings for option in setting.options):
        options.setdefault(option.name, option)
    return SettingInfo(
        first.name,
        first.label,
        first.description,
        first.default,
        min(setting.minimum for setting in settings),
        max(setting.maximum for setting in settings),
        tuple(options.values()),
    )


def _kind(setting: SettingInfo) -> tuple[type, bool]:
    """Of which kind a setting's values are: a line of text is none of some options."""
    return type(setting.default), bool(setting.options)


def _properties(settings: Iterable[SettingInfo]) -> dict[str, Any]:
    return {setting.name: _property(setting) for setting in settings}


def _property(setting: SettingInfo) -> Any:  # noqa: ANN401 - what Blender makes of an annotation
    described: dict[str, Any] = {"name": setting.label, "description": setting.description, "default": setting.default}
    if isinstance(setting.default, bool):
        return BoolProperty(**described)
    if isinstance(setting.default, str):
        named = setting.default in [option.name for option in setting.options]
        if named:
            return EnumProperty(**described, items=_items(setting.options))
        return StringProperty(**described, maxlen=int(setting.maximum))  # 0 is without a bound
    if isinstance(setting.default, float):
        return FloatProperty(**described, min=setting.minimum, max=setting.maximum)
    low, high = (min(max(int(bound), _INT_RANGE[0]), _INT_RANGE[1]) for bound in (setting.minimum, setting.maximum))
    return IntProperty(**described, min=low, max=high)


def _items(options: Iterable[OptionInfo]) -> list[tuple[str, str, str, int]]:
    return [(option.name, option.label, option.description, number_of(option.name)) for option in options]
