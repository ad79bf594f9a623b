# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of Zero123++ are read from the published folders, and a file that does not fit is named."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from make_tiny_weights import WORDS, make_six_views

from backend.errors import UserError
from backend.models.prompts import load_text_encoder
from backend.models.zero123plus import load_empty_text, load_ramp
from backend.models.zero123plus_sampling import read_schedule, schedule_of
from backend.weights.catalogue import SIX_VIEWS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_six_views(tmp_path, torch.Generator().manual_seed(0))
    return tmp_path / SIX_VIEWS.name


def test_the_empty_text_is_filled_up_with_the_folders_own_padding(folder: Path) -> None:
    encoder = load_text_encoder(folder)
    length = encoder.network.config.max_position_embeddings
    padding = WORDS.index("!")
    tokens = torch.tensor([[0, 1] + [padding] * (length - 2)])
    with torch.inference_mode():
        wanted = encoder.network(tokens).last_hidden_state
    torch.testing.assert_close(load_empty_text(folder), wanted)


def test_the_levels_are_spread_as_the_authors_advise(folder: Path) -> None:
    schedule = read_schedule(folder, 4)
    assert schedule.levels.tolist() == [999, 749, 499, 249]
    assert schedule.velocity
    assert schedule.start == schedule.sigmas[0] > 20
    assert schedule.sigmas[-1] == 0


def test_a_sampler_of_another_kind_is_refused(folder: Path) -> None:
    path = folder / "scheduler" / "scheduler_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    assert not schedule_of({**config, "prediction_type": "epsilon"}, 4, "it").velocity
    for change in ({"prediction_type": "sample"}, {"beta_schedule": "curved"}):
        path.write_text(json.dumps({**config, **change}), encoding="utf-8")
        with pytest.raises(UserError, match=r"scheduler_config\.json describes"):
            read_schedule(folder, 4)


@pytest.mark.parametrize("index", [{}, {"ramping_coefficients": 3}, {"ramping_coefficients": ["a"]}])
def test_without_ramping_coefficients_the_file_is_named(folder: Path, index: dict[str, object]) -> None:
    assert len(load_ramp(folder)) == 32
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(UserError, match=r"model_index\.json holds no ramping coefficients"):
        load_ramp(folder)
