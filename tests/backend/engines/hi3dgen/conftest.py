# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine with tiny random networks in the published layout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.flow.pipeline import Pipeline


@pytest.fixture
def weights(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny_weights))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    from backend.engines.hi3dgen.engine import hi3dgen

    engine = hi3dgen()
    yield Pipeline({engine.name: engine})
    engine.unload()
