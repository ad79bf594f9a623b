# SPDX-License-Identifier: GPL-3.0-or-later
"""Stable Diffusion for depths and its text encoder take their published files, and refuse others by a sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from make_tiny_weights import make_guided
from safetensors.torch import load_file, save_file

from backend.errors import UserError
from backend.models.depth_diffusion import load_depth_diffusion
from backend.models.prompts import load_text_encoder
from tests.parity.golden import assert_close

VAE = "vae/diffusion_pytorch_model.fp16.safetensors"
TEXT = "text_encoder/model.fp16.safetensors"
OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guided")
    make_guided(folder, torch.Generator().manual_seed(0), attention=True)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "guided")
    return tmp_path / "guided"


def old_name(name: str) -> str:
    for now, then in OLD.items():
        if ".attentions." in name:
            name = name.replace(f".{now}.", f".{then}.")
    return name


def test_a_vae_with_the_names_of_its_time_is_the_same(folder: Path) -> None:
    pixels = torch.rand(1, 3, 64, 64) * 2 - 1
    now = load_depth_diffusion(folder).to("cpu", torch.float32).encode(pixels)
    tensors = load_file(folder / VAE)
    renamed = {old_name(name): tensor for name, tensor in tensors.items()}
    assert set(renamed) != set(tensors)
    save_file(renamed, folder / VAE)
    assert_close(load_depth_diffusion(folder).to("cpu", torch.float32).encode(pixels), now)


def test_a_text_encoder_with_the_names_of_its_time_is_the_same(folder: Path) -> None:
    texts = ["", "a red toy car"]
    now = load_text_encoder(folder).to("cpu", torch.float32).embed(texts)
    assert now.shape == (2, 32, 16)
    tensors = load_file(folder / TEXT)
    old = {f"text_model.{name.removeprefix('text_model.')}": tensor for name, tensor in tensors.items()}
    save_file({**old, "text_model.embeddings.position_ids": torch.arange(32)[None]}, folder / TEXT)
    assert_close(load_text_encoder(folder).to("cpu", torch.float32).embed(texts), now)


def test_texts_are_told_apart_and_long_ones_are_cut(folder: Path) -> None:
    encoder = load_text_encoder(folder).to("cpu", torch.float32)
    empty, one, other, long, longer = encoder.embed(["", "a car", "a cab", "car " * 40, "car " * 60])
    assert not torch.equal(empty, one)
    assert not torch.equal(one, other)
    assert_close(long, longer)


def remove(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def write(path: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / path).write_text(text, encoding="utf-8")

    return change


def enlarge(path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        tensors = load_file(folder / path)
        name = min(tensors)
        save_file({**tensors, name: torch.zeros(3, dtype=torch.float16)}, folder / path)

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (remove("unet/config.json"), "weights-missing"),
        (remove(VAE), "weights-missing"),
        (remove(TEXT), "weights-missing"),
        (remove("tokenizer/vocab.json"), "weights-missing"),
        (write("tokenizer/vocab.json", "[]"), "weights-damaged"),
        (write("text_encoder/config.json", json.dumps({"hidden_size": "a"})), "weights-damaged"),
        (write("unet/config.json", json.dumps({"down_block_types": ["None"]})), "weights-damaged"),
        (write(VAE, "no tensors"), "weights-damaged"),
        (enlarge(VAE), "weights-mismatch"),
        (enlarge(TEXT), "weights-mismatch"),
    ],
)
def test_other_files_are_refused(folder: Path, change: Callable[[Path], None], code: str) -> None:
    def load() -> None:
        load_depth_diffusion(folder)
        load_text_encoder(folder)

    load()
    change(folder)
    with pytest.raises(UserError) as caught:
        load()
    assert caught.value.code == code
