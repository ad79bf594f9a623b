# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine lets the artist choose, as data, and whether a value fits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import UserError
from ..wire.limits import HasDefault, Scalar

Settings = Mapping[str, Scalar]


@dataclass(frozen=True)
class Option:
    """One of the things that a setting can be. formerly: names in older versions, which still stand for it."""

    name: str
    label: str
    description: str
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """Something that the artist can choose. The kind of value follows from `default`.

    A number lies in [minimum, maximum] and is whole if `default` is an int; a bool is a switch; a string is the name of
    one of `options`, or, if there are none, a line of at most `maximum` characters. `advanced` marks what most artists
    never touch.
    """

    name: str
    label: str
    description: str
    default: Scalar
    minimum: int | float = 0
    maximum: int | float = 0
    options: tuple[Option, ...] = ()
    advanced: bool = False


@dataclass(frozen=True)
class Preset:
    """Values for some settings under one name; all other settings take their defaults."""

    name: str
    label: str
    description: str
    settings: Settings


class HasName(Protocol):
    """An option, as far as checking a value needs it."""

    @property
    def name(self) -> str:
        """What a setting's value is if this is chosen."""
        ...

    @property
    def formerly(self) -> Sequence[str]:
        """What it was in older versions."""
        ...


class HasRange(HasDefault, Protocol):
    """A setting, as far as checking and describing it needs: a `Setting`, or what clients know of one."""

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    @property
    def description(self) -> str:
        """What it does, without a full stop."""
        ...

    @property
    def minimum(self) -> int | float:
        """The smallest number."""
        ...

    @property
    def maximum(self) -> int | float:
        """The largest number."""
        ...

    @property
    def options(self) -> Sequence[HasName]:
        """What a text can be."""
        ...


def versions_used(versions: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Those of an engine's versions that decide on what these settings lead to.

    One that has a switch's name, as an upscaler's, decides on nothing if that is off.
    """
    return {name: version for name, version in versions.items() if settings.get(name) is not False}


def checked(owner: str, known: Iterable[HasRange], values: Settings) -> dict[str, Scalar]:
    """Every setting with its value, the default if `values` has none.

    `owner` is the label of the engine that has the settings. Raises `UserError` (bad-setting) for an unknown name and
    for a value that does not fit.
    """
    settings = {setting.name: setting for setting in known}
    for name in values:
        if name not in settings:
            advice = f"The settings of this engine are: {', '.join(settings) or 'none'}."
            raise UserError("bad-setting", f"{owner} has no setting “{name:.60}”.", advice)
    return {name: _checked_value(setting, values.get(name, setting.default)) for name, setting in settings.items()}


def _checked_value(setting: HasRange, value: Scalar) -> Scalar:
    if isinstance(setting.default, bool):
        return value if isinstance(value, bool) else _refuse(setting, value, f"Choose {values_that_fit(setting)}.")
    if isinstance(setting.default, str) and not setting.options:
        fits = isinstance(value, str) and len(value) <= setting.maximum and value.isprintable()
        return value if fits else _refuse(setting, value, f"Choose {values_that_fit(setting)}.")
    if isinstance(setting.default, str):
        names = {name: option.name for option in setting.options for name in (option.name, *option.formerly)}
        found = names.get(value) if isinstance(value, str) else None
        return _refuse(setting, value, f"Choose {values_that_fit(setting)}.") if found is None else found
    advice = f"Choose {values_that_fit(setting)}."
    if isinstance(value, bool | str) or not setting.minimum <= value <= setting.maximum:
        return _refuse(setting, value, advice)
    if isinstance(setting.default, int):
        return int(value) if value == int(value) else _refuse(setting, value, advice)
    return float(value)


def values_that_fit(setting: HasRange) -> str:
    """What a setting can be, in words, such as "a whole number from 1 to 5"."""
    if isinstance(setting.default, bool):
        return "true or false"
    if isinstance(setting.default, str) and not setting.options:
        return f"a line of at most {setting.maximum} characters"
    if isinstance(setting.default, str):
        return f"one of: {', '.join(option.name for option in setting.options)}"
    kind = "a whole number" if isinstance(setting.default, int) else "a number"
    return f"{kind} from {setting.minimum:.12g} to {setting.maximum:.12g}"


def _refuse(setting: HasRange, value: Scalar, advice: str) -> Scalar:
    written = f"{value:.12g}" if isinstance(value, float) else f"{value!s:.60}"
    raise UserError("bad-setting", f"{setting.label} cannot be {written}.", advice)
