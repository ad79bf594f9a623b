# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of prompts, by a tiny random pipeline that the test makes; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

from PIL import Image

from backend.__main__ import main
from backend.batch.running import Task
from backend.detailverse.pictures import Maker
from backend.errors import UserError
from tests.backend.detailverse.command import detailverse
from tests.backend.tiny_pipeline import save_tiny_pipeline


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as diffusers writes it."""
    return save_tiny_pipeline(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def task(folder: Path, seed: int, **settings: Any) -> Task:
    folder.mkdir(exist_ok=True)
    return Task("p", "p", {}, {"seed": seed, "settings": settings}, str(folder), "")


def test_a_seed_decides_the_picture_and_settings_reach_the_pipeline(pipeline: Path, tmp_path: Path) -> None:
    maker = Maker()
    settings = {"prompt": "an owl", "pipeline": str(pipeline), "precision": "auto", "size": 0, "steps": 1}
    pixels: list[Any] = []
    for seed, changed in ((1, {}), (1, {}), (2, {}), (1, {"prompt": "a cup", "guidance": 7.5}), (1, {"size": 48})):
        maker.make(task(tmp_path / "out", seed, **settings | changed))
        with Image.open(tmp_path / "out" / "p.png") as image:
            pixels.append(np.asarray(image))
    assert [each.shape for each in pixels] == [(32, 32, 3)] * 4 + [(48, 48, 3)]
    assert np.array_equal(pixels[0], pixels[1])
    assert not np.array_equal(pixels[0], pixels[2])
    assert not np.array_equal(pixels[0], pixels[3])


def test_a_pipeline_that_cannot_be_loaded_is_a_sentence_and_ends_the_batch(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = {"prompt": "an owl", "pipeline": str(tmp_path / "empty"), "precision": "auto", "size": 0}
    with pytest.raises(UserError, match="cannot be loaded") as raised:
        Maker().make(task(tmp_path / "out", 1, **settings))
    assert raised.value.code == "engine-missing"
    assert not raised.value.sentence.endswith(".."), "the library's own full stop is not repeated"


@pytest.mark.slow
def test_prompts_become_pictures_and_pictures_meshes(pipeline: Path, tmp_path: Path) -> None:
    """By the engine `draft`: what a random pipeline draws has no plain ground, so that a picture of a test is added."""
    from tests.backend.batch.pictures import SMALL, paint

    pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
    world = tmp_path / "world"
    assert detailverse("prompts", world, "--count", 2).returncode == 0
    made = detailverse("pictures", world, "--pipeline", pipeline, "--steps", 1)
    assert made.returncode == 0, made.stderr
    pictures = sorted(path.name for path in (world / "pictures").glob("*.png"))
    assert pictures == ["p000000.png", "p000001.png"]
    paint(world / "pictures" / "p000001.png")
    meshes = detailverse("meshes", world, *SMALL)
    assert meshes.returncode == 1, "noise is no object"
    assert "p000000: " in meshes.stderr
    assert (world / "meshes" / "p000001.glb").exists()
    record = json.loads((world / "meshes" / "summary.jsonl").read_text("utf-8").splitlines()[1])
    assert record["state"] == "done"
    lines = (world / "meshes" / "manifest.jsonl").read_text("utf-8").splitlines()
    prompts = [json.loads(line) for line in (world / "prompts.jsonl").read_text("utf-8").splitlines()]
    requests = {entry["name"]: entry["request"] for entry in map(json.loads, lines[1:])}
    assert [requests[line["name"]]["seed"] for line in prompts] == [line["seed"] for line in prompts]


def test_an_engine_that_makes_no_meshes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detailverse", "meshes", str(tmp_path), "--engine", "zero123pp"]) == 1
    assert "makes no meshes. Choose an engine that does" in capsys.readouterr().err
