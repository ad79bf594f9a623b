# SPDX-License-Identifier: GPL-3.0-or-later
"""Six views and their normals, by tiny random networks in the published layout."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from make_tiny_weights import make_six_views
from torch.utils.flop_counter import FlopCounterMode

from backend.engines.zero123pp import stages as zero123pp_stages
from backend.engines.zero123pp.cost import UNET_VALUES, operations
from backend.engines.zero123pp.engine import zero123pp
from backend.errors import UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Views
from backend.flow.request import Request
from backend.models.reference_attention import attach, remembering
from backend.models.zero123plus_pictures import sheet_of, views_of
from backend.nn import runner
from backend.weights.catalogue import SIX_NORMALS
from tests.backend.engines.drawn_views import assert_ends_within, assert_same_by_the_smallest_plan, drawn
from tests.backend.engines.hi3dgen.tiny_engine import Watcher, disc

SIDE = 64  # pixels of a view, in place of 320


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    make_six_views(folder, torch.Generator().manual_seed(0))
    return folder


@pytest.fixture(autouse=True)
def here(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    monkeypatch.setattr(zero123pp_stages, "SIDE", SIDE)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    engine = zero123pp()
    yield Pipeline({engine.name: engine})
    engine.unload()


def request(seed: int = 0, count: int = 1, **settings: Any) -> Request:
    return Request({"picture": disc()}, "zero123pp", seed, count, {"steps": 2, **settings})


def views_of_seeds(pipeline: Pipeline, *arguments: Any, **settings: Any) -> list[Views]:
    return drawn(pipeline, request(*arguments, **settings))


def test_a_picture_becomes_six_views_and_their_cameras(pipeline: Pipeline) -> None:
    (views,) = views_of_seeds(pipeline)
    assert views.pictures.shape == (6, SIDE, SIDE, 4)
    assert (views.pictures[..., 3] == 255).all()
    assert [camera.fov for camera in views.cameras] == [30.0] * 6
    places = np.array([camera.matrix[:3, 3] for camera in views.cameras])
    azimuths = np.degrees(np.arctan2(places[:, 0], -places[:, 1])) % 360  # the picture's camera stands at -y
    np.testing.assert_allclose(azimuths, [30, 90, 150, 210, 270, 330])
    lengths = np.linalg.norm(places, axis=1)
    np.testing.assert_allclose(np.degrees(np.arcsin(places[:, 2] / lengths)), [20, -10] * 3)
    width = 2 * lengths * np.tan(np.radians(15))
    np.testing.assert_allclose(width, 1.2)  # at the object's middle, as wide as a cut-out of an object of one metre


def test_the_seed_the_steps_and_the_guidance_count(pipeline: Pipeline) -> None:
    first, second = views_of_seeds(pipeline, 3, 2)
    assert not np.array_equal(first.pictures, second.pictures)
    (alone,) = views_of_seeds(pipeline, 4)
    assert np.array_equal(alone.pictures, second.pictures)
    for change in ({"guidance": 1.0}, {"steps": 3}):
        assert not np.array_equal(views_of_seeds(pipeline, 3, **change)[0].pictures, first.pictures)


def test_the_smallest_memory_plan_gives_the_same_views(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same_by_the_smallest_plan(pipeline, request(5), monkeypatch)


def test_normals_come_on_request_and_follow_the_colours(pipeline: Pipeline) -> None:
    watcher = Watcher()
    (outcome,) = pipeline.run(request(6), watcher, ["views", "normal_views"])
    normals, views = outcome.products["normal_views"], outcome.products["views"]
    assert normals.pictures.shape == views.pictures.shape
    assert not np.array_equal(normals.pictures, views.pictures)
    assert normals.cameras == views.cameras


def test_without_their_network_the_normals_say_what_is_missing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in tiny.iterdir():
        if package.name != SIX_NORMALS.name:
            (tmp_path / package.name).symlink_to(package)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    engine = zero123pp()
    assert not engine.missing()
    with pytest.raises(UserError, match=SIX_NORMALS.name):
        list(Pipeline({engine.name: engine}).run(request(), Watcher(), ["normal_views"]))
    engine.unload()


@pytest.mark.parametrize("stage", ["look", "views"])
def test_a_job_ends_within_a_stage(stage: str) -> None:
    assert_ends_within(zero123pp(), request(), stage)


def test_a_processor_that_would_take_too_long_is_refused_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero123pp_stages, "share", lambda: 1.0)  # the published networks

    def slow(_: object) -> float:
        return 0.1e12  # operations a second

    monkeypatch.setattr(runner, "speed_of", slow)
    engine = zero123pp()
    watcher = Watcher()
    with pytest.raises(UserError, match="By the processor this would take about 33 minutes") as refused:
        list(Pipeline({engine.name: engine}).run(request(steps=28), watcher))
    assert refused.value.code == "too-slow"
    assert watcher.ran == ["foreground", "look"]


def test_a_sheet_is_cut_row_by_row_and_put_together_again() -> None:
    sheet = np.arange(3 * 2 * 2 * 2 * 3, dtype=np.uint8).reshape(6, 4, 3)
    views = views_of(sheet)
    assert np.array_equal(views[1], sheet[:2, 2:])
    assert np.array_equal(views[2], sheet[2:4, :2])
    assert np.array_equal(sheet_of(views), sheet)


@torch.inference_mode()
def test_the_operations_are_those_of_the_published_network() -> None:
    """In full size, on torch's "meta" device, which counts and does not compute."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    wide = {"attention_head_dim": (5, 10, 20, 20), "cross_attention_dim": 1024, "use_linear_projection": True}
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        unet: Any = UNet2DConditionModel.from_config(wide)
        references, context = attach(unet), torch.empty(1, 77, 1024)
        with remembering(references):
            unet(torch.empty(1, 4, 64, 64), torch.empty(()), context)
        unet(torch.empty(1, 4, 120, 80), torch.empty(()), context)
    assert sum(tensor.numel() for tensor in unet.parameters()) == UNET_VALUES
    step = operations("views", 2) - operations("views", 1)
    assert step == pytest.approx(2 * counter.get_total_flops(), rel=0.005)
    assert operations("views", 28) + operations("look", 28) == pytest.approx(198e12, rel=0.01)
    assert operations("normal_views", 28) > operations("views", 28)
    assert operations("foreground", 28) == 0
