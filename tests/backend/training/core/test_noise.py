# SPDX-License-Identifier: GPL-3.0-or-later
"""Injected noise is a function of the seed and the moment, and no stronger than it may be."""

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch

from backend.training.core.noise import injected
from backend.training.core.task import Moment

SHAPE = (8, 3, 32, 32)


def test_the_same_moment_has_the_same_noise_and_another_another() -> None:
    first = injected(SHAPE, 0.3, 1, Moment("trunk", 5))
    assert torch.equal(first, injected(SHAPE, 0.3, 1, Moment("trunk", 5)))
    for seed, moment in (
        (2, Moment("trunk", 5)),
        (1, Moment("trunk", 6)),
        (1, Moment("cool", 5)),
        (1, Moment("trunk", 5, 1)),
    ):
        assert not torch.equal(first, injected(SHAPE, 0.3, seed, moment))


def test_every_picture_has_a_strength_of_its_own() -> None:
    strengths = injected(SHAPE, 0.3, 1, Moment("trunk", 0)).std(dim=(1, 2, 3))
    assert strengths.max() < 0.31
    assert strengths.max() > 2 * strengths.min()
