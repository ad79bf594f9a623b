# SPDX-License-Identifier: GPL-3.0-or-later
"""How much people like a picture: what CLIP sees of it, the score, and its slot in the vector."""

from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.models.aesthetic import score_from_published, seen_by_score
from backend.models.clip_tower import features
from backend.models.video_conditioning import score_slot
from tests.parity.test_published_names import enlarged, tower_of

PREFIX = "conditioner.embedders.1."


@golden.each("hi3d_aesthetic")
def test_the_score_is_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    picture = enlarged(fixture.input("lowres"), [fixture.facts["H"], fixture.facts["W"]])
    score = score_from_published(fixture.weights(f"{PREFIX}aesthetic_mlp."), "the fixture")
    seen = seen_by_score(picture)
    with torch.inference_mode():
        feature = features(tower_of(fixture, f"{PREFIX}aesthetic_model."), seen)
    ours = {"clip_input": seen[0], "clip_feature": feature}
    golden.assert_outputs_close(fixture, ours, needed=ours, relative=5e-6)
    golden.assert_close(score_slot(score.of(feature)), fixture.output("embedding"), absolute=2e-4)


@golden.each("hi3d_aesthetic")
def test_five_layers_without_activations_are_one_vector(path: Path) -> None:
    tensors = golden.read(path).weights(f"{PREFIX}aesthetic_mlp.")
    feature = torch.nn.functional.normalize(torch.linspace(-1, 2, len(tensors["layers.0.weight"][0])), dim=0)
    x = feature.double()
    for layer in (0, 2, 4, 6, 7):
        x = tensors[f"layers.{layer}.weight"].double() @ x + tensors[f"layers.{layer}.bias"].double()
    score = score_from_published(tensors, "the fixture")
    torch.testing.assert_close(score.of(3 * feature[None]), x.float(), rtol=0, atol=1e-6)
    assert score.of(torch.zeros_like(feature)[None]).item() == score.bias.item()


def test_a_score_without_one_of_its_layers_is_refused() -> None:
    tensors = {
        f"layers.{n}.{kind}": torch.zeros((1, 1) if kind == "weight" else 1)
        for n in (0, 2, 4, 6, 7)
        for kind in ("weight", "bias")
    }
    assert score_from_published(tensors, "a file").weight.shape == (1,)
    del tensors["layers.4.weight"]
    with pytest.raises(UserError, match=r"a file.*layers\.4\.weight is missing"):
        score_from_published(tensors, "a file")
