# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks that draw views, tiny and random in the published layout, and a painted mesh."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.flow.products import Cutout, Mesh
from backend.guided.directions import texts
from backend.models.depth_diffusion import DepthDiffusion, load_depth_diffusion
from backend.models.prompts import load_text_encoder
from backend.texture.paint import paint
from backend.weights.catalogue import GUIDED
from tests.backend.texture.test_paint import ignore, made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the package."""
    from make_tiny_weights import make_guided

    folder = tmp_path_factory.mktemp("weights")
    make_guided(folder / GUIDED.name, torch.Generator().manual_seed(0))
    return folder


@pytest.fixture(scope="session")
def network(tiny: Path) -> DepthDiffusion:
    return load_depth_diffusion(tiny / GUIDED.name).to("cpu", torch.float32)


@pytest.fixture(scope="session")
def contexts(tiny: Path) -> dict[str, Tensor]:
    named = texts("a portrait")
    encoder = load_text_encoder(tiny / GUIDED.name).to("cpu", torch.float32)
    return dict(zip(named, encoder.embed([*named.values()]).split(1), strict=True))


@pytest.fixture(scope="session")
def painted() -> tuple[Mesh, Cutout]:
    """The portrait on a ball, with its colours all round, and its cut-out."""
    mesh, cutout, normal_map = made()
    return paint(mesh, cutout, normal_map, cutout.rgba, most=256, report=ignore), cutout
