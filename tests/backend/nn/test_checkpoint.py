# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights are loaded exactly, or refused with a sentence that names what is wrong."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from backend.errors import UserError
from backend.nn.checkpoint import described, fill, read_config, read_tensors


def network() -> nn.Module:
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))


def weights() -> dict[str, Tensor]:
    return {"0.weight": torch.rand(2, 3), "0.bias": torch.rand(2), "1.weight": torch.rand(2), "1.bias": torch.rand(2)}


def test_a_network_takes_a_whole_file_and_computes(tmp_path: Path) -> None:
    made, tensors = network(), weights()
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    fill(made, read_tensors(path), "x.safetensors")
    x = torch.rand(5, 3)
    expected = nn.functional.layer_norm(
        x @ tensors["0.weight"].T + tensors["0.bias"], (2,), tensors["1.weight"], tensors["1.bias"]
    )
    torch.testing.assert_close(made(x), expected)
    assert not made.training
    assert not any(parameter.requires_grad for parameter in made.parameters())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"0.bias": None}, "the tensor 0.bias is missing"),
        ({"2.bias": torch.rand(2)}, "no place for the tensor 2.bias"),
        ({"0.weight": torch.rand(3, 2)}, r"the tensor 0.weight is float32 \(3, 2\) instead of float32 \(2, 3\)"),
        ({"1.bias": torch.rand(2).half()}, r"the tensor 1.bias is float16 \(2,\) instead of float32 \(2,\)"),
        ({"0.bias": None, "2.bias": torch.rand(2)}, "and 1 more"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(change: dict[str, Tensor | None], named: str) -> None:
    tensors = {name: tensor for name, tensor in (weights() | change).items() if tensor is not None}
    made = network()
    with pytest.raises(UserError, match=named) as caught:
        fill(made, tensors, "x.safetensors")
    assert caught.value.code == "weights-mismatch"
    assert "x.safetensors" in caught.value.sentence
    assert all(parameter.is_meta for parameter in made.parameters())


def test_unused_tensors_are_left_out() -> None:
    fill(network(), weights() | {"spare.bias": torch.rand(7)}, "x", unused=("spare.bias",))


def test_a_file_that_is_missing_short_or_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(UserError, match=r"x\.safetensors is not there"):
        read_tensors(path)
    save_file(weights(), path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"x\.safetensors cannot be read"):
        read_tensors(path)
    path.write_text("<html>blocked</html>" * 9, encoding="utf-8")
    with pytest.raises(UserError, match=r"x\.safetensors cannot be read"):
        read_tensors(path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"name": "A", "args": 3}', '{"name": "B", "args": {}}', "\x00"),
        pytest.param("[" * 100_000, id="nested"),
    ],
)
def test_a_description_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"x\.json") as caught:
        read_config(path, "A")
    assert caught.value.code == "weights-damaged"


@pytest.mark.parametrize(
    "error", [TypeError("x"), KeyError("x"), ZeroDivisionError("x"), RuntimeError("negative\nsize")]
)
def test_a_size_that_a_library_refuses_is_a_damaged_description(error: Exception) -> None:
    with pytest.raises(UserError, match=r"x\.json describes no A") as caught, described("x.json", "A"):
        raise error
    assert caught.value.code == "weights-damaged"
    assert caught.value.__cause__ is error
    assert "\n" not in caught.value.sentence


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        ImportError("no module diffusers"),
        FileNotFoundError("x"),
        NotImplementedError("no kernel for meta tensors"),
        UserError("weights-missing", "It is missing.", "Download it."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_no_size_causes_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, described("x.json", "A"):
        raise error
    assert caught.value is error


def test_a_librarys_own_error_can_mean_a_wrong_size() -> None:
    class InvalidFieldError(Exception):
        """As a library has it that checks its configuration."""

    with pytest.raises(InvalidFieldError), described("x.json", "A"):
        raise InvalidFieldError
    with pytest.raises(UserError), described("x.json", "A", (InvalidFieldError,)):
        raise InvalidFieldError


def test_a_description_gives_its_arguments(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"name": "A", "args": {"channels": 4}}), encoding="utf-8")
    assert read_config(path, "A") == {"channels": 4}
