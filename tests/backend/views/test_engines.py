# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines hi3d and sv3d on tiny networks: from a picture to views with their cameras."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

from backend.engines.hi3d import stages as hi3d_stages
from backend.engines.hi3d.engine import hi3d
from backend.engines.sv3d import stages as sv3d_stages
from backend.engines.sv3d.engine import sv3d
from backend.errors import Cancelled, UserError
from backend.files.pictures import write_picture
from backend.flow.pipeline import Pipeline, Progress
from backend.flow.products import Views
from backend.flow.request import Request
from backend.nn import runner
from backend.nn.device import Compute
from backend.weights.catalogue import HI3D, SV3D_P
from tests.backend.engines.hi3dgen.tiny_engine import disc
from tests.backend.process import ROOT


class Watcher:
    """Counts the reports of the stage `views`, and cancels at one of them if it is asked to."""

    def __init__(self, cancel_at: int = 0) -> None:
        self.reports: list[tuple[int, int]] = []
        self._cancel_at = cancel_at

    def progressed(self, progress: Progress) -> None:
        """Note how far it is."""
        if progress.stage.name == "views":
            self.reports.append((progress.step, progress.of))
            if len(self.reports) == self._cancel_at:
                raise Cancelled

    def made(self, name: str, product: object) -> None:
        """Products are of no interest here."""


def views_of(pipeline: Pipeline, engine: str, seed: int = 1, watcher: Watcher | None = None, **settings: Any) -> Views:
    request = Request({"picture": disc()}, engine, seed, settings={"steps": 1, **settings})
    (outcome,) = pipeline.run(request, watcher or Watcher())
    return outcome.products["views"]


def test_the_command_writes_a_folder_of_both_stages_views_with_their_cameras(
    views_weights: Path, tmp_path: Path
) -> None:
    picture, folder = tmp_path / "disc.png", tmp_path / "views"
    write_picture(picture, disc())
    command = [sys.executable, "-s", "-m", "backend", "generate", str(picture), "-o", str(folder), "--engine", "hi3d"]
    done = subprocess.run(
        [*command, "--set", "steps=1", "--set", "elevation=20", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cameras = json.loads((folder / "cameras.json").read_text(encoding="utf-8"))["cameras"]
    assert sorted(path.name for path in folder.iterdir()) == ["000.png", "001.png", "002.png", "cameras.json"]
    places = np.array([camera["matrix"] for camera in cameras])[:, :3, 3]
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1.5, atol=1e-9)
    np.testing.assert_allclose(places[:, 2], 1.5 * np.sin(np.radians(20)), atol=1e-9)
    np.testing.assert_allclose(np.degrees(np.arctan2(places[:, 0], -places[:, 1])), [0, 120, -120], atol=1e-6)
    assert [camera["name"] for camera in cameras] == [f"azimuth {turn}, elevation 20" for turn in (0, 120, -120)]
    assert {(camera["fov"], *camera["size"]) for camera in cameras} == {(49.134, 128, 128)}


def test_the_first_stage_alone_gives_its_own_size_and_a_seed_means_the_same_again(views_weights: Path) -> None:
    pipeline = Pipeline({"hi3d": hi3d()}, cache_bytes=0)
    watcher = Watcher()
    first = views_of(pipeline, "hi3d", watcher=watcher, views_size="coarse")
    assert first.pictures.shape == (3, 64, 64, 4)
    done = [step / of for step, of in watcher.reports]
    assert done == sorted(done)
    assert done[-1] == 1
    assert np.array_equal(views_of(pipeline, "hi3d", views_size="coarse").pictures, first.pictures)
    other = views_of(pipeline, "hi3d", seed=2, views_size="coarse")
    assert not np.array_equal(other.pictures, first.pictures)
    pipeline.unload()


def test_the_last_view_of_sv3d_is_the_picture_itself(views_weights: Path) -> None:
    pipeline = Pipeline({"sv3d": sv3d()})
    told = views_of(pipeline, "sv3d", elevation=30.0)
    assert told.pictures.shape == (4, 64, 64, 4)
    assert told.pictures[-1, 32, 32].tolist() == [200, 80, 40, 255]
    assert told.pictures[-1, 0, 0].tolist() == [255] * 4
    place = told.cameras[-1].matrix[:3, 3]
    np.testing.assert_allclose(place[0], 0, atol=1e-9)
    assert place[1] < 0 < place[2]
    assert told.cameras[0].matrix[0, 3] > 0
    plain = views_of(pipeline, "sv3d", model="u", elevation=30.0)
    assert not np.array_equal(plain.pictures[0], told.pictures[0])
    pipeline.unload()


def test_an_object_as_wide_as_the_picture_is_seen_from_where_it_fills_it() -> None:
    (camera,) = sv3d_stages.cameras(1, 0.0, fill=1.0)
    distance = float(np.linalg.norm(camera.matrix[:3, 3]))
    assert 2 * distance * np.tan(np.radians(camera.fov) / 2) == pytest.approx(1)


def test_a_job_ends_in_the_middle_of_an_evaluation(views_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(report: Any) -> Any:
        from backend.nn.watching import repeating

        return repeating(report, pause=0)

    monkeypatch.setattr(runner, "repeating", impatient)
    pipeline = Pipeline({"sv3d": sv3d()}, cache_bytes=0)
    watcher = Watcher(cancel_at=400)
    with pytest.raises(Cancelled):
        views_of(pipeline, "sv3d", watcher=watcher)
    assert len({*watcher.reports}) < 40  # it repeats what it said before each evaluation
    pipeline.unload()


@pytest.mark.parametrize(("resolution", "minutes"), [("coarse", "176"), ("fine", "927")])
def test_a_processor_is_refused_with_the_time_that_it_would_take(
    resolution: str, minutes: str, tiny_views: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_views / HI3D.name, tmp_path / HI3D.name, ignore=shutil.ignore_patterns("*-fp16"))
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")

    def slow(_: Compute) -> float:
        return 1e11

    monkeypatch.setattr(runner, "speed_of", slow)
    with pytest.raises(UserError, match=f"By the processor this would take about {minutes} minutes") as caught:
        views_of(Pipeline({"hi3d": hi3d()}), "hi3d", steps=25, views_size=resolution)
    assert caught.value.code == "too-slow"
    assert not [*(tmp_path / HI3D.name).glob("*-fp16")]


def test_what_a_run_costs_is_known_before_it_begins(views_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: Compute) -> float:
        return 1.0

    monkeypatch.setattr(runner, "speed_of", slow)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(views_weights / "nothing"))
    settings = {"steps": 25, "precision": "auto", "views_size": "fine", "model": "p"}
    stages = hi3d_stages.Stages()
    assert stages.seconds("views", settings) == pytest.approx(1057e12, rel=1e-3)
    assert stages.seconds("fine", settings) == pytest.approx(5565e12, rel=1e-3)
    assert stages.seconds("fine", {**settings, "views_size": "coarse"}) is None
    assert sv3d_stages.Stages().seconds("views", {**settings, "steps": 50}) == pytest.approx(3527e12, rel=1e-3)


def test_without_weights_an_engine_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    assert hi3d().missing() == "The weights hi3d are not downloaded yet."
    assert sv3d().missing() == "The weights sv3d-p are not downloaded yet."
    with pytest.raises(UserError, match=f"Of the weights {SV3D_P.name}, sv3d_p.safetensors is missing"):
        views_of(Pipeline({"sv3d": sv3d_without_check()}), "sv3d")


def sv3d_without_check() -> Any:
    """The engine as if the other of its networks were here."""
    from dataclasses import replace

    return replace(sv3d(), missing=str)
