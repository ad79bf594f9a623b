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

LANGUAGES = ("de", "es", "fr", "ja", "zh_HANS")
FIELD = re.compile(r"\{\w+\}")
WIDTHS = {  # pixels for the text in a sidebar as wide as Blender opens it, at scale 1
    "Preview | Draw Cut-out | Edit | Use This Map | Make Again | Mark as Asset": 88,  # half of it, beside an icon
    "All Round | Picture | Normal Map | Normal Detail | Clay | Colour": 104,
    "Unwrap | Decimate | Remesh": 70,
    "Check | Scale | Save | Pause | Cancel | Go On | Forget": 88,
    "Make It Stand": 205,
    "Behind | In Front | Hidden": 70,
    "Engine | Seed | Variations | Resolution | Thickness | Faces | Mask | Map | Quality": 92,  # beside a field
    "Unseen Colours": 92,
    "Colours | Detail | Back Taper | Shape Steps | Shape Guidance | Detail Steps | Detail Guidance | Precision": 92,
    "Size | Placement | Origin | Shading | Collection": 92,
    "Upright | Solid | Cap Cut Ends | Remove Floaters | Limit Faces | Remove Light | Steady Noise": 112,
    "Upstream Picture": 112,
    "Draft | Networks | Preview | Balanced | Upstream | All Round, up to 4096 px | Mirror the Front": 110,  # a menu's
    "Filled | Drawn | Drawn and Refined": 110,
    "In a Row | In Place | At the 3D Cursor | Floor | Centre | 3D Cursor | Smooth | Flat | Brain 16 Bit": 110,
    "Contact Sheet | Texture from Picture | Texture from Views": 180,
    "Generate | Generate from Folder… | Stop at Normal Map | Open Preferences | Show in Material Preview": 205,
    "Show Colours in Solid View | Show True Colours | Restart Backend | Try Again | Add to Scene | Show Log": 205,
}


def part(name: str) -> ModuleType:
    return import_module(f"{MODULE}.blender_addon.{name}")


@pytest.fixture(scope="module")
def wanted(extension: ModuleType) -> list[translations.Text]:
    """All texts that are to be translated."""
    return translations.texts()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_that_is_gone(wanted: list[translations.Text], language: str) -> None:
    known = part("language.catalogue").texts_of(language)
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_on_a_button_fits_it(extension: ModuleType, language: str) -> None:
    import blf
    import bpy

    blf.size(0, bpy.context.preferences.ui_styles[0].widget.points)
    known = part("language.catalogue").texts_of(language)
    rows = [(known["Hi3DGen", text], pixels) for texts, pixels in WIDTHS.items() for text in texts.split(" | ")]
    assert not [label for label, pixels in rows if blf.dimensions(0, label)[0] > pixels]


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de_DE", "de"),
        ("es", "es"),
        ("zh_HANS", "zh_HANS"),
        ("de_AT", "de"),  # Automatic, and so on
        ("es_MX", "es"),
        ("fr_CA@euro", "fr"),
        ("zh_Hans", "zh_HANS"),
        ("zh_TW", ""),
        ("zh_HANT", ""),
        ("est_EE", ""),
        ("en_US", ""),
        ("C", ""),
        ("", ""),
    ],
)
def test_a_locale_is_known_by_its_language(extension: ModuleType, locale: str, language: str) -> None:
    assert part("language.catalogue").language_of(locale) == language


def test_what_an_artist_reads_is_found(wanted: list[translations.Text]) -> None:
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
        assert text in wanted


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
TEXTS = st.dictionaries(st.tuples(st.sampled_from(["*", "Hi3DGen", "Other"]), TEXT), TEXT, max_size=3)


@given(TEXTS)
def test_a_file_of_translations_is_read_as_it_was_written(
    extension: ModuleType, tmp_path_factory: pytest.TempPathFactory, texts: Any
) -> None:
    po = part("language.po")
    path = tmp_path_factory.getbasetemp() / "language.po"
    path.write_text(po.written("de", texts), encoding="utf-8")
    assert po.read(path) == texts


def test_a_translator_may_break_lines_comment_and_leave_texts_for_later(extension: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "language.po"
    path.write_text(
        """msgid ""
msgstr "Language: de\\n"

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


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("The engine “{0}” cannot run here.", {0}),
        ("The engine gave no “{0}” this time.", {0}),
        ("The memory was not enough while {0}.", {0}),
        ("The memory of {0} was not enough for the {1}, even in small pieces.", {0, 1}),
        ("The {0} that “{1}” was made with is not in this file any more.", {0}),  # the other is an object's name
        ("The picture that “{0}” was made from is not in this file any more.", set()),
        ("There is no image “{0}” in this file.", set()),
        ("“{0}” has shape keys, which would be lost.", set()),
    ],
)
def test_a_field_is_a_word_of_ours_or_may_be_a_name(
    wanted: list[translations.Text], template: str, words: set[int]
) -> None:
    assert ("Hi3DGen", template) in wanted
    assert part("language.sentences").terms(template) == words


def test_what_an_operator_reported_is_told_without_blenders_word_for_it(extension: ModuleType) -> None:
    assert part("language.words").reported(RuntimeError("Error: Check the path.\n")) == "Check the path."


def test_sentences_stand_behind_each_other_as_in_their_language(extension: ModuleType) -> None:
    joined = part("language.words").joined
    assert joined("One.", "", "Two.", "Three.") == "One. Two. Three."
    assert joined("結果ができました。", "今追加されます。") == "結果ができました。今追加されます。"
    assert joined("", "") == ""


def test_in_english_everything_is_said_as_it_stands(extension: ModuleType) -> None:
    words = part("language.words")
    assert words.say("{name}: seed {seed}", name="Owl", seed=7) == "Owl: seed 7"
    assert words.translated("There is no file “a.png”. Check the path.") == "There is no file “a.png”. Check the path."
