# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be made, in words: drawn from the grammar, or taken from a list."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.__main__ import main
from backend.detailverse import prompts
from backend.detailverse.prompts import drawn, listed, records
from backend.detailverse.vocabulary import ADJECTIVES, CATEGORIES, FRAMING, STYLES, Category
from backend.detailverse.world import World, read_lines
from backend.errors import UserError


def test_the_grammar_draws_different_prompts_and_more_of_them_begin_alike() -> None:
    many = drawn(2000, seed=3)
    assert len({prompt.text for prompt in many}) == 2000
    assert drawn(500, seed=3) == many[:500]
    assert records(many[:500], 3) == records(many, 3)[:500]
    assert drawn(500, seed=4) != many[:500]
    assert {prompt.category for prompt in many} == {*CATEGORIES}
    for prompt in many:
        category = CATEGORIES[prompt.category]
        assert sum(f" {thing} of " in prompt.text for thing in category.things) == 1, "one thing"
        assert any(f" of {material} " in prompt.text for material in category.materials)
        assert prompt.text.endswith(FRAMING)
        assert prompt.text.startswith("an ") == (prompt.text.split()[1][0] in "aeiou")


def test_no_word_is_there_twice() -> None:
    for words in (ADJECTIVES, STYLES, *(part for category in CATEGORIES.values() for part in category)):
        assert len({*words}) == len(words)
        assert "" not in words


def test_the_grammar_says_when_its_words_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "CATEGORIES", {"cups": Category(("cup",), ("tin",), ("a handle",))})
    monkeypatch.setattr(prompts, "ADJECTIVES", ("small", "old"))
    monkeypatch.setattr(prompts, "STYLES", ("plain",))
    assert len(drawn(4, seed=1)) == 4, "two adjectives, with and without a style"
    with pytest.raises(UserError, match="no more than about 4"):
        drawn(5, seed=1)


def test_a_list_is_gone_over_by_rules() -> None:
    found, dropped = listed(
        [
            *("# things", "", "  a   carved owl. ", "A carved OWL", "owl", "a city street at night"),
            *("many spoons", "a red, carved owl", " ".join(["very"] * 61)),
        ]
    )
    assert [prompt.text for prompt in found] == [f"{text}, {FRAMING}" for text in ("a carved owl", "a red, carved owl")]
    assert dropped == {"repeated": 1, "short": 1, "scene": 1, "several": 1, "long": 1}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=8))
def test_every_line_of_a_list_is_kept_or_counted_or_means_nothing(lines: list[str]) -> None:
    found, dropped = listed(lines)
    meant = [line for line in lines if line.split() and not " ".join(line.split()).rstrip(".,; ").startswith("#")]
    meant = [line for line in meant if " ".join(line.split()).rstrip(".,; ")]
    assert len(found) + dropped.total() == len(meant)


def test_the_command_adds_to_its_own_prompts_and_keeps_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = tmp_path / "world"
    assert main(["detailverse", "prompts", str(world), "--count", "3"]) == 0
    first = read_lines(World(world).prompts, ("name", "prompt", "seed"))
    assert [line["name"] for line in first] == ["p000000", "p000001", "p000002"]
    assert main(["detailverse", "prompts", str(world), "--count", "5"]) == 0
    assert read_lines(World(world).prompts, ("name",))[:3] == first
    (tmp_path / "own.txt").write_text("a clay whistle\nowls\na clay whistle\n", encoding="utf-8")
    given = ["detailverse", "prompts", str(world), "--list", str(tmp_path / "own.txt")]
    assert main(given) == 1
    assert "with other prompts. Give another folder, or add --overwrite." in capsys.readouterr().err
    assert len(read_lines(World(world).prompts, ("name",))) == 5
    assert main([*given, "--overwrite"]) == 0
    assert capsys.readouterr().out == "1 prompts. Left out: repeated 1, short 1.\n"
    (tmp_path / "own.txt").write_text("#\n", encoding="utf-8")
    assert main(given) == 1
    assert "There is no prompt in" in capsys.readouterr().err
    assert main(["detailverse", "prompts", str(world), "--list", str(tmp_path / "none.txt")]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    (tmp_path / "own.txt").write_bytes(b"\xff\xfe\xff")
    assert main(given) == 1
    assert "is not text in UTF-8" in capsys.readouterr().err


def test_a_line_that_somebody_broke_is_named_and_half_a_last_one_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"name": "a"}\n{"name": "b"', encoding="utf-8")
    assert read_lines(path, ("name",)) == [{"name": "a"}]
    for broken in ("[]", "{", '{"other": 1}', "[" * 10**5):
        path.write_text(f'{{"name": "a"}}\n{broken}\n', encoding="utf-8")
        with pytest.raises(UserError, match="Line 2 of"):
            read_lines(path, ("name",))
