# SPDX-License-Identifier: GPL-3.0-or-later
"""The languages that there are translations for, and Blender's knowledge of them.

All labels have a context of their own: Blender's own panels stay as they are if they have the same words, and what
Blender means by a word (its “Drag” is that of the air) does not come here. Tooltips have none in Blender.
"""

import inspect
from functools import cache
from pathlib import Path

import bpy

from ..extension import PACKAGE
from . import po
from .sentences import Templates, templates_of

LANGUAGES = ("de", "es", "fr", "ja", "zh_HANS")
FOLDER = Path(__file__).parent


def texts_of(language: str) -> po.Texts:
    """The translations into a language."""
    return po.read(FOLDER / f"{language}.po")


def language_of(locale: str) -> str:
    """Which of the languages a locale of Blender's is; empty if it is none.

    A chosen language is such as “de_DE” or “es”. *Automatic* is the system's: “de_AT”, “es_MX”, on Windows “zh_Hans”.
    """
    return next((each for each in LANGUAGES if f"{locale}_".upper().startswith(f"{each}_".upper())), "")


def templates() -> Templates | None:
    """The sentences with fields; None if there are no translations into the artist's language."""
    return _templates() if language_of(bpy.app.translations.locale) else None


@cache
def _templates() -> Templates:
    return templates_of(text for _, text in texts_of(LANGUAGES[0]))  # every language has the same


def keep_apart(cls: type) -> None:
    """Let the labels of a class that is about to be registered, and of its properties, have our context."""
    setattr(cls, "bl_translation_context", po.CONTEXT)  # noqa: B010 - a type has no such attribute for checkers
    for part in cls.__mro__:
        for annotation in inspect.get_annotations(part).values():
            getattr(annotation, "keywords", {})["translation_context"] = po.CONTEXT


def register() -> None:
    """Give Blender the translations, unless it knows no languages, as a Python module does not.

    It looks for its locale, then for the language alone.
    """
    if bpy.app.translations.locales:
        texts = {each: texts_of(each) for each in LANGUAGES}
        bpy.app.translations.register(PACKAGE, texts | {"zh_Hans": texts["zh_HANS"]})


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(PACKAGE)
