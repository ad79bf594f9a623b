# SPDX-License-Identifier: GPL-3.0-or-later
"""English sentences with values inside, and the templates that they were made of: “There is no file “{0}”.”."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

FIELD = re.compile(r"\{(\d+)\}")
_TERM = re.compile(r"(?:The engine “|gave no “|\b[Tt]he |while |memory of )\{(\d)\}")
_END = re.compile(r"(?<=\.) +")


@dataclass(frozen=True)
class Template:
    """A sentence with numbered fields. pattern: a regular expression that what is made of it fits."""

    text: str
    pattern: "re.Pattern[str]"


@dataclass(frozen=True, eq=False)
class Templates:
    """The templates of a language, those with most words first: they say best what a sentence was made of."""

    in_order: tuple[Template, ...] = ()


def templates_of(texts: Iterable[str]) -> Templates:
    """The templates among texts."""
    found = sorted({text for text in texts if FIELD.search(text)}, key=lambda text: (-len(FIELD.sub("", text)), text))
    return Templates(tuple(Template(text, _pattern(text)) for text in found))


@lru_cache(maxsize=512)
def as_said(text: str, templates: Templates) -> tuple[str, tuple[str, ...]]:
    """The template that a text was made of, and the values of its fields by number; empty if there is none."""
    for template in templates.in_order:
        if found := template.pattern.fullmatch(text):
            values = {int(name[1:]): value for name, value in found.groupdict().items()}
            return template.text, tuple(values[number] for number in range(len(values)))
    return "", ()


def terms(template: str) -> set[int]:
    """Which fields of a template hold a word of ours: an engine, a step, a product, a device; others may be names."""
    return {int(number) for number in _TERM.findall(template)}


def pieces(text: str) -> list[str]:
    """A text's sentences."""
    return _END.split(text)


def _pattern(text: str) -> "re.Pattern[str]":
    literals = FIELD.split(text)  # literal, number, literal, …
    parts = [f"(?P<f{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(literals)]
    return re.compile("".join(parts), re.DOTALL)
