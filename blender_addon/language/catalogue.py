# SPDX-License-Identifier: GPL-3.0-or-later
"""The languages that there are translations for, and Blender's knowledge of them.

All labels have a context of their own: Blender's own panels stay as they are if they have the same words, and what
Blender means by a word (its “Drag” is that of the air) does not come here. Tooltips have none in Blender.
"""

import inspect
from pathlib import Path

import bpy

from ..extension import PACKAGE
from . import po
from .sentences import Templates, templates_of

LANGUAGES = ("de_DE", "es", "fr_FR", "ja_JP", "zh_HANS")  # as Blender 4.2 to 5.3 names them
FOLDER = Path(__file__).parent

_templates: dict[str, Templates] = {}


def texts_of(language: str) -> po.Texts:
    """The translations into a language."""
    return po.read(FOLDER / f"{language}.po")


def templates() -> Templates | None:
    """The sentences with fields that can be translated into the artist's language; None if that is English."""
    return _templates.get(bpy.app.translations.locale)


def keep_apart(cls: type) -> None:
    """Let the labels of a class that is about to be registered, and of its properties, have our context."""
    setattr(cls, "bl_translation_context", po.CONTEXT)  # noqa: B010 - a type has no such attribute for checkers
    for part in cls.__mro__:
        for annotation in inspect.get_annotations(part).values():
            getattr(annotation, "keywords", {})["translation_context"] = po.CONTEXT


def register() -> None:
    """Give Blender the translations into the languages that it has; as a Python module it has none."""
    texts = {each: texts_of(each) for each in LANGUAGES if each in bpy.app.translations.locales}
    bpy.app.translations.register(PACKAGE, texts)
    _templates.update({each: templates_of(text for _, text in known) for each, known in texts.items()})


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(PACKAGE)
    _templates.clear()
