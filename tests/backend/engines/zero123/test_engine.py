# SPDX-License-Identifier: GPL-3.0-or-later
"""A view by a move of the camera, by tiny random networks in the published file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from make_tiny_weights import make_view_by_move
from torch.utils.flop_counter import FlopCounterMode

from backend.engines.zero123 import pictures
from backend.engines.zero123 import stages as zero123_stages
from backend.engines.zero123.cost import UNET_VALUES, operations
from backend.engines.zero123.engine import zero123
from backend.errors import UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Crop, Cutout, Views
from backend.flow.request import Request
from backend.models.zero123 import Move
from backend.nn import runner
from backend.nn.ddim import schedule_of, step
from backend.weights.catalogue import VIEW_BY_MOVE
from tests.backend.engines.drawn_views import assert_ends_within, assert_same_by_the_smallest_plan, drawn
from tests.backend.engines.hi3dgen.tiny_engine import Watcher, disc

SIDE = 64  # pixels of a view, in place of 256


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    make_view_by_move(folder / VIEW_BY_MOVE.name, torch.Generator().manual_seed(0))
    return folder


@pytest.fixture(autouse=True)
def here(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    monkeypatch.setattr(pictures, "SIDE", SIDE)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    engine = zero123()
    yield Pipeline({engine.name: engine})
    engine.unload()


def request(seed: int = 0, count: int = 1, **settings: Any) -> Request:
    return Request({"picture": disc()}, "zero123", seed, count, {"steps": 3, **settings})


def views_of_seeds(pipeline: Pipeline, *arguments: Any, **settings: Any) -> list[Views]:
    return drawn(pipeline, request(*arguments, **settings))


def test_a_picture_becomes_a_view_from_where_the_camera_went(pipeline: Pipeline) -> None:
    (views,) = views_of_seeds(pipeline, azimuth=90.0, elevation=30.0)
    assert views.pictures.shape == (1, SIDE, SIDE, 4)
    (camera,) = views.cameras
    place = camera.matrix[:3, 3]
    assert place[0] > 0  # to the right of the picture's camera, which stands at -y
    assert place[1] == pytest.approx(0)
    assert place[2] == pytest.approx(np.linalg.norm(place) / 2)
    assert 1 / (2 * np.linalg.norm(place) * np.tan(np.radians(camera.fov / 2))) == pytest.approx(200 / 256)


def test_every_setting_and_the_seed_count(pipeline: Pipeline) -> None:
    first, second = views_of_seeds(pipeline, 3, 2)
    (alone,) = views_of_seeds(pipeline, 4)
    assert np.array_equal(alone.pictures, second.pictures)
    changes: tuple[dict[str, Any], ...] = (
        {"azimuth": -20.0},
        {"elevation": 10.0},
        {"distance": 0.3},
        {"steps": 4},
        {"guidance": 1.0},
        {"fresh_noise": 0.0},
    )
    others = [second, *(views_of_seeds(pipeline, 3, **change)[0] for change in changes)]
    assert not any(np.array_equal(other.pictures, first.pictures) for other in others)


def test_the_smallest_memory_plan_gives_the_same_view(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same_by_the_smallest_plan(pipeline, request(5), monkeypatch)


@pytest.mark.parametrize("stage", ["look", "views"])
def test_a_job_ends_within_a_stage(stage: str) -> None:
    assert_ends_within(zero123(), request(), stage)


def test_a_processor_that_would_take_too_long_is_refused_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero123_stages, "share", lambda: 1.0)  # the published networks

    def slow(_: object) -> float:
        return 0.02e12  # operations a second

    monkeypatch.setattr(runner, "speed_of", slow)
    engine = zero123()
    with pytest.raises(UserError, match="By the processor this would take about 15 minutes"):
        list(Pipeline({engine.name: engine}).run(request(steps=50), Watcher()))


def test_a_file_that_is_not_the_published_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    engine = zero123()
    assert engine.missing()
    (tmp_path / VIEW_BY_MOVE.name).mkdir()
    torch.save(
        {"state_dict": {"model.diffusion_model.out.2.bias": torch.zeros(4)}},
        tmp_path / VIEW_BY_MOVE.name / "105000.ckpt",
    )
    assert not engine.missing()
    with pytest.raises(UserError, match="the tensor weight is missing"):
        list(Pipeline({engine.name: engine}).run(request(), Watcher()))


def test_the_object_fills_as_much_of_white_as_the_network_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SIDE", 256)
    rgba = np.zeros((100, 100, 4), np.uint8)
    rgba[10:50, 60:80] = (10, 200, 30, 255)
    pixels = pictures.to_pixels(Cutout(rgba, Crop(0, 0, 100, 100, 100)))
    assert pixels.shape == (1, 3, 256, 256)
    rows, columns = (np.flatnonzero((pixels[0, 0] < 0).numpy().any(axis=axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (28, 227)
    assert (columns[0], columns[-1]) == (78, 177)
    assert (pixels[..., 0, 0] == 1).all()


def test_a_move_up_is_less_of_the_angle_from_above() -> None:
    numbers = Move(-90.0, 90.0, 0.5).numbers()
    np.testing.assert_allclose(numbers, [-np.pi / 2, 1, 0, 0.5], atol=1e-6)


def test_the_sampler_drops_the_noisiest_level() -> None:
    schedule = schedule_of(50, 1.0)
    assert (len(schedule.levels), schedule.levels[0], schedule.levels[-1]) == (49, 961, 1)
    still = torch.ones(1, 4, 2, 2)
    _, clean = step(schedule, 48, still, torch.zeros_like(still), torch.zeros_like(still))
    torch.testing.assert_close(clean, still / schedule.alpha_bars[48] ** 0.5)


@torch.inference_mode()
def test_the_operations_are_those_of_the_published_network() -> None:
    """In full size, on torch's "meta" device, which counts and does not compute."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        wide = {"in_channels": 8, "attention_head_dim": 8, "cross_attention_dim": 768}
        unet: Any = UNet2DConditionModel.from_config(wide)
        unet(torch.empty(1, 8, 32, 32), torch.empty(()), torch.empty(1, 1, 768))
    assert sum(tensor.numel() for tensor in unet.parameters()) == UNET_VALUES
    assert operations("views", 5) - operations("views", 4) == pytest.approx(2 * counter.get_total_flops(), rel=0.005)
    assert operations("views", 50) == pytest.approx(18e12, rel=0.02)
    assert operations("views", 150) == pytest.approx(59e12, rel=0.02), "which does 166"
