# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of blocks that a training draws from."""

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import numpy as np

from backend.training.core.windows import Windows


def numbered(workers: int, share: int = 0, most: int = 6) -> Windows:
    """Windows of blocks that are their own numbers."""
    return Windows(lambda index: index, "cool", share, 2.0, most, workers)


def test_it_moves_on_and_keeps_what_is_in_it() -> None:
    made: list[int] = []
    windows = Windows(lambda index: made.append(index) or index, "cool", 0, 2.0, 6)
    random = np.random.default_rng(0)
    for step in range(50):
        assert set(windows.draw(step, 100, random)) <= set(windows.at(step))
    assert len(made) == len(set(made)), "a block is made once"
    assert windows.at(49).stop - windows.at(0).stop == 98


def test_workers_and_processes_have_blocks_of_their_own() -> None:
    every = [set(numbered(3, share).at(step)) for share in (0, 1) for step in (30, 31, 32)]
    assert sum(len(blocks) for blocks in every) == len(set.union(*every)) == 36


def test_each_worker_moves_on_with_the_steps_that_it_makes() -> None:
    alone, three = numbered(1, most=10**6), numbered(3, most=10**6)
    assert len(three.at(30)) == len(alone.at(10))
    assert sum(len(three.at(step)) for step in (30, 31, 32)) == 3 * len(alone.at(10))
