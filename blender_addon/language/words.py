# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the artist's language that Blender does not translate by itself.

`say` is for what is put together where it is shown. `translated` is for what was made in English elsewhere: errors,
and what the backend sends. Logs, names of data and what a terminal prints stay English.
"""

import bpy

from . import catalogue
from .po import CONTEXT
from .sentences import Templates, as_said, pieces, terms


def say(text: str, /, **fields: object) -> str:
    """A text of this add-on in the artist's language. fields: what stands in its braces."""
    found = bpy.app.translations.pgettext_iface(text, CONTEXT)
    return found.format(**fields) if fields else found


def translated(text: str) -> str:
    """A finished English text in the artist's language: whole, or sentence by sentence; what is not known stays.

    A field is translated, too, that is a sentence or holds a word of ours. Names that the artist gave stay, be they
    “Clay” or “mesh”.
    """
    templates = catalogue.templates()
    return _translated(text, templates) if templates else text


def joined(*sentences: str) -> str:
    """Sentences in the artist's language, those that are not empty; Chinese and Japanese have no space between them."""
    said = ""
    for sentence in filter(None, sentences):
        said += f" {sentence}" if said and not said.endswith("。") else sentence
    return said


def reported(error: RuntimeError) -> str:
    """What an operator that was called reported, without Blender's own word for an error in front of it."""
    return str(error).strip().removeprefix(f"{bpy.app.translations.pgettext_rpt('Error')}: ")


def _translated(text: str, templates: Templates) -> str:
    parts = pieces(text)
    said: list[str] = []
    while parts:
        for count in range(1, len(parts) + 1):  # a name may hold what looks like the end of a sentence
            if found := _known(" ".join(parts[:count]), templates):
                break
        else:
            count, found = 1, parts[0]
        said.append(found)
        parts = parts[count:]
    return joined(*said)


def _known(text: str, templates: Templates) -> str:
    """The translation of a text; empty if there is none."""
    found = bpy.app.translations.pgettext_rpt(text, CONTEXT)
    if found != text:
        return found
    template, values = as_said(text, templates)
    if not template:
        return ""
    fields = (_field(value, templates, is_term=at in terms(template)) for at, value in enumerate(values))
    return bpy.app.translations.pgettext_rpt(template, CONTEXT).format(*fields)


def _field(value: str, templates: Templates, *, is_term: bool) -> str:
    if is_term:
        return _known(value, templates) or _known(value.capitalize(), templates) or value
    return _translated(value, templates) if value.endswith(".") else value
