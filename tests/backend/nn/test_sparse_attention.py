# SPDX-License-Identifier: GPL-3.0-or-later
"""Attention in windows against dense attention with a mask."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.nn.sparse import Voxels
from backend.nn.sparse_attention import WindowAttention, attend_in_windows

SIZE = 8


@settings(deadline=None, max_examples=50)
@given(
    counts=st.lists(st.integers(0, 80), max_size=3),
    window=st.sampled_from([(1, 0), (4, 0), (4, 2), (8, 4), (50, 25)]),
    seed=st.integers(0, 9999),
)
def test_it_is_masked_attention(counts: list[int], window: tuple[int, int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.zeros(0, 4, dtype=torch.int64)]
    for item, count in enumerate(counts):
        flat = torch.randperm(SIZE**3, generator=generator)[:count]
        rows.append(torch.stack([torch.full_like(flat, item), *torch.unravel_index(flat, (SIZE,) * 3)], dim=1))
    voxels = Voxels(torch.cat(rows).int(), len(counts))
    q, k, v = torch.randn(3, len(voxels), 2, 5, generator=generator)

    size, shift = window
    shared = voxels.coords.long() + torch.tensor([0, shift, shift, shift])
    shared[:, 1:] //= size
    together = (shared[:, None] == shared).all(2)
    scores = torch.einsum("ihd,jhd->hij", q.double(), k.double()) / math.sqrt(5)
    weights = scores.masked_fill(~together, -torch.inf).softmax(-1)
    expected = torch.einsum("hij,jhd->ihd", weights, v.double())
    found = attend_in_windows(q, k, v, voxels.windows(size, shift))
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)


def test_one_voxel_sees_itself() -> None:
    attention = WindowAttention(6, 2)
    voxels = Voxels(torch.tensor([[0, 3, 4, 5]], dtype=torch.int32))
    x = torch.randn(1, 6)
    with torch.no_grad():
        value = attention.to_qkv(x)[:, 12:]
        torch.testing.assert_close(attention(x, voxels.windows(8, 0)), attention.to_out(value))
