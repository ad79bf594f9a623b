# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of views with tiny random networks in the published files."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the packages of the engines hi3d and sv3d."""
    for library in ("torch", "diffusers", "transformers"):
        pytest.importorskip(library, reason=f"{library} is not installed here: the extra hi3dgen has it")
    from make_tiny_views import make_views

    folder = tmp_path_factory.mktemp("views")
    make_views(folder)
    return folder


@pytest.fixture
def views_weights(tiny_views: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny_views))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    return tiny_views
