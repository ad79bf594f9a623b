# SPDX-License-Identifier: GPL-3.0-or-later
"""A network whose description was altered is refused when it is loaded, by a sentence that names the file."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

from backend.engines.hi3dgen.networks import networks, normalization
from backend.errors import UserError
from backend.weights.catalogue import CONDITIONER, FOREGROUND, GEOMETRY, NORMALS

DESCRIPTIONS = {
    name: f"{GEOMETRY.name}/{next(file for file in GEOMETRY.files if part in file and file.endswith('.json'))}"
    for name, part in (
        ("structure flow", "ss_flow"),
        ("structure decoder", "ss_dec"),
        ("latent flow", "slat_flow"),
        ("latent decoder", "slat_dec"),
    )
} | {
    "tokenizer": f"{CONDITIONER.name}/config.json",
    "foreground": f"{FOREGROUND.name}/config.json",
    "normals": f"{NORMALS.name}/unet/config.json",
}


@pytest.fixture
def weights(tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the networks are loaded from."""
    copy = tmp_path / "weights"
    shutil.copytree(tiny_weights, copy)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(copy))
    return copy


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("structure flow", {"model_channels": -1}),
        ("structure flow", {"num_heads": 0}),
        ("structure flow", {"num_heads": 5}),
        ("structure flow", {"surplus": 1}),
        ("structure decoder", {"latent_channels": -1}),
        ("structure decoder", {"channels": 3}),
        ("latent flow", {"model_channels": "many"}),
        ("latent flow", {"io_block_channels": []}),
        ("latent decoder", {"num_heads": "four"}),
        ("latent decoder", {"model_channels": 100}),
        ("tokenizer", {"hidden_size": "a"}),
        ("tokenizer", {"hidden_size": -24}),
        ("tokenizer", {"patch_size": 0}),
        ("tokenizer", {"hidden_act": "none"}),
        ("foreground", {"embed_dim": [1]}),
        ("normals", {"block_out_channels": 5}),
        ("normals", {"block_out_channels": [4, -4, 8]}),
    ],
)
def test_an_invalid_size_is_refused(weights: Path, name: str, change: dict[str, Any]) -> None:
    path = weights / DESCRIPTIONS[name]
    document = json.loads(path.read_text())
    document.get("args", document).update(change)
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="describes no") as refused:
        networks()[name].load()
    assert refused.value.code == "weights-damaged"
    assert DESCRIPTIONS[name].split("/")[0] in refused.value.sentence
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize("std", ["abcd", None, [1.0], [1.0, "a", 1.0, 1.0], {}])
def test_latents_need_a_scale_for_every_channel(weights: Path, std: object) -> None:
    path = weights / GEOMETRY.name / "pipeline.json"
    document = json.loads(path.read_text())
    document["args"]["slat_normalization"]["std"] = std
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"pipeline\.json does not say how") as refused:
        normalization()
    assert refused.value.code == "weights-damaged"
