# SPDX-License-Identifier: GPL-3.0-or-later
"""How long things take, in words, and where a line of a label ends."""

from importlib import import_module
from typing import Any

import pytest

from tests.blender_addon.support import MODULE


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (1.4, "1 s"),
        (89.4, "89 s"),
        (90.0, "2 min"),
        (59.4 * 60, "59 min"),
        (59.6 * 60, "1 h 0 min"),
        (80 * 60, "1 h 20 min"),
        (26 * 3600, "26 h 0 min"),
    ],
)
def test_a_duration_in_words(scene: Any, seconds: float, text: str) -> None:
    assert import_module(f"{MODULE}.blender_addon.ui.text").duration(seconds) == text


@pytest.fixture
def lines(scene: Any) -> Any:
    """The function, and how wide a text is."""
    text = import_module(f"{MODULE}.blender_addon.ui.text")

    def broken(sentence: str, widest: str) -> list[str]:
        import blf

        text.lines("", 1.0)  # sets the font's size
        return text.lines(sentence, blf.dimensions(0, widest)[0])

    return broken


def test_a_line_ends_between_words(lines: Any) -> None:
    assert lines("  one two three", "  one two") == ["  one two", "  three"]
    assert lines("", "one") == [""]


def test_chinese_and_japanese_lines_end_between_characters_but_not_before_a_comma(lines: Any) -> None:
    for sentence, count in (("「あいう」を、選ぶ。", 6), ("画像「owl.png」を『PNG』で選ぶ。", 8)):
        for widest in ("あ", "「あい", "「あいう", "「あいう」を", sentence):
            broken = lines(sentence, widest)
            assert "".join(broken) == sentence
            assert not [line for line in broken if line[0] in "」』、。" or line[-1] in "「『"]
        assert len(lines(sentence, "あ")) == count


def test_french_lines_do_not_end_between_a_word_and_its_mark(lines: Any) -> None:
    assert lines("le fichier «\u00a0owl\u00a0»\u00a0:", "le fichier «") == ["le fichier", "«\u00a0owl\u00a0»\u00a0:"]


def test_words_within_japanese_stay_whole(lines: Any) -> None:
    broken = lines("これはBlender 5.2のPythonです", "これはBlen")
    assert "".join(broken).replace(" ", "") == "これはBlender5.2のPythonです"
    assert all(any(word in line for line in broken) for word in ("Blender", "Python"))
