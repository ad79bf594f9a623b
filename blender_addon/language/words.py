# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the artist's language that Blender does not translate by itself.

`say` is for what is put together where it is shown. `translated` is for what was made in English elsewhere: errors,
and what the backend sends. Logs, names of data and what a terminal prints stay English.
"""

import bpy

from . import catalogue
from .po import CONTEXT
from .sentences import Templates, as_said, pieces


def say(text: str, /, **fields: object) -> str:
    """A text of this add-on in the artist's language. fields: what stands in its braces."""
    found = bpy.app.translations.pgettext_iface(text, CONTEXT)
    return found.format(**fields) if fields else found


def translated(text: str) -> str:
    """A finished English text in the artist's language: whole, or sentence by sentence; what is not known stays.

    A field is translated, too, that is a sentence, an engine's label, or in lower case a step's or a product's name.
    """
    templates = catalogue.templates()
    return _translated(text, templates) if templates else text


def _translated(text: str, templates: Templates) -> str:
    parts = pieces(text)
    said = ""
    while parts:
        for count in range(1, len(parts) + 1):  # a name may hold what looks like the end of a sentence
            if found := _known(" ".join(parts[:count]), templates):
                break
        else:
            count, found = 1, parts[0]
        said += ("" if not said or said.endswith("。") else " ") + found
        parts = parts[count:]
    return said


def _known(text: str, templates: Templates) -> str:
    """The translation of a text; empty if there is none."""
    found = bpy.app.translations.pgettext_rpt(text, CONTEXT)
    if found != text:
        return found
    template, values = as_said(text, templates)
    if not template:
        return ""
    fields = (_field(value, f"engine “{{{at}}}”" in template, templates) for at, value in enumerate(values))
    return bpy.app.translations.pgettext_rpt(template, CONTEXT).format(*fields)


def _field(value: str, is_engine: bool, templates: Templates) -> str:  # noqa: FBT001
    if value.endswith("."):
        return _translated(value, templates)
    if is_engine or value[:1].islower():
        return _known(value, templates) or _known(value.capitalize(), templates) or value
    return value
