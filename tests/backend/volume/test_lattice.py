# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields on a lattice are linear between its points, and so are their slopes known."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.volume.lattice import lattice_over, trilinear, trilinear_slopes

numbers = st.floats(-2, 2, width=32)
triples = st.tuples(numbers, numbers, numbers)


@given(triples, numbers, st.lists(st.tuples(*3 * [st.floats(0, 1, width=32)]), min_size=1, max_size=5))
def test_a_linear_field_is_itself_everywhere(
    slope: tuple[float, ...], level: float, shares: list[tuple[float, ...]]
) -> None:
    lattice = lattice_over(torch.tensor([-0.5, -0.2, -0.1]), torch.tensor([0.5, 0.3, 0.1]), 8, 1)
    places = lattice.low + (lattice.high - lattice.low) * torch.tensor(shares)
    field = lattice.points() @ torch.tensor(slope) + level
    found = lattice.at(field[:, None], lattice.in_cells(places))[:, 0]
    torch.testing.assert_close(found, places @ torch.tensor(slope) + level, atol=1e-4, rtol=0)
    corners, within = lattice.around(lattice.in_cells(places))
    rises = (field[corners][..., None] * trilinear_slopes(within)).sum(dim=1) / lattice.cell
    torch.testing.assert_close(rises, torch.tensor(slope).expand(len(places), 3), atol=1e-3, rtol=0)


def test_slopes_are_the_derivatives_of_the_weights() -> None:
    within = torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    slopes = trilinear_slopes(within)
    for corner in range(8):
        (expected,) = torch.autograd.grad(trilinear(within)[:, corner].sum(), within)
        torch.testing.assert_close(slopes[:, corner], expected)


def test_a_lattice_is_around_its_box_in_cells_of_one_size() -> None:
    low, high = torch.tensor([-0.5, -0.2, -0.1]), torch.tensor([0.5, 0.31, 0.1])
    lattice = lattice_over(low, high, 10, 2)
    assert lattice.cell == 0.1
    assert lattice.shape == (15, 11, 7)
    assert (low - lattice.low > 0.199).all()
    assert (lattice.high - high > 0.199).all()
    points = lattice.points()
    torch.testing.assert_close(points[[0, -1]], torch.stack([lattice.low, lattice.high]))
    nearest = lattice.nearest(*lattice.in_cells(points + 0.04).T)
    assert nearest.tolist()[: lattice.count - 1] == [*range(lattice.count - 1)]
