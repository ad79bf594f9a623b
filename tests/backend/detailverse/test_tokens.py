# SPDX-License-Identifier: GPL-3.0-or-later
"""What DINOv2 sees of an object, by a tiny random network in the published layout."""

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

import torch
import transformers
from safetensors.torch import load_file, save_file

from backend.detailverse.drawing import SIDE
from backend.detailverse.tokens import Tokens, pooled
from backend.errors import UserError
from backend.files.pictures import write_picture
from backend.models.image_tokens import image_tokens, load_tokenizer, published_forms
from backend.models.imagenet import DEVIATION, MEAN


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dinov2")
    torch.manual_seed(3)
    config = transformers.Dinov2WithRegistersConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, mlp_ratio=1, image_size=518, patch_size=14
    )
    config.save_pretrained(folder)
    tensors = {name: torch.randn(form.shape) for name, form in published_forms(config).items()}
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_the_row_is_the_mean_of_the_class_tokens_and_of_the_patches(network: Path) -> None:
    views = np.random.default_rng(1).integers(256, size=(3, 28, 28, 3)).astype(np.uint8)
    row = pooled(load_tokenizer(network), views)
    pixels = (views / 255 - np.array(MEAN)) / np.array(DEVIATION)
    each = [image_tokens(load_tokenizer(network), torch.tensor(view).permute(2, 0, 1)[None].float()) for view in pixels]
    assert each[0].shape == (1, 1 + 4 + 4, 8)
    tokens = torch.cat(each)
    expected = torch.cat([tokens[:, 0].mean(0), tokens[:, 5:].reshape(-1, 8).mean(0)])
    np.testing.assert_allclose(row, expected.numpy(), atol=1e-5)


def test_rows_are_kept_until_the_views_change(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    sheet = tmp_path / "a.jpg"
    write_picture(sheet, np.zeros((2 * SIDE, 4 * SIDE, 3), np.uint8))
    row = Tokens(network).of_sheet(sheet)
    assert row.shape == (16,)
    with_none = Tokens(tmp_path / "no such folder")
    assert np.array_equal(with_none.of_sheet(sheet), row), "no network is needed"
    write_picture(sheet, np.full((2 * SIDE, 4 * SIDE, 3), 200, np.uint8))
    assert not np.allclose(Tokens(network).of_sheet(sheet), row)
    other = tmp_path / "other"
    shutil.copytree(network, other)
    torch.manual_seed(2)
    tensors = {name: torch.randn(value.shape) for name, value in load_file(network / "model.safetensors").items()}
    save_file(tensors, other / "model.safetensors")
    assert not np.allclose(Tokens(other).of_sheet(sheet), Tokens(network).of_sheet(sheet)), "each has rows of its own"
    (tmp_path / "a.npz").write_bytes(b"half")
    with pytest.raises(UserError):
        with_none.of_sheet(sheet)


def test_a_network_that_is_not_installed_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(UserError, match="missing in") as raised:
        Tokens(None).of_sheet(tmp_path / "a.jpg")
    assert raised.value.code == "weights-missing"
