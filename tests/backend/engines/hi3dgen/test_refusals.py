# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine says of weights that are missing, damaged or of another network, and of numbers that overflow."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import load_file, save_file

from backend.engines.hi3dgen.engine import hi3dgen
from backend.errors import UserError
from backend.flow.pipeline import Pipeline
from backend.weights.catalogue import CONDITIONER, GEOMETRY, NORMALS
from tests.backend.engines.hi3dgen.tiny_engine import Watcher, request

pytestmark = pytest.mark.usefixtures("weights")


def broken(tiny_weights: Path, folder: Path, file: str, change: Any) -> Path:
    """A copy of the weights in which the tensors of one file have been changed."""
    shutil.copytree(tiny_weights, folder)
    path = folder / file
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    return folder


def file_of(name: str) -> str:
    return f"{GEOMETRY.name}/" + next(file for file in GEOMETRY.files if name in file and "safetensors" in file)


def refused(weights: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> UserError:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(weights))
    engine = hi3dgen()
    with pytest.raises(UserError) as caught:
        list(Pipeline({"hi3dgen": engine}).run(request(1, **settings), Watcher()))
    return caught.value


def test_a_structure_without_voxels_is_an_error(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def empty(tensors: dict[str, Any]) -> None:
        tensors["out_layer.2.bias"][:] = -1e6

    error = refused(broken(tiny_weights, tmp_path / "w", file_of("ss_dec"), empty), monkeypatch)
    assert error.code == "empty-structure"
    assert "seed 1" in error.sentence


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (("ss_flow", "out_layer.bias"), "structure's flow model"),
        (("ss_dec", "out_layer.2.bias"), "structure's decoder"),
        (("slat_flow", "out_layer.bias"), "latents' flow model"),
        (("slat_dec", "out_layer.bias"), "latents' decoder"),
        (("", "embeddings.cls_token"), "tokenizer"),
    ],
)
def test_non_finite_numbers_are_an_error(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[str, str], named: str
) -> None:
    name, tensor = place

    def spoil(tensors: dict[str, Any]) -> None:
        tensors[tensor][0] = float("nan")

    file = file_of(name) if name else f"{CONDITIONER.name}/model.safetensors"
    error = refused(broken(tiny_weights, tmp_path / "w", file, spoil), monkeypatch)
    assert error.code == "numbers-overflow"
    assert named in error.sentence


def test_an_unknown_tensor_is_refused_by_name(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(tensors: dict[str, Any]) -> None:
        tensors["surplus.weight"] = torch.zeros(1)

    error = refused(broken(tiny_weights, tmp_path / "w", file_of("slat_flow"), add), monkeypatch)
    assert error.code == "weights-mismatch"
    assert "surplus.weight" in error.sentence


@pytest.mark.parametrize("package", [GEOMETRY, NORMALS, CONDITIONER], ids=lambda package: package.name)
def test_a_file_that_was_cut_short_is_refused_by_name(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: Any
) -> None:
    shutil.copytree(tiny_weights, tmp_path / "w")
    file = next(file for file in package.files if file.endswith(".safetensors"))
    path = tmp_path / "w" / package.name / file
    path.write_bytes(path.read_bytes()[:-100])
    error = refused(tmp_path / "w", monkeypatch)
    assert error.code in {"weights-damaged", "weights-missing"}
    assert Path(file).name in error.sentence


def test_an_engine_without_weights_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused(tmp_path / "nowhere", monkeypatch)
    assert error.code == "engine-missing"
    assert "weights" in error.advice


def test_a_pipeline_description_with_missing_entries(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_weights, tmp_path / "w")
    (tmp_path / "w" / GEOMETRY.name / "pipeline.json").write_text(json.dumps({"name": "x", "args": {}}))
    assert refused(tmp_path / "w", monkeypatch).code == "weights-damaged"
