# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine promises: its stages fit together, its settings are checked, its description fits on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines import DRAFT, ENGINES, Engine, Stage
from backend.errors import UserError
from backend.version import VERSION
from backend.wire import frames, messages
from backend.wire.messages import Choice, EngineInfo, Setting
from backend.wire.settings import SETTINGS

each_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=list(ENGINES))


def stage(**settings: object) -> Stage:
    return Stage("geometry", "Building", (), tuple(settings), print)


@each_engine
def test_an_engine_is_listed_under_its_name_and_makes_every_result(engine: Engine) -> None:
    assert ENGINES[engine.name] is engine
    names = [stage.name for stage in engine.stages]
    assert len(set(names)) == len(names)
    wanted = ["foreground", "normals", "geometry", "finish"]
    assert [name for name in names if name in wanted] == wanted


@each_engine
def test_a_stage_takes_what_came_before_and_uses_what_can_be_set(engine: Engine) -> None:
    there = {"picture"}
    settings = {"seed", *(setting.name for setting in engine.settings)}
    for stage in engine.stages:
        assert set(stage.takes) <= there
        assert set(stage.uses) <= settings
        assert stage.label
        there.add(stage.name)
    assert settings - {"seed"} <= {name for stage in engine.stages for name in stage.uses}  # none does nothing


@each_engine
def test_what_clients_are_told_is_what_the_engine_is(engine: Engine) -> None:
    info = engine.info
    assert (info.name, info.label, info.description) == (engine.name, engine.label, engine.description)
    assert info.settings == engine.settings


@pytest.mark.parametrize("setting", [setting for settings in SETTINGS.values() for setting in settings])
def test_a_setting_says_what_it_may_be(setting: Setting) -> None:
    assert setting.label
    assert setting.description
    assert not setting.description.endswith("."), "Blender adds the full stop of a tooltip"
    if isinstance(setting.default, bool):
        assert not setting.choices
    elif isinstance(setting.default, str):
        assert setting.default in [choice.name for choice in setting.choices]
        assert all(choice.label and choice.description for choice in setting.choices)
    else:
        assert setting.minimum <= setting.default <= setting.maximum
        assert type(setting.minimum) is type(setting.maximum) is type(setting.default)


def test_settings_of_one_name_are_one_setting() -> None:
    """The panel and scripts know a setting by its name alone."""
    every = [setting for settings in SETTINGS.values() for setting in settings]
    assert all(a == b for a in every for b in every if a.name == b.name)


def test_the_capabilities_fit_into_a_message() -> None:
    capabilities = messages.Capabilities(VERSION, tuple(engine.info for engine in ENGINES.values()))
    assert len(messages.encode(capabilities)[0]) < frames.TO_CLIENT.message


def test_an_engine_uses_a_seed_where_a_stage_does() -> None:
    for uses, expected in (({"seed": 0}, True), ({"steps": 0}, False)):
        engine = Engine("x", "X", "", needs_gpu=True, missing=lambda: "No.", settings=(), stages=(stage(**uses),))
        assert engine.info == EngineInfo("x", "X", "", uses_seed=expected, needs_gpu=True, missing="No.", settings=())


def test_the_draft_engine_runs_everywhere() -> None:
    assert DRAFT.missing() == ""
    assert not DRAFT.needs_gpu


MIXED = Engine(
    "mixed",
    "Mixed",
    "",
    needs_gpu=False,
    missing=str,
    settings=(
        Setting("steps", "Steps", "", 5, 1, 10),
        Setting("scale", "Scale", "", 0.5, 0.0, 1.0),
        Setting("solid", "Solid", "", default=True),
        Setting("quality", "Quality", "", "fine", choices=(Choice("rough", "Rough", ""), Choice("fine", "Fine", ""))),
    ),
    stages=(),
)


def test_what_is_left_out_takes_its_default() -> None:
    assert MIXED.checked({}) == {"steps": 5, "scale": 0.5, "solid": True, "quality": "fine"}
    assert MIXED.checked({"scale": 1, "solid": False})["solid"] is False
    checked = MIXED.checked({"steps": 7.0, "scale": 0})
    assert [type(value) for value in checked.values()] == [int, float, bool, str]


scalars = st.booleans() | st.integers() | st.floats() | st.text(max_size=200) | st.just("rough")


@given(scalars)
def test_a_switch_takes_a_truth_and_a_choice_a_name_of_its_own(value: bool | float | str) -> None:  # noqa: FBT001
    for name, fits in (("solid", isinstance(value, bool)), ("quality", value in ("rough", "fine"))):
        try:
            assert MIXED.checked({name: value})[name] is value
            assert fits
        except UserError as error:
            assert not fits
            assert error.code == "bad-setting"  # noqa: PT017 - what fits raises nothing


@given(st.sampled_from(["steps", "scale"]), scalars)
def test_a_value_is_taken_exactly_where_it_fits(name: str, value: bool | float | str) -> None:  # noqa: FBT001
    limits = {"steps": (1, 10), "scale": (0.0, 1.0)}[name]
    number = not isinstance(value, bool | str)
    fits = number and limits[0] <= value <= limits[1] and (name == "scale" or float(value).is_integer())
    try:
        checked = MIXED.checked({name: value})
    except UserError as error:
        refusal = error
    else:
        assert fits
        assert checked[name] == value
        return
    assert not fits
    assert refusal.code == "bad-setting"
    assert name in refusal.sentence.lower()
    assert len(refusal.sentence) < 100
    assert str(limits[1]) in refusal.advice


def test_a_foreign_setting_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UserError) as caught:
        MIXED.checked({"colour": 1})
    assert caught.value.code == "bad-setting"
    assert "colour" in caught.value.sentence
    assert "steps, scale, solid, quality" in caught.value.advice
