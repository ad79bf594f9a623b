# SPDX-License-Identifier: GPL-3.0-or-later
"""Deformable convolution reads at its offsets, and zeros outside of the picture."""

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor
from torch.nn import functional

from backend.nn import deform_conv
from backend.nn.deform_conv import DeformableConv2d, deform_conv2d


def pixel(x: Tensor, row: int, column: int) -> Tensor:
    """All channels of a pixel of `x` (C, H, W); zeros beyond the border."""
    inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
    return x[:, row, column] if inside else torch.zeros_like(x[:, 0, 0])


def between(x: Tensor, row: float, column: float) -> Tensor:
    """`x` (C, H, W) between its pixels: along the row above, along the row below, then from one to the other."""
    top, left = math.floor(row), math.floor(column)
    above, below = (torch.lerp(pixel(x, at, left), pixel(x, at, left + 1), column - left) for at in (top, top + 1))
    return torch.lerp(above, below, row - top)


def pixel_by_pixel(
    x: Tensor, weight: Tensor, offsets: Tensor, strengths: Tensor, *, stride: int, padding: int
) -> Tensor:
    rows, columns = weight.shape[2:]
    result = torch.zeros(len(x), len(weight), *offsets.shape[2:], dtype=x.dtype)
    for item, i, j in product(*(range(size) for size in (len(x), *offsets.shape[2:]))):
        for tap, (k, l) in enumerate(product(range(rows), range(columns))):
            down, right = offsets[item, 2 * tap : 2 * tap + 2, i, j].tolist()
            read = between(x[item], i * stride - padding + k + down, j * stride - padding + l + right)
            result[item, :, i, j] += weight[:, :, k, l] @ read * strengths[item, tap, i, j]
    return result


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, Tensor, int, int]:
    """What `pixel_by_pixel` takes; the offsets reach past the border on every side."""
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride, padding = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    height, width = (draw(st.integers(max(1, side - 2 * padding), 6)) for side in kernel)
    batch, channels, out_channels = (draw(st.integers(1, 3)) for _ in range(3))
    size = [(side + 2 * padding - taps) // stride + 1 for side, taps in zip((height, width), kernel, strict=True)]
    taps = math.prod(kernel)
    torch.manual_seed(draw(st.integers(0, 2**31)))
    reach = draw(st.sampled_from([0.5, 3.0, 1e9]))
    offsets = (2 * torch.rand(batch, 2 * taps, *size) - 1) * reach
    if draw(st.booleans()):
        offsets = offsets.round()
    weight, x = torch.randn(out_channels, channels, *kernel), torch.randn(batch, channels, height, width)
    return x, weight, offsets, torch.rand(batch, taps, *size), stride, padding


@given(convolutions())
@settings(deadline=None, max_examples=60)
def test_every_tap_reads_at_its_offset(given: tuple[Tensor, Tensor, Tensor, Tensor, int, int]) -> None:
    x, weight, offsets, strengths, stride, padding = given
    ours = deform_conv2d(x, weight, offsets, strengths, stride=stride, padding=padding)
    expected = pixel_by_pixel(
        x.double(), weight.double(), offsets.double(), strengths.double(), stride=stride, padding=padding
    )
    torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=2e-5)


@given(convolutions())
@settings(deadline=None)
def test_without_offsets_it_is_a_convolution(given: tuple[Tensor, Tensor, Tensor, Tensor, int, int]) -> None:
    x, weight, offsets, strengths, stride, padding = given
    zero, one = torch.zeros_like(offsets), torch.ones_like(strengths)
    ours = deform_conv2d(x, weight, zero, one, stride=stride, padding=padding)
    expected = functional.conv2d(x, weight, stride=stride, padding=padding)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_the_size_of_a_gather_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    x, weight, offsets = torch.randn(2, 3, 6, 5), torch.randn(4, 3, 3, 3), torch.randn(2, 18, 6, 5)
    strengths = torch.rand(2, 9, 6, 5)
    whole = deform_conv2d(x, weight, offsets, strengths, padding=1)
    for at_once in (1, 200):
        monkeypatch.setattr(deform_conv, "_AT_ONCE", at_once)
        torch.testing.assert_close(deform_conv2d(x, weight, offsets, strengths, padding=1), whole)


def test_half_precision_reads_exact_places_far_from_the_corner() -> None:
    x = (torch.arange(3000) % 2).half().view(1, 1, 1, -1)
    offsets = torch.zeros(1, 2, 1, 3000, dtype=torch.half)
    offsets[:, 1] = 0.25
    read = deform_conv2d(x, torch.ones(1, 1, 1, 1).half(), offsets, torch.ones(1, 1, 1, 3000).half())
    assert torch.equal(read[0, 0, 0, 2400:2402], torch.tensor([0.25, 0.75]).half())


@pytest.mark.parametrize(("offset", "read"), [(torch.nan, torch.nan), (torch.inf, 0.0), (-torch.inf, 0.0)])
def test_a_non_finite_offset_changes_its_own_pixel_only(offset: float, read: float) -> None:
    offsets = torch.zeros(1, 2, 2, 2)
    offsets[0, 0, 0, 0] = offset
    found = deform_conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1), offsets, torch.ones(1, 1, 2, 2))
    torch.testing.assert_close(found[0, 0], torch.tensor([[read, 1], [1, 1]]), equal_nan=True)


def test_the_layer_computes_offsets_and_strengths() -> None:
    torch.manual_seed(4)
    layer, x = DeformableConv2d(3, 5, 3), torch.randn(1, 3, 7, 6)
    # Training starts with offsets of 0 and strengths of 1.
    torch.testing.assert_close(layer(x), layer.regular_conv(x), rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        layer.offset_conv.bias[1::2] = 1
        layer.modulator_conv.bias[:] = 100
    shifted = functional.pad(x, (0, 1))[..., 1:]  # one pixel to the right, with zeros beyond
    inner = layer(x)[..., 1:], 2 * layer.regular_conv(shifted)[..., 1:]
    torch.testing.assert_close(*inner, rtol=1e-5, atol=1e-5)
