# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine promises: its stages fit together, its settings are checked, its description fits on the wire."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.adapters import ADAPTERS
from backend.capabilities import capabilities_of
from backend.engines import DRAFT, ENGINES
from backend.errors import UserError
from backend.flow.engine import Engine, why_missing
from backend.flow.products import Mesh
from backend.flow.settings import Option, Scalar, Setting, checked
from backend.flow.stage import Stage
from backend.wire import frames, messages

each_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=list(ENGINES))


def stage(makes: str = "mesh", *takes: str, uses: tuple[str, ...] = (), name: str = "build") -> Stage:
    return Stage(name, "Building", makes, takes, uses, print)


def engine_of(*stages: Stage, settings: tuple[Setting, ...] = (), missing: Callable[[], str] = str) -> Engine:
    return Engine("x", "X", "", needs_gpu=True, missing=missing, settings=settings, stages=stages, gives={"mesh": Mesh})


@each_engine
def test_an_engine_is_listed_under_its_name_and_gives_what_has_an_adapter(engine: Engine) -> None:
    assert ENGINES[engine.name] is engine
    assert all(kind in ADAPTERS for kind in engine.gives.values())
    assert {"normal_map", "mesh"} <= engine.gives.keys() or [*engine.gives] in (["views"], ["panorama"])


@each_engine
def test_every_setting_does_something_and_every_stage_has_a_label(engine: Engine) -> None:
    used = {name for stage in engine.stages for name in stage.settings}
    assert {setting.name for setting in engine.settings} <= used
    assert all(stage.label for stage in engine.stages)


@pytest.mark.parametrize(
    "stages",
    [
        (stage("mesh", "clay"),),
        (stage("mesh", uses=("colour",)),),
        (stage(), stage()),
        (stage("views"),),
        (stage(name="picture"),),
        (),
    ],
)
def test_an_engine_that_does_not_fit_together_is_refused(stages: tuple[Stage, ...]) -> None:
    with pytest.raises(ValueError, match=r"^x: "):
        engine_of(*stages)


@each_engine
def test_clients_learn_what_the_engine_is(engine: Engine) -> None:
    (info,) = capabilities_of({engine.name: engine}).engines
    assert (info.name, info.label, info.description) == (engine.name, engine.label, engine.description)
    assert info.products == {name: name for name in engine.gives}
    assert info.inputs == engine.inputs
    for told, setting in zip(info.settings, engine.settings, strict=True):
        assert {**vars(told), "options": ()} == {**vars(setting), "options": ()}
        assert [vars(option) for option in told.options] == [vars(option) for option in setting.options]


@pytest.mark.parametrize("setting", [setting for engine in ENGINES.values() for setting in engine.settings])
def test_a_setting_says_what_it_may_be(setting: Setting) -> None:
    assert setting.label
    assert setting.description
    assert not setting.description.endswith("."), "Blender adds the full stop of a tooltip"
    if isinstance(setting.default, bool):
        assert not setting.options
    elif isinstance(setting.default, str) and not setting.options:
        assert len(setting.default) <= setting.maximum, "it is a line of text"
    elif isinstance(setting.default, str):
        assert setting.default in [option.name for option in setting.options]
        assert all(option.label and option.description for option in setting.options)
    else:
        assert setting.minimum <= setting.default <= setting.maximum
        assert type(setting.minimum) is type(setting.maximum) is type(setting.default)


def test_the_capabilities_fit_into_a_message() -> None:
    assert len(messages.encode(capabilities_of(ENGINES))[0]) < frames.TO_CLIENT.message


def test_an_engine_uses_a_seed_if_a_stage_does() -> None:
    assert engine_of(stage(uses=("seed",))).uses_seed
    assert not engine_of(stage()).uses_seed


def test_another_seed_changes_what_is_made_of_what_it_changes() -> None:
    engine = engine_of(
        stage("cutout", "picture", name="cut"),
        stage("shape", "cutout", uses=("seed",), name="shape"),
        stage("mesh", "shape", name="mesh"),
        stage("shape", "cutout", name="again"),
    )
    assert engine.seeded(["picture"]) == {"mesh"}


def test_stages_depend_on_the_inputs() -> None:
    engine = replace(
        engine_of(replace(stage(name="read"), when="own"), replace(stage(name="guessed"), unless="own")),
        inputs=("picture", "own"),
    )
    assert [each.name for each in engine.stages_for(["picture"])] == ["guessed"]
    assert [each.name for each in engine.stages_for(["picture", "own"])] == ["read"]
    for inputs in (["picture", "left"], ["own"]):
        with pytest.raises(UserError) as caught:
            engine.stages_for(inputs)
        assert caught.value.code == "bad-input"


def broken() -> str:
    raise ZeroDivisionError


def unreadable() -> str:
    raise UserError("bad-record", "The record is unreadable.", "Download it again.")


def test_an_engine_that_cannot_be_asked_is_missing_with_a_sentence() -> None:
    assert why_missing(engine_of(stage())) == ""
    assert why_missing(engine_of(stage(), missing=unreadable)) == "The record is unreadable. Download it again."
    sentence = why_missing(engine_of(stage(), missing=broken))
    assert sentence.endswith(".")
    others = {"x": engine_of(stage(), missing=broken), **ENGINES}
    assert [info.missing for info in capabilities_of(others).engines][:2] == [sentence, ""]


def test_the_draft_engine_runs_everywhere() -> None:
    assert DRAFT.missing() == ""
    assert not DRAFT.needs_gpu


MIXED = (
    Setting("steps", "Steps", "", 5, 1, 10),
    Setting("scale", "Scale", "", 0.5, 0.0, 1.0),
    Setting("solid", "Solid", "", default=True),
    Setting(
        "quality", "Quality", "", "fine", options=(Option("rough", "Rough", ""), Option("fine", "Fine", "", ("best",)))
    ),
)


def mixed(values: dict[str, Scalar]) -> dict[str, Scalar]:
    return checked("Mixed", MIXED, values)


def test_what_is_left_out_takes_its_default() -> None:
    assert mixed({}) == {"steps": 5, "scale": 0.5, "solid": True, "quality": "fine"}
    assert mixed({"scale": 1, "solid": False})["solid"] is False
    values = mixed({"steps": 7.0, "scale": 0})
    assert [type(value) for value in values.values()] == [int, float, bool, str]


scalars = st.booleans() | st.integers() | st.floats() | st.text(max_size=200) | st.just("rough")


def test_an_option_is_known_by_its_former_name() -> None:
    assert mixed({"quality": "best"})["quality"] == "fine"


@given(scalars)
def test_a_switch_takes_a_truth_and_a_choice_a_name_of_its_own(value: bool | float | str) -> None:  # noqa: FBT001
    for name, fits in (("solid", isinstance(value, bool)), ("quality", value in ("rough", "fine", "best"))):
        try:
            assert mixed({name: value})[name] == ("fine" if value == "best" else value)
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
        values = mixed({name: value})
    except UserError as error:
        refusal = error
    else:
        assert fits
        assert values[name] == value
        return
    assert not fits
    assert refusal.code == "bad-setting"
    assert name in refusal.sentence.lower()
    assert len(refusal.sentence) < 100
    assert f"{limits[1]:g}" in refusal.advice


def test_a_foreign_setting_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UserError) as caught:
        mixed({"colour": 1})
    assert caught.value.code == "bad-setting"
    assert "colour" in caught.value.sentence
    assert "steps, scale, solid, quality" in caught.value.advice
