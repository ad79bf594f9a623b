# SPDX-License-Identifier: GPL-3.0-or-later
"""*Upscale Picture* in the flow: what it changes, what it never changes, and what it says."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.commands.arguments import add_settings, add_upscaler, choose_upscaler
from backend.engines import DRAFT, ENGINES, TOOLS
from backend.flow.engine import Engine
from backend.flow.pipeline import Outcome, Pipeline
from backend.flow.products import Cutout, NormalMap, Picture
from backend.flow.request import Request
from backend.foreground.cut_out import cut_out
from backend.upscale import chosen, stages
from backend.upscale.own_colours import own_colours
from backend.upscale.stages import BY_RESAMPLER, LARGE_ENOUGH, UPSCALE, Upscaled, larger_picture, sharper_cutout
from backend.wire.limits import Scalar
from tests.backend.vase import Notes, vase

ON = {"resolution": 96, "colours": "front", "upscale": True}
GIVES = ["cutout", "normal_map"]


def quiet(_step: int, _of: int) -> None:
    """Nobody asks how far it is."""


def run(picture: Picture, pipeline: Pipeline | None = None, **changes: Scalar) -> Outcome:
    asked = Request({"picture": picture}, settings={**ON, **changes})
    (outcome,) = (pipeline or Pipeline(ENGINES)).run(asked, Notes(), gives=GIVES)
    return outcome


def cutout_of(outcome: Outcome) -> Cutout:
    cutout = outcome.products["cutout"]
    assert isinstance(cutout, Cutout)
    return cutout


@pytest.fixture(autouse=True)
def no_upscaler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HI3DGEN_UPSCALER", raising=False)


@pytest.mark.parametrize("engine", [*ENGINES.values(), *TOOLS.values()], ids=lambda engine: engine.name)
def test_engines_that_estimate_normals_have_it_and_are_without_its_stages_while_it_is_off(engine: Engine) -> None:
    has_it = UPSCALE in engine.settings
    assert has_it == (engine.name in ("draft", "hi3dgen", "texture"))
    assert not UPSCALE.default
    assert UPSCALE.advanced
    of_it = {stage for stage in engine.stages if stage.switch}
    assert bool(of_it) == has_it
    off, on = (engine.stages_for(engine.inputs, {"upscale": value}) for value in (False, True))
    assert not of_it.intersection(off)
    assert [stage for stage in on if stage not in of_it] == [*off]
    assert bool(of_it.intersection(on)) == has_it


def test_the_outline_is_the_same_to_the_bit_and_colours_and_normals_are_others() -> None:
    pipeline = Pipeline(ENGINES)
    off, on = (run(vase(45, 35), pipeline, upscale=value) for value in (False, True))
    assert (off.notes, on.notes) == ((), (BY_RESAMPLER,))
    assert np.array_equal(cutout_of(off).rgba[..., 3], cutout_of(on).rgba[..., 3])
    assert cutout_of(off).crop == cutout_of(on).crop, "without an upscaler the picture itself stays as it is"
    assert not np.array_equal(cutout_of(off).rgba, cutout_of(on).rgba)
    before, after = (outcome.products["normal_map"] for outcome in (off, on))
    assert isinstance(before, NormalMap)
    assert isinstance(after, NormalMap)
    assert np.array_equal(before.alpha, after.alpha)
    assert not np.array_equal(before.normals, after.normals)


def test_a_picture_that_is_large_enough_stays_as_it_is_which_is_said() -> None:
    pipeline = Pipeline(ENGINES)
    off, on = (run(vase(200, 160), pipeline, upscale=value) for value in (False, True))
    assert on.notes == (LARGE_ENOUGH,)
    assert np.array_equal(cutout_of(off).rgba, cutout_of(on).rgba)
    assert cutout_of(off).crop == cutout_of(on).crop


def test_pixel_art_is_enlarged_as_the_small_picture_that_it_was() -> None:
    small = vase(45, 35)
    large = small.repeat(6, axis=0).repeat(6, axis=1)
    cuts = [cutout_of(run(picture)) for picture in (small, large)]
    assert np.abs(cuts[0].rgba.astype(int) - cuts[1].rgba).max() <= 1
    assert cuts[1].crop.side == pytest.approx(6 * cuts[0].crop.side)


@pytest.mark.parametrize("side", [8, 12, 24])
def test_the_smallest_sprites_go_through_it(side: int) -> None:
    outcome = run(vase(side, side))
    assert np.isfinite(outcome.products["normal_map"].normals).all()


def test_more_pictures_of_the_object_are_enlarged_as_the_first_one() -> None:
    asked = Request({"picture": vase(45, 35), "back": vase(45, 35)[:, ::-1]}, settings={**ON, "resolution": 64})
    watcher = Notes()
    (outcome,) = Pipeline(ENGINES).run(asked, watcher, gives=["mesh"])
    assert f"The picture from behind: {BY_RESAMPLER}" in outcome.notes
    last = {name: product for name, product in watcher.products if isinstance(product, Cutout)}
    mirrored = last["back_cutout"].rgba[:, ::-1].astype(int)
    inside = last["cutout"].rgba[..., 3] == 255
    assert np.abs(last["cutout"].rgba.astype(int) - mirrored)[inside].max() <= 2


def test_the_upscaler_sees_the_object_alone() -> None:
    """On a green picture with a red disk there is no green in what it sees, and inside there are the very pixels."""
    rows, columns = np.mgrid[:60, :60]
    disk = (rows - 30.2) ** 2 + (columns - 27.9) ** 2 < 17.3**2
    picture = np.full((60, 60, 4), (20, 180, 40, 255), np.uint8)
    picture[disk] = (200, 40, 30, 255)
    picture[disk, 2] += ((rows * 3) % 50).astype(np.uint8)[disk]
    colours, (left, top, width, height) = own_colours(picture, cut_out(picture, 128, quiet), 1)
    assert colours.shape == (height, width, 3)
    assert colours[..., 1].max() < 80
    own = picture[top : top + height, left : left + width, :3]
    middle = (slice(height // 2 - 8, height // 2 + 8), slice(width // 2 - 8, width // 2 + 8))
    assert np.array_equal(colours[middle], own[middle])


@pytest.mark.parametrize("most", [1 << 26, 60 * 50 * 4, 60 * 50])
def test_what_an_upscaler_made_lies_where_the_picture_had_it(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels repeated eight times: picture and cut-out become larger, and show the same."""
    monkeypatch.setattr(stages, "MOST_PIXELS", most)
    picture = vase(60, 50)
    cutout = cut_out(picture, 256, quiet)
    colours, window = own_colours(picture, cutout, 1)
    made = Upscaled(colours.repeat(8, axis=0).repeat(8, axis=1), window, 1, 8)
    larger = larger_picture(picture, cutout, made, report=quiet)
    times = {1 << 26: 5, 60 * 50 * 4: 2, 60 * 50: 1}[most]  # 256 pixels for 52 are 5 times as many
    assert larger.shape == (60 * times, 50 * times, 4)
    sharper = sharper_cutout(cutout, larger, made, report=quiet)
    assert np.array_equal(sharper.rgba[..., 3], cutout.rgba[..., 3])
    assert replace(sharper.crop, left=0, top=0) == replace(cut_out(larger, 256, quiet).crop, left=0, top=0) or times > 1
    assert (sharper.crop.picture_width, sharper.crop.picture_height) == (50 * times, 60 * times)
    assert sharper.crop.left / sharper.crop.picture_width == pytest.approx(cutout.crop.left / 50)
    for one, other in ((larger[::times, ::times], picture), (sharper.rgba, cutout.rgba)):
        inside = other[..., 3] == 255
        difference = np.abs(one[..., :3].astype(int) - other[..., :3])[inside]
        assert difference.mean() < 4, "about half a pixel's step of the vase's colours"
        assert difference.max() < 24


def test_without_its_libraries_a_chosen_upscaler_is_replaced_by_the_resampler_which_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HI3DGEN_UPSCALER", "x4.pth")
    monkeypatch.setattr("backend.upscale.chosen.lacking", lambda: ["spandrel"])
    outcome = run(vase(45, 35))
    assert outcome.notes == (stages.WITHOUT_LIBRARIES,)
    assert DRAFT.versions() == {}


@pytest.mark.parametrize("given", [[("resolution", "96")], [("upscale", "false")]])
def test_a_file_on_the_command_line_switches_it_on_unless_that_says_otherwise(
    given: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x4.pth"
    file.touch()
    monkeypatch.setenv("HI3DGEN_UPSCALER", "")  # so that it is as before afterwards
    parser = argparse.ArgumentParser()
    add_settings(parser, [DRAFT], "{}")
    add_upscaler(parser)
    texts = [part for name, value in given for part in ("--set", f"{name}={value}")]
    options = parser.parse_args(["--upscaler", str(file), *texts])
    choose_upscaler(options)
    assert chosen.chosen_file() == file
    assert dict(options.set)["upscale"] == dict(given).get("upscale", "true")
