# SPDX-License-Identifier: GPL-3.0-or-later
"""The largest values that travel, and what people type: seeds and settings as text."""

from collections.abc import Iterable
from typing import Protocol

Scalar = bool | int | float | str

MAX_SIDE = 16_384
MAX_PIXELS = 8_192**2
MAX_PREVIEW_SIDE = 256
MAX_JOB = 64
MAX_INPUTS = 8
MAX_SEED = 2**31 - 1
MAX_COUNT = 16
MAX_VIEWS = 64
VIEW_SHAPE = 4  # times as wide as high, or as high as wide, a view is at most: it is laid into a square
CAMERA_NUMBERS = 14  # the first three rows of its matrix, its fov and its width


class HasDefault(Protocol):
    """A setting, as far as reading its value needs it."""

    @property
    def name(self) -> str:
        """The setting's name."""
        ...

    @property
    def default(self) -> Scalar:
        """A value of the setting's kind."""
        ...


def seeds_from(seed: int, count: int) -> list[int]:
    """`count` seeds: `seed` and those that follow, 0 after `MAX_SEED`."""
    return [(seed + number) % (MAX_SEED + 1) for number in range(count)]


def seed_from_text(text: str) -> int:
    """The seed that somebody typed: decimal digits, from 0 to `MAX_SEED`. Raises ValueError with a sentence to show."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MAX_SEED):
        raise ValueError(f"A seed is a whole number from 0 to {MAX_SEED}.")
    return int(text)


def split_setting(text: str) -> tuple[str, str]:
    """The name and the value of NAME=VALUE. Raises ValueError with a sentence to show."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"“{text}” is not NAME=VALUE.")
    return name, value


def values_of(settings: Iterable[HasDefault], texts: Iterable[tuple[str, str]]) -> dict[str, Scalar]:
    """Names and texts as names and values, each of its setting's kind.

    A text that is no such value stays as it is, and so does the text of an unknown name: the engine says what is wrong.
    """
    kinds = {setting.name: type(setting.default) for setting in settings}
    return {name: _value(kinds.get(name, str), text) for name, text in texts}


def _value(kind: type, text: str) -> Scalar:
    if kind is bool:
        return {"true": True, "on": True, "false": False, "off": False}.get(text.lower(), text)
    if kind in (int, float):
        try:
            return float(text)
        except ValueError:
            return text
    return text
