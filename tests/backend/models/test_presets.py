# SPDX-License-Identifier: GPL-3.0-or-later
"""The presets cost what their descriptions say."""

import re

import pytest

from backend.models.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_description_has_its_numbers_of_evaluations(name: str) -> None:
    preset = PRESETS[name]
    reported = [int(number) for number in re.findall(r"\d+", preset.description)]
    assert reported[:2] == [preset.structure.evaluations, preset.latents.evaluations]


def test_upstream_is_what_the_published_demo_does() -> None:
    preset = PRESETS["upstream"]
    for sampling, steps in ((preset.structure, 50), (preset.latents, 6)):
        assert (sampling.steps, sampling.guidance, sampling.interval) == (steps, 3.0, (0.5, 1.0))
        assert (sampling.rescale_t, sampling.every) == (3.0, 1)


def test_faster_presets_come_first() -> None:
    costs = [preset.structure.evaluations for preset in PRESETS.values()]
    assert costs == sorted(costs)
    assert costs[-1] > 3 * costs[-2]
