# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of blocks that a training draws from."""

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

from collections.abc import Callable

import numpy as np

from backend.training.core.windows import Windows, first_block
from backend.training.normals.batches import Sampler
from backend.training.normals.config import TINY
from tests.backend.training.normals.toy import ellipsoids


def numbered(workers: int = 0, share: int = 0, most: int = 6) -> Windows:
    """Windows of blocks that are their own numbers."""
    return Windows(lambda index: index, "cool", share, 2.0, most, workers)


def of_numbers(workers: int, share: int) -> Callable[[int], range]:
    """The windows of `numbered`."""
    return numbered(workers, share).at


def of_normals(workers: int, share: int) -> Callable[[int], range]:
    """The windows that the normal estimator's pictures of 32 pixels are drawn from."""
    sampler = Sampler(TINY, "cool", ellipsoids, seed=1, share=share, workers=workers)
    return lambda step: sampler._window(step, 32)  # pyright: ignore[reportPrivateUsage]


def test_it_moves_on_and_keeps_what_is_in_it() -> None:
    made: list[int] = []
    windows = Windows(lambda index: made.append(index) or index, "cool", 0, 2.0, 6)
    random = np.random.default_rng(0)
    for step in range(50):
        assert set(windows.draw(step, 100, random)) <= set(windows.at(step))
    assert len(made) == len(set(made)), "a block is made once"
    assert windows.at(49).stop - windows.at(0).stop == 98


@pytest.mark.parametrize("windows", [of_numbers, of_normals])
def test_workers_and_processes_have_blocks_of_their_own(windows: Callable[[int, int], Callable[[int], range]]) -> None:
    every = [set(windows(3, share)(step)) for share in (0, 1) for step in (30, 31, 32)]
    assert all(every)
    assert sum(map(len, every)) == len(set[int]().union(*every))


def test_no_worker_and_one_draw_from_the_same() -> None:
    assert numbered(0).at(30) == numbered(1).at(30)
    assert of_normals(0, 0)(30) == of_normals(1, 0)(30)


def test_more_workers_than_there_are_blocks_for_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 256 workers"):
        first_block("trunk", 15, 17, 16)


def test_each_worker_moves_on_with_the_steps_that_it_makes() -> None:
    alone, three = numbered(1, most=10**6), numbered(3, most=10**6)
    assert len(three.at(30)) == len(alone.at(10))
    assert sum(len(three.at(step)) for step in (30, 31, 32)) == 3 * len(alone.at(10))
