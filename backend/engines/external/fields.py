# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a JSON object that a person has written: each of its kind and within bounds, and none more."""

import math
from collections.abc import Mapping
from typing import Any

_NOTHING = object()
MOST_NUMBER = 1e9


class Fields:
    """Takes the fields of an object one by one; `end` refuses what is left.

    where: the object's own name, such as "settings[2]", empty for the whole file. Every method raises ValueError with a
    reason that names the field.
    """

    def __init__(self, value: object, where: str = "") -> None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where or 'the whole'} is no object")  # noqa: TRY004 - the one error for all reasons
        self._left: dict[str, Any] = dict(value)
        self._where = f"{where}." if where else ""

    def text(self, name: str, most: int, default: str | None = None) -> str:
        """A line of 1 to `most` characters; the default if it is not there, which then may be empty."""
        value = self._take(name, default)
        if isinstance(value, str) and (value == default or 1 <= len(value) <= most) and value.isprintable():
            return value
        raise self.wrong(name, f"is no line of 1 to {most} characters")

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(name, default)
        if isinstance(value, bool):
            return value
        raise self.wrong(name, "is neither true nor false")

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number."""
        value = self._take(name, default)
        if type(value) is int and least <= value <= most:
            return value
        raise self.wrong(name, f"is no whole number from {least} to {most}")

    def number(self, name: str, least: float, most: float) -> float:
        """A number."""
        value = self._take(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        raise self.wrong(name, f"is no number from {least:g} to {most:g}")

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of some words."""
        value = self._take(name, default)
        if isinstance(value, str) and value in choices:
            return value
        raise self.wrong(name, f"is none of {', '.join(choices)}")

    def items(self, name: str, least: int, most: int) -> list[Any]:
        """A list of that many values; an empty one if it is not there."""
        value = self._take(name, [])
        if isinstance(value, list) and least <= len(value) <= most:
            return value
        raise self.wrong(name, f"is no list of {least} to {most}")

    def texts(self, name: str, least: int, most: int, length: int) -> tuple[str, ...]:
        """A list of that many texts of 1 to `length` characters."""
        values = self.items(name, least, most)
        if all(isinstance(each, str) and 1 <= len(each) <= length and "\0" not in each for each in values):
            return tuple(values)
        raise self.wrong(name, f"is no list of texts of 1 to {length} characters")

    def named_texts(self, name: str, most: int, length: int) -> dict[str, str]:
        """An object of texts; an empty one if it is not there."""
        value = self._take(name, {})
        if isinstance(value, Mapping) and len(value) <= most:
            pairs = {str(key): each for key, each in value.items()}
            if all(isinstance(each, str) and len(each) <= length and "\0" not in each for each in pairs.values()):
                return pairs
        raise self.wrong(name, f"is no object of at most {most} texts")

    def end(self) -> None:
        """Refuse a field that was not taken."""
        for name in self._left:
            raise self.wrong(f"{name:.40}", "is not known")

    def wrong(self, name: str, what: str) -> ValueError:
        """The error that says what is wrong with a field."""
        return ValueError(f"{self._where}{name} {what}")

    def _take(self, name: str, default: object = _NOTHING) -> Any:  # noqa: ANN401 - JSON
        value = self._left.pop(name, _NOTHING if default is None else default)
        if value is _NOTHING:
            raise self.wrong(name, "is missing")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(name, "is no number")
        return value
