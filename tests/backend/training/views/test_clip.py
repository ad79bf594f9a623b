# SPDX-License-Identifier: GPL-3.0-or-later
"""CLIP compares pictures on white, if the picture tower of six views is on this machine."""

from pathlib import Path

import numpy as np
import pytest

from backend.training.views.clip import measure
from backend.weights.catalogue import SIX_VIEWS

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    return tmp_path / SIX_VIEWS.name / "vision_encoder"


def test_without_the_tower_nothing_is_compared(weights: Path) -> None:
    assert not weights.exists()
    assert measure() is None


def test_the_cosine_is_that_of_embeddings_of_the_published_pixels(weights: Path) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "projection_dim": 12, "num_hidden_layers": 1}
    config = transformers.CLIPVisionConfig(**sizes, num_attention_heads=2, image_size=224, patch_size=56)
    torch.manual_seed(0)
    tower = transformers.CLIPVisionModelWithProjection(config).eval()
    tower.save_pretrained(weights)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 300, 300, 4), np.uint8)
    pictures[..., 3] = np.where(np.arange(300) < 200, 255, 0)
    shown = [Image.fromarray(np.where(each[..., 3:] > 0, each[..., :3], 255).astype(np.uint8)) for each in pictures]
    small = np.stack([np.asarray(each.resize((224, 224), Image.Resampling.BICUBIC), np.float32) for each in shown])
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    pixels = torch.from_numpy(((small / 255 - mean) / deviation).astype(np.float32)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        one, other = tower(pixels).image_embeds.numpy()
    alike = measure()
    assert alike is not None
    assert alike(*pictures) == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-3)
    assert alike(pictures[0], pictures[0]) == pytest.approx(1, abs=1e-5)
    assert alike(*pictures) < 0.9999
