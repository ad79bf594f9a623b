# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it will take is known before the first run."""

from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.engines.hi3dgen.cost import operations, speed_of
from backend.engines.hi3dgen.engine import hi3dgen
from backend.flow.settings import checked
from backend.nn.device import Compute


def settings(**changes: Any) -> dict[str, Any]:
    return checked("Hi3DGen", hi3dgen().settings, changes)


def whole(**changes: Any) -> float:
    return sum(operations(stage.name, settings(**changes)) for stage in hi3dgen().stages)


def test_less_quality_costs_less() -> None:
    assert whole(quality="preview") < whole(quality="balanced") < 0.4 * whole(quality="upstream")


def test_steps_and_guidance_count() -> None:
    assert whole(structure_steps=25) < 0.6 * whole(structure_steps=50)
    assert operations("structure", settings(structure_steps=50)) == operations("structure", settings())
    assert operations("latents", settings(latent_guidance=0)) < operations("latents", settings())


def test_the_published_settings_evaluate_as_often_as_published() -> None:
    """88 times for the structure and 11 for the latents (at 5.2 and 3 tera each, and 0.4 for the decoder)."""
    assert operations("structure", settings()) == pytest.approx(88 * 5.2e12 + 0.4e12)
    assert operations("latents", settings()) == pytest.approx(11 * 3e12)
    assert operations("place", settings()) == 0


def test_a_device_has_a_speed() -> None:
    assert 1e8 < speed_of(Compute(torch.device("cpu"), torch.float32)) < 1e14
