# SPDX-License-Identifier: GPL-3.0-or-later
"""The presets cost what the page says."""

import re
from pathlib import Path

from backend.models.presets import PRESETS

PAGE = Path(__file__).parents[3] / "docs" / "performance.md"


def test_the_page_has_every_presets_numbers_of_evaluations() -> None:
    named = {"preview": "Preview", "balanced": "Balanced"}
    upstream = PRESETS["upstream"]
    table = re.findall(
        r"^\| (\w*) *\| (?:structure|latents): .*?\| (\d+ of \d+) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
    costs = [
        (label, f"{flow.evaluations} of {whole.evaluations}")
        for name in reversed(list(named))
        for preset in [PRESETS[name]]
        for label, flow, whole in (
            (named[name], preset.structure, upstream.structure),
            ("", preset.latents, upstream.latents),
        )
    ]
    assert table == costs


def test_upstream_is_what_the_published_demo_does() -> None:
    preset = PRESETS["upstream"]
    for sampling, steps in ((preset.structure, 50), (preset.latents, 6)):
        assert (sampling.steps, sampling.guidance, sampling.interval) == (steps, 3.0, (0.5, 1.0))
        assert (sampling.rescale_t, sampling.every) == (3.0, 1)


def test_faster_presets_come_first() -> None:
    costs = [preset.structure.evaluations for preset in PRESETS.values()]
    assert costs == sorted(costs)
    assert costs[-1] > 3 * costs[-2]
