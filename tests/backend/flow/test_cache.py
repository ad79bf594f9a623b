# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of stage results: it keeps what fits, forgets the longest unused, and counts right."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.flow.cache import ResultCache, array_bytes


@dataclass(frozen=True)
class Inner:
    """What a result may hold beside arrays."""

    pixels: NDArray[np.uint8]
    name: str


@dataclass(frozen=True)
class Outer:
    """A result in a result."""

    inner: Inner
    depth: NDArray[np.float32]


def block(size: int) -> NDArray[np.uint8]:
    return np.zeros(size, np.uint8)


def test_a_result_is_as_large_as_all_its_arrays() -> None:
    assert array_bytes(Outer(Inner(block(10), "x"), np.zeros(5, np.float32))) == 30
    assert array_bytes([block(3), {"a": (block(4),)}]) == 7
    assert array_bytes("text") == 0


def test_the_longest_unused_makes_room() -> None:
    cache = ResultCache(100)
    a, b, c = block(40), block(40), block(40)
    cache.put("a", a)
    cache.put("b", b)
    assert cache.get("a") is a
    cache.put("c", c)
    assert cache.get("b") is None
    assert cache.get("a") is a
    assert cache.get("c") is c
    assert cache.nbytes == 80


def test_what_is_larger_than_the_cache_costs_nobody_the_place() -> None:
    cache = ResultCache(100)
    cache.put("a", block(100))
    cache.put("b", block(101))
    assert cache.get("b") is None
    assert cache.get("a") is not None


def test_clearing_forgets_everything() -> None:
    cache = ResultCache(100)
    cache.put("a", block(60))
    cache.clear()
    assert cache.get("a") is None
    assert cache.nbytes == 0


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 120)), max_size=40))
def test_the_count_is_what_is_kept_and_never_too_much(steps: list[tuple[str, int]]) -> None:
    cache = ResultCache(100)
    for name, size in steps:
        cache.put(name, block(size))
        kept = [result for result in map(cache.get, "abcd") if result is not None]
        assert cache.nbytes == sum(result.nbytes for result in kept) <= 100
        if size <= 100:
            assert array_bytes(cache.get(name)) == size
