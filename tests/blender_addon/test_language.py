# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that an artist reads is translated into every language, and sentences with values inside are, too."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import translations
from hypothesis import given
from hypothesis import strategies as st

from tests.blender_addon.support import MODULE

LANGUAGES = ("de_DE", "es", "fr_FR", "ja_JP", "zh_HANS")
FIELD = re.compile(r"\{\w+\}")


def part(name: str) -> ModuleType:
    return import_module(f"{MODULE}.blender_addon.{name}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_that_is_gone(extension: ModuleType, language: str) -> None:
    wanted, known = translations.texts(), part("language.catalogue").texts_of(language)
    faults = [f"lacks: {text!r}" for text in wanted if text not in known]
    faults += [f"is not needed any more: {text!r}" for text in known if text not in wanted]
    faults += [
        f"has other fields: {text!r}: {said!r}"
        for text, said in known.items()
        if sorted(FIELD.findall(text[1])) != sorted(FIELD.findall(said))
    ]
    assert not faults, "\n".join([f"{language}.po; python scripts/translations.py brings it up to date", *faults])


def test_the_languages_are_those_of_the_catalogue(extension: ModuleType) -> None:
    catalogue = part("language.catalogue")
    assert catalogue.LANGUAGES == LANGUAGES
    assert {path.stem for path in catalogue.FOLDER.glob("*.po")} == {*LANGUAGES}


def test_what_an_artist_reads_is_found(extension: ModuleType) -> None:
    found = translations.texts()
    for text in (
        ("Hi3DGen", "Generate"),  # an operator's label
        ("*", "Where the next mesh stands"),  # a tooltip
        ("Hi3DGen", "Back Taper"),  # a setting of an engine
        ("Hi3DGen", "In a Row"),  # one of its options
        ("Hi3DGen", "{count} jobs wait. They start when {reason}:"),  # said in the panel
        ("Hi3DGen", "There is no file “{0}”."),  # an error
        ("Hi3DGen", "Check the path."),  # its advice
        ("Hi3DGen", "The cut-out has {0} separate parts."),  # a note of the backend
        ("Hi3DGen", "Cutting out"),  # a step
        ("Hi3DGen", "Downloading {0}"),  # of an installation, too
    ):
        assert text in found


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
TEXTS = st.dictionaries(st.tuples(st.sampled_from(["*", "Hi3DGen", "Other"]), TEXT), TEXT, max_size=3)


@given(TEXTS)
def test_a_file_of_translations_is_read_as_it_was_written(
    extension: ModuleType, tmp_path_factory: pytest.TempPathFactory, texts: Any
) -> None:
    po = part("language.po")
    path = tmp_path_factory.getbasetemp() / "language.po"
    path.write_text(po.written("de_DE", texts), encoding="utf-8")
    assert po.read(path) == texts


def test_a_translator_may_break_lines_comment_and_leave_texts_for_later(extension: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "language.po"
    path.write_text(
        """msgid ""
msgstr "Language: de_DE\\n"

# a translator's comment
#: where.py:1
msgid "One "
"text"
msgstr ""
"Ein "
"Text"

msgctxt "*"
msgid "Later"
msgstr ""
""",
        encoding="utf-8",
    )
    assert part("language.po").read(path) == {("Hi3DGen", "One text"): "Ein Text"}


@pytest.mark.parametrize(
    ("sentence", "template", "values"),
    [
        ("There is no file “a.png”.", "There is no file “{0}”.", ("a.png",)),
        ("“b” cannot be read: no.", "“{0}” cannot be read: {1}.", ("b", "no")),
        ("“b” cannot be read: no pixels.", "“{0}” cannot be read: no {1}.", ("b", "pixels")),
        ("Something else.", "", ()),
    ],
)
def test_a_sentence_is_known_by_the_template_that_says_most_of_it(
    extension: ModuleType, sentence: str, template: str, values: tuple[str, ...]
) -> None:
    sentences = part("language.sentences")
    known = [
        "There is no file “{0}”.",
        "“{0}” cannot be read: {1}.",
        "“{0}” cannot be read: no {1}.",
        "Check the path.",
    ]
    assert sentences.as_said(sentence, sentences.templates_of(known)) == (template, values)


def test_in_english_everything_is_said_as_it_stands(extension: ModuleType) -> None:
    words = part("language.words")
    assert words.say("{name}: seed {seed}", name="Owl", seed=7) == "Owl: seed 7"
    assert words.translated("There is no file “a.png”. Check the path.") == "There is no file “a.png”. Check the path."
