# SPDX-License-Identifier: GPL-3.0-or-later
"""The backbone's windows are what the paper says: attention among all tokens, with most of it masked away."""

from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.models.swin import (
    Block,
    PatchMerging,
    Swin,
    WindowAttention,
    from_windows,
    relative_positions,
    shift_mask,
    to_windows,
)

N = TypeVar("N", bound=nn.Module)


def scattered(part: N) -> N:
    """`part` with every parameter at random."""
    torch.manual_seed(11)
    for parameter in part.parameters():
        parameter.data = torch.randn(parameter.shape) * 0.4
    return part.requires_grad_(requires_grad=False).eval()


def full_attention(attention: WindowAttention, x: Tensor, window: int, shift: int) -> Tensor:
    """What shifted windows compute, by attention among all tokens of `x` (H, W, C), both multiples of `window`.

    Two tokens see each other if one window holds both and neither came into it by the cyclic shift.
    """
    height, width, channels = x.shape
    row, column = torch.cartesian_prod(torch.arange(height), torch.arange(width)).unbind(-1)
    seen = torch.ones(len(row), len(row), dtype=torch.bool)
    for place, side in ((row, height), (column, width)):
        number, around = ((place - shift) % side) // window, place < shift
        seen &= (number[:, None] == number) & (around[:, None] == around)
    down, right = row[:, None] - row, column[:, None] - column
    near = seen & (down.abs() < window) & (right.abs() < window)
    assert torch.equal(near, seen)
    entry = torch.where(seen, (down + window - 1) * (2 * window - 1) + right + window - 1, 0)
    heads, tokens = attention.heads, x.reshape(-1, channels)
    mixed: list[Tensor] = []
    for head in range(heads):
        q, k, v = (part.chunk(heads, dim=-1)[head] for part in attention.qkv(tokens).chunk(3, dim=-1))
        scores = q @ k.T / (channels / heads) ** 0.5 + attention.relative_position_bias_table[entry, head]
        mixed.append(scores.masked_fill(~seen, -torch.inf).softmax(-1) @ v)
    return attention.proj(torch.cat(mixed, dim=-1)).view(x.shape)


@given(
    window=st.integers(1, 4),
    high=st.integers(1, 3),
    wide=st.integers(1, 3),
    missing=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    shifted=st.booleans(),
    batch=st.integers(1, 2),
)
@settings(deadline=None)
def test_shifted_windows_are_masked_full_attention(
    *, window: int, high: int, wide: int, missing: tuple[int, int], shifted: bool, batch: int
) -> None:
    height, width = (
        max(1, number * window - less % window) for number, less in zip((high, wide), missing, strict=True)
    )
    shift = window // 2 if shifted else 0
    block = scattered(Block(6, 2, window, shift))
    x = torch.randn(batch, height, width, 6)
    ours = block(x, shift_mask(high * window, wide * window, window, shift))
    for item, result in zip(x, ours, strict=True):
        filled = functional.pad(block.norm1(item), (0, 0, 0, wide * window - width, 0, high * window - height))
        expected = item + full_attention(block.attn, filled, window, shift)[:height, :width]
        expected = expected + block.mlp[2](functional.gelu(block.mlp[0](block.norm2(expected))))
        torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


@given(window=st.integers(1, 4), high=st.integers(1, 3), wide=st.integers(1, 3), batch=st.integers(1, 2))
@settings(deadline=None)
def test_windows_are_cut_row_by_row_and_joined_again(window: int, high: int, wide: int, batch: int) -> None:
    x = torch.arange(batch * high * wide * window**2 * 2).view(batch, high * window, wide * window, 2)
    windows = to_windows(x, window)
    assert windows.shape == (batch * high * wide, window**2, 2)
    for number, tokens in enumerate(windows):
        item, i, j = number // (high * wide), number // wide % high, number % wide
        square = x[item, i * window : (i + 1) * window, j * window : (j + 1) * window]
        assert torch.equal(tokens, square.flatten(0, 1))
    assert torch.equal(from_windows(windows, window, high * window, wide * window), x)


@given(st.integers(1, 5))
@settings(deadline=None)
def test_the_bias_depends_on_the_distance_of_two_tokens(window: int) -> None:
    index = relative_positions(window).view(window, window, window, window)
    assert index.unique().tolist() == list(range((2 * window - 1) ** 2))
    assert torch.equal(index[1:, 1:, 1:, 1:], index[:-1, :-1, :-1, :-1])
    assert torch.all(index[1:] - index[:-1] == 2 * window - 1)  # the one a row lower
    assert torch.all(index[:, 1:] - index[:, :-1] == 1)


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3), (1, 2)])
def test_four_tokens_become_one(height: int, width: int) -> None:
    merging = scattered(PatchMerging(2))
    x = torch.randn(1, height, width, 2)
    merged = merging(x)
    assert merged.shape == (1, -(-height // 2), -(-width // 2), 4)
    filled = functional.pad(x, (0, 0, 0, 1, 0, 1))
    for i in range(merged.shape[1]):
        for j in range(merged.shape[2]):
            corner = filled[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            four = torch.cat([corner[0, 0], corner[1, 0], corner[0, 1], corner[1, 1]])
            torch.testing.assert_close(merged[0, i, j], merging.reduction(merging.norm(four)))


@torch.inference_mode()
def test_features_halve_and_double() -> None:
    backbone = scattered(Swin(4, (1, 2, 1, 1), (1, 2, 2, 4), 2))
    features = backbone(torch.randn(2, 3, 64, 40))
    assert [x.shape for x in features] == [(2, 4, 16, 10), (2, 8, 8, 5), (2, 16, 4, 3), (2, 32, 2, 2)]
    assert all(x.isfinite().all() for x in features)
