# SPDX-License-Identifier: GPL-3.0-or-later
"""How long things take, in words."""

from importlib import import_module
from typing import Any

import pytest

from tests.blender_addon.support import MODULE


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (1.4, "1 s"),
        (89.4, "89 s"),
        (90.0, "2 min"),
        (59.4 * 60, "59 min"),
        (59.6 * 60, "1 h 0 min"),
        (80 * 60, "1 h 20 min"),
        (26 * 3600, "26 h 0 min"),
    ],
)
def test_a_duration_in_words(scene: Any, seconds: float, text: str) -> None:
    assert import_module(f"{MODULE}.blender_addon.ui.text").duration(seconds) == text
