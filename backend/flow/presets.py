# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets by name, of those that ship with an engine, and by file, of those that were saved in Blender."""

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from ..errors import UserError
from ..wire.limits import Scalar, values_of
from .settings import HasRange, Settings

SUFFIX = ".py"
"""Of the files of saved ones: Blender writes its presets as Python."""
_SAVED = "Use one that Blender's panel saved, or one of those that ship."


class HasSettings(Protocol):
    """A preset, as far as finding and using it needs: a `Preset`, or what clients know of one."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    @property
    def description(self) -> str:
        """What it is for, without a full stop."""
        ...

    @property
    def settings(self) -> Settings:
        """Its values."""
        ...


class HasPresets(Protocol):
    """An engine, as far as its presets and settings go."""

    @property
    def name(self) -> str:
        """What lists and the command line call it."""
        ...

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    @property
    def settings(self) -> Iterable[HasRange]:
        """What the artist can choose."""
        ...

    @property
    def presets(self) -> Sequence[HasSettings]:
        """What the artist can choose at once."""
        ...


def values_given(engine: HasPresets, preset: str | None, texts: Iterable[tuple[str, str]]) -> dict[str, Scalar]:
    """The values of a preset, if one is named, and those that were typed as (NAME, VALUE), which come before it.

    preset: the name or the label of one that ships with the engine, or the path of a saved one. Whether the values fit
    is for `settings.checked` to say. Raises `UserError` (bad-preset) if there is no such preset.
    """
    return {**(settings_of(engine, preset) if preset else {}), **values_of(engine.settings, texts)}


def settings_of(engine: HasPresets, preset: str) -> Settings:
    """The values of the preset of that name, of that label or of that file. Raises `UserError` (bad-preset)."""
    if (ships := shipped(engine, preset)) is not None:
        return ships.settings
    path = Path(preset)
    if path.suffix.lower() == SUFFIX:
        return read(path, engine)
    names = ", ".join(each.name for each in engine.presets)
    advice = f"Its presets are: {names or 'none'}. A saved one is given by its file, in Blender also by its name."
    raise UserError("bad-preset", f"{engine.label} has no preset “{preset:.60}”.", advice)


def shipped(engine: HasPresets, preset: str) -> HasSettings | None:
    """The preset of that name or of that label that ships with the engine; capital letters or small ones."""
    wanted = preset.casefold()
    return next((each for each in engine.presets if wanted in (each.name.casefold(), each.label.casefold())), None)


def read(path: Path, engine: HasPresets) -> dict[str, Scalar]:
    """The values in the file of a preset of the engine, as Blender's panel saves it.

    The file is Python, and Blender would run it; here its lines are only read. Blender keeps numbers in 32 bits, of
    which seven digits are meant. Raises `UserError` (bad-preset).
    """
    try:
        lines = ast.parse(path.read_text(encoding="utf-8-sig")).body
    except OSError as error:
        sentence = f"“{path}” cannot be opened: {error.strerror or type(error).__name__}."
        raise UserError("bad-preset", sentence, "Check the path and its permissions.") from error
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:  # what a parser makes of no Python
        raise UserError("bad-preset", f"“{path.name}” is no preset.", _SAVED) from error
    owners, values = list[str](), dict[str, Scalar]()
    for line in lines:
        match line:
            case ast.Assign(targets=[ast.Name(id="settings")], value=ast.Attribute(attr=owner)):
                owners.append(owner)
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="settings"), attr=name)],
                value=ast.Constant(value=bool() | int() | float() | str() as value),
            ):
                values[name] = _meant(value)
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="settings"), attr=name)],
                value=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)),
            ):
                values[name] = _meant(-value)
            case ast.Import():
                pass
            case _:
                raise UserError("bad-preset", f"“{path.name}” is no preset.", _SAVED)
    if owners != [owner_of(engine.name)]:
        raise UserError("bad-preset", f"“{path.name}” is no preset of {engine.label}.", _SAVED)
    return values


def _meant(value: Scalar) -> Scalar:
    """A value as it was typed: Blender keeps 32 bits of a number."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def owner_of(engine: str) -> str:
    """The name under which a scene of Blender has an engine's settings; a saved preset says it."""
    return f"hi3dgen_{engine}"
