# SPDX-License-Identifier: GPL-3.0-or-later
"""Submanifold convolution against dense convolution."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor
from torch.nn import functional

from backend.nn.sparse import Voxels
from backend.nn.sparse_conv import (
    SparseConv,
    pointwise,
    subdivided_submanifold,
    submanifold,
    sum_at_once,
    sum_present,
    unpacked_submanifold,
)

SIZE = 6

counts = st.lists(st.integers(0, 40), max_size=3)
channels = st.tuples(st.integers(1, 5), st.integers(1, 5))
seeds = st.integers(0, 9999)


def random_voxels(counts: list[int], generator: torch.Generator) -> Voxels:
    """Distinct places in [0, SIZE) in no order."""
    rows = [torch.zeros(0, 4, dtype=torch.int64)]
    for item, count in enumerate(counts):
        flat = torch.randperm(SIZE**3, generator=generator)[:count]
        rows.append(torch.stack([torch.full_like(flat, item), *torch.unravel_index(flat, (SIZE,) * 3)], dim=1))
    return Voxels(torch.cat(rows).int(), len(counts))


def dense(features: Tensor, weight: Tensor, bias: Tensor, voxels: Voxels) -> Tensor:
    """The same by conv3d in double precision on a grid with zeros."""
    item, x, y, z = voxels.coords.long().unbind(1)
    size = 2 * SIZE
    grid = torch.zeros(len(voxels.lengths), size, size, size, features.shape[1], dtype=torch.float64)
    grid[item, x, y, z] = features.double()
    kernel = weight.double().permute(0, 4, 1, 2, 3)
    answer = functional.conv3d(grid.permute(0, 4, 1, 2, 3), kernel, bias.double(), padding=1)
    return answer.permute(0, 2, 3, 4, 1)[item, x, y, z]


def random_conv(counts: list[int], channels: tuple[int, int], seed: int) -> tuple[Tensor, Tensor, Tensor, Voxels]:
    generator = torch.Generator().manual_seed(seed)
    voxels = random_voxels(counts, generator)
    features = torch.randn(len(voxels), channels[0], generator=generator)
    weight = torch.randn(channels[1], 3, 3, 3, channels[0], generator=generator)
    return features, weight, torch.randn(channels[1], generator=generator), voxels


@settings(deadline=None)
@given(counts=counts, channels=channels, seed=seeds)
def test_it_is_the_dense_convolution_at_the_voxels(counts: list[int], channels: tuple[int, int], seed: int) -> None:
    features, weight, bias, voxels = random_conv(counts, channels, seed)
    expected = dense(features, weight, bias, voxels) if counts else torch.zeros(0, channels[1], dtype=torch.float64)
    torch.testing.assert_close(submanifold(features, weight, bias, voxels).double(), expected, rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(counts=counts, channels=channels, seed=seeds)
def test_after_a_subdivision_it_is_the_convolution_of_copies(
    counts: list[int], channels: tuple[int, int], seed: int
) -> None:
    features, weight, bias, voxels = random_conv(counts, channels, seed)
    copies = features.repeat_interleave(8, dim=0)
    expected = dense(copies, weight, bias, voxels.children) if counts else torch.zeros(0, channels[1])
    found = subdivided_submanifold(features, weight, bias, voxels)
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-5, atol=1e-5)
    found = submanifold(copies, weight, bias, voxels.children)
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(counts=counts, channels=channels, seed=seeds)
def test_unpacking_cells_it_is_the_convolution_of_copies(
    counts: list[int], channels: tuple[int, int], seed: int
) -> None:
    _, weight, bias, voxels = random_conv(counts, channels, seed)
    features = torch.randn(len(voxels.cells), channels[0], generator=torch.Generator().manual_seed(seed))
    expected = dense(features[voxels.cell_of], weight, bias, voxels) if counts else torch.zeros(0, channels[1])
    found = unpacked_submanifold(features, weight, bias, voxels)
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(counts=counts.filter(any), channels=channels, seed=seeds)
def test_both_ways_to_sum_agree(counts: list[int], channels: tuple[int, int], seed: int) -> None:
    features, weight, bias, voxels = random_conv(counts, channels, seed)
    neighbours = voxels.neighbours(0, len(voxels))
    kernel = weight.flatten(1, 3)
    at_once = sum_at_once(features, kernel, neighbours, bias)
    one_by_one = sum_present(features, kernel, neighbours, bias)
    torch.testing.assert_close(at_once, one_by_one, rtol=1e-5, atol=1e-5)


def test_chunks_change_nothing() -> None:
    features, weight, bias, voxels = random_conv([50, 0, 70], (3, 4), 7)
    whole = submanifold(features, weight, bias, voxels)
    divided = subdivided_submanifold(features, weight, bias, voxels)
    cells = features[: len(voxels.cells)]
    unpacked = unpacked_submanifold(cells, weight, bias, voxels)
    little = Voxels(voxels.coords, len(voxels.lengths), gathered=1)
    torch.testing.assert_close(submanifold(features, weight, bias, little), whole)
    torch.testing.assert_close(subdivided_submanifold(features, weight, bias, little), divided)
    torch.testing.assert_close(unpacked_submanifold(cells, weight, bias, little), unpacked)


def test_half_precision_sums_in_float32() -> None:
    """Half precision's own sum of 27 x 64 products would be off by far more than its last digit."""
    features, weight, bias, voxels = random_conv([150], (64, 8), 3)
    features, weight, bias = features.half(), weight.half(), bias.half()
    expected = dense(features, weight, bias, voxels)
    found = submanifold(features, weight, bias, voxels)
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.double(), expected, rtol=2e-3, atol=2e-2)


def test_a_pointwise_weight_is_read_in_memory_order() -> None:
    weight = torch.arange(6.0).view(3, 1, 1, 1, 2)
    found = pointwise(torch.tensor([[1.0, 10.0]]), weight, torch.tensor([100.0, 200.0, 300.0]))
    assert found.tolist() == [[130.0, 241.0, 352.0]]


def test_the_module_is_the_function() -> None:
    features, weight, bias, voxels = random_conv([20], (3, 4), 5)
    conv = SparseConv(3, 4, 3)
    conv.load_state_dict({"conv.weight": weight, "conv.bias": bias})
    with torch.no_grad():
        assert torch.equal(conv(features, voxels), submanifold(features, weight, bias, voxels))
        children = conv(features, voxels, subdivides=True)
    assert torch.equal(children, subdivided_submanifold(features, weight, bias, voxels))
