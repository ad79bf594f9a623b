# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of batches start from."""

from pathlib import Path

import pytest


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three pictures, one of them deeper."""
    from tests.backend.batch.pictures import paint

    folder = tmp_path / "photos"
    paint(folder / "apple.png")
    paint(folder / "more" / "apple.png", (20, 120, 240))
    paint(folder / "pear.png", (40, 200, 40))
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    return folder
