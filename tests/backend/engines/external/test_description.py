# SPDX-License-Identifier: GPL-3.0-or-later
"""A file describes an engine, or a sentence names the field that is wrong; it costs no other engine."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.engines import ENGINES, with_external
from backend.engines.external.description import read_description
from backend.errors import UserError
from backend.flow.engine import why_missing
from backend.flow.settings import Option, Setting, checked, values_that_fit
from tests.backend.engines.external.describing import BOX, box, describe

CHOICE = {
    "name": "style",
    "label": "Style",
    "kind": "choice",
    "default": "b",
    "options": [{"name": "a"}, {"name": "b", "label": "Bee", "description": "As a bee."}],
}
MANY = {**CHOICE, "default": "0", "options": [{"name": str(number)} for number in range(32)]}
WHOLE = {"name": "steps", "label": "Steps", "kind": "whole", "default": 5, "minimum": 1, "maximum": 9}


def test_a_file_says_what_the_program_is_and_what_can_be_chosen(tmp_path: Path) -> None:
    found = box(tmp_path, folder="..", needs=["weights"], wants=["normal_map"], settings=[CHOICE, WHOLE])
    assert (found.name, found.label, found.description) == ("box", "Box", "A box in two colours")
    assert found.folder.resolve() == tmp_path.resolve()
    assert found.needs == (tmp_path / "external" / ".." / "weights",)
    assert found.terms == "Not for use on the moon. Licence: GPL-3.0-or-later."
    assert found.uses_seed
    assert found.settings == (
        Setting("style", "Style", "Style", "b", options=(Option("a", "a", "a"), Option("b", "Bee", "As a bee"))),
        Setting("steps", "Steps", "Steps", 5, 1, 9),
    )


def test_a_line_of_text_is_checked_like_every_setting(tmp_path: Path) -> None:
    title = box(tmp_path).settings[2]
    assert checked("Box", [title], {"title": "ein Körper"}) == {"title": "ein Körper"}
    for value in ("x" * 21, "two\nlines", 5):
        with pytest.raises(UserError, match="Title cannot be"):
            checked("Box", [title], {"title": value})
    assert values_that_fit(title) == "a line of at most 20 characters"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "version is not 1"),
        ({"version": None}, "version is missing"),
        ({"label": 5}, "label is no line of 1 to 40 characters"),
        ({"label": "x" * 41}, "label is no line"),
        ({"label": "a\nb"}, "label is no line"),
        ({"command": "rm -rf /"}, "command is no list of 1 to 32"),
        ({"command": []}, "command is no list"),
        ({"command": ["python", 5]}, "command is no list of texts"),
        ({"command": ["a\0b"]}, "command is no list of texts"),
        ({"shell": True}, "shell is not known"),
        ({"environment": {"A B": "c"}}, "environment has no variable “A B”"),
        ({"environment": {"A": 5}}, "environment is no object"),
        ({"inherit": ["A=B"]}, "inherit has no variable “A=B”"),
        ({"wants": ["money"]}, "wants does not know “money”"),
        ({"gives": "song"}, "gives is none of mesh, views"),
        ({"gpu": "yes"}, "gpu is neither true nor false"),
        ({"time_limit": 0}, "time_limit is no whole number from 1 to 86400"),
        ({"time_limit": 1.5}, "time_limit is no whole number"),
        ({"licence_url": "file:///etc/passwd"}, "licence_url is no address"),
        ({"settings": [{**WHOLE, "minimum": True}]}, r"settings\[0\].minimum is no whole number"),
        ({"settings": [{**WHOLE, "minimum": 12}]}, r"settings\[0\].maximum is below the minimum"),
        ({"settings": [{**WHOLE, "name": "report"}]}, r"settings\[0\].name “report” is taken"),
        ({"settings": [{**WHOLE, "default": 10}]}, r"settings\[0\].default is no whole number from 1 to 9"),
        ({"settings": [WHOLE, WHOLE]}, r"settings\[1\].name “steps” is taken"),
        ({"settings": [{**WHOLE, "name": "faces"}]}, r"settings\[0\].name “faces” is taken"),
        ({"settings": [{**WHOLE, "name": "seed"}]}, r"settings\[0\].name “seed” is taken"),
        ({"settings": [{**WHOLE, "name": "class"}]}, r"settings\[0\].name is not made of"),
        ({"settings": [{**WHOLE, "step": 1}]}, r"settings\[0\].step is not known"),
        ({"settings": [{**CHOICE, "default": "c"}]}, r"settings\[0\].default is none of a, b"),
        ({"settings": [{**CHOICE, "options": []}]}, r"settings\[0\].options is no list of 1 to 32"),
        ({"settings": ["steps"]}, r"settings\[0\] is no object"),
        ({"settings": [{**WHOLE, "name": "items"}]}, r"settings\[0\].name “items” is taken"),
        ({"settings": [{**WHOLE, "name": f"s{number}"} for number in range(33)]}, "settings is no list of 0 to 32"),
        (
            {"settings": [MANY, {**MANY, "name": "another"}, {**MANY, "name": "third"}]},
            "settings have more than 64 options",
        ),
        ({"environment": {"A": "x" * (1 << 14)}}, "it has more than 16384 bytes"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=rf"^“box\.json” describes no engine: {reason}") as caught:
        box(tmp_path, **changes)
    assert caught.value.code == "bad-description"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*BOX, "needs", "wants", "other"]), JSON, min_size=1, max_size=3))
def test_whatever_a_file_holds_it_is_an_engine_or_a_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = describe(tmp_path)
    path.write_text(json.dumps({**BOX, **changes}))
    with contextlib.suppress(UserError):
        assert read_description(path, frozenset()).label


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
@pytest.mark.parametrize("place", ["external", "external/box.json"])
def test_what_everybody_may_write_is_not_believed(tmp_path: Path, place: str) -> None:
    path = describe(tmp_path)
    (tmp_path / place).chmod(0o777)
    with pytest.raises(UserError, match="everybody may write to"):
        read_description(path, frozenset())


def test_a_broken_file_costs_its_own_engine_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    for name in ("box", "draft", "texture", "Not a name", "class_of_one"):
        describe(tmp_path, name)
    (tmp_path / "external" / "torn.json").write_text("{")
    (tmp_path / "external" / "readme.txt").write_text("no description")
    engines = with_external(ENGINES)
    assert [*engines] == [*ENGINES, "box", "class_of_one", "torn"]
    assert engines["draft"] is ENGINES["draft"]
    assert why_missing(engines["box"]) == ""
    assert why_missing(engines["torn"]).startswith("“torn.json” describes no engine: it is no JSON")


def test_a_program_that_is_not_there_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    (tmp_path / "text").write_text("no program")
    changes: dict[str, dict[str, Any]] = {
        "gone": {"command": [str(tmp_path / "python3")]},
        "nowhere": {"command": ["no-such-program-anywhere"]},
        "text": {"command": [str(tmp_path / "text")]},
        "folder": {"folder": "missing"},
        "weights": {"needs": ["weights/model.safetensors"]},
    }
    for name, each in changes.items():
        describe(tmp_path, name, **each)
    said = {name: why_missing(engine) for name, engine in with_external({}).items()}
    assert said["gone"].startswith(f"Its program “{tmp_path / 'python3'}” is not there. Install it, or mend “")
    assert said["nowhere"].startswith("Its program “no-such-program-anywhere” is not there.")
    assert said["folder"].startswith("There is no folder “")
    assert "model.safetensors”, which it needs, is not there." in said["weights"]
    if os.name == "posix":
        assert said["text"].startswith(f"Its program “{tmp_path / 'text'}” may not be run.")


def test_a_changed_script_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    script = tmp_path / "script.py"
    script.write_text("1")
    describe(tmp_path, command=[BOX["command"][0], str(script)])
    engine = with_external({})["box"]
    before = engine.versions()
    assert engine.versions() == before
    script.write_text("2")
    assert engine.versions() != before
