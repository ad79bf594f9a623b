# SPDX-License-Identifier: GPL-3.0-or-later
"""Attention by every kernel against the formula written out in double precision."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.nn.attention import attend, attend_by_products

sizes = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.integers(1, 3), st.integers(1, 7))


@settings(deadline=None)
@given(sizes=sizes, seed=st.integers(0, 99), masked=st.booleans())
def test_both_ways_are_the_formula(sizes: tuple[int, int, int, int, int], seed: int, masked: bool) -> None:  # noqa: FBT001  drawn by hypothesis
    batch, queries, keys, heads, channels = sizes
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(batch, length, heads, channels, generator=generator) * 3 for length in (queries, keys, keys))
    expected = torch.empty(batch, queries, heads, channels, dtype=torch.float64)
    present = torch.rand(batch, keys, generator=generator) < 0.7
    present[:, 0] = True
    for b in range(batch):
        for h in range(heads):
            scores = q[b, :, h].double() @ k[b, :, h].double().T / math.sqrt(channels)
            weights = scores.exp() * (present[b] if masked else 1)
            expected[b, :, h] = weights / weights.sum(-1, keepdim=True) @ v[b, :, h].double()
    mask = present[:, None, None] if masked else None
    swapped = (x.transpose(1, 2) for x in (q, k, v))
    by_products = attend_by_products(*swapped, mask=mask, largest=2 * batch * heads * keys)
    for found in (attend(q, k, v, present if masked else None), by_products.transpose(1, 2)):
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)


def test_one_item_of_keys_serves_all_queries() -> None:
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(3, 5, 2, 8, generator=generator)
    k, v = torch.randn(2, 1, 4, 2, 8, generator=generator)
    repeated = attend(q, k.repeat(3, 1, 1, 1), v.repeat(3, 1, 1, 1))
    torch.testing.assert_close(attend(q, k, v), repeated)
    shared = attend_by_products(*(x.transpose(1, 2) for x in (q, k, v))).transpose(1, 2)
    torch.testing.assert_close(shared, repeated, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_scores_do_not_overflow_half_precision(dtype: torch.dtype) -> None:
    q = torch.full((1, 3, 2, 64), 60.0, dtype=dtype)
    v = torch.randn(1, 3, 2, 64, generator=torch.Generator().manual_seed(1)).to(dtype)
    expected = v.float().mean(1, keepdim=True).expand(1, 3, 2, 64)
    found = attend_by_products(*(x.transpose(1, 2) for x in (q, q, v))).transpose(1, 2)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, rtol=1e-2, atol=1e-2)


def test_gradients_in_bfloat16_are_those_of_the_formula() -> None:
    """On a CPU they go through products, which the kernel's would take several times as long for."""
    generator = torch.Generator().manual_seed(2)
    every = [torch.randn(2, 6, 2, 8, generator=generator) for _ in range(4)]
    found: list[tuple[torch.Tensor, ...]] = []
    for dtype in (torch.float32, torch.bfloat16):
        q, k, v, towards = (x.to(dtype) for x in every)
        inputs = [x.requires_grad_() for x in (q, k, v)]
        found.append(torch.autograd.grad((attend(*inputs) * towards).sum(), inputs))
    for exact, rough in zip(*found, strict=True):
        torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.05)
