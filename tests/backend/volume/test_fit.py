# SPDX-License-Identifier: GPL-3.0-or-later
"""The losses' gradients, and a field that comes nearer to what the views show."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from backend.volume.casting import Casts, cast
from backend.volume.field import Field, hull_field, refined
from backend.volume.fit import Grid, Weights, regular_loss, seen_loss, table_of
from backend.volume.hull import hull_box
from backend.volume.rays import Rays
from backend.volume.seen import Seen
from tests.backend.volume.balls import RADIUS, seen_ball

CELLS = 16
WIDTH = 0.5


@pytest.fixture(scope="module")
def views() -> Seen:
    return seen_ball(normals=True)


@pytest.fixture(scope="module")
def field(views: Seen) -> Field:
    box = hull_box(views)
    assert box is not None
    return hull_field(views, box, CELLS)


def in_double(grid: Grid, casts: Casts) -> tuple[Grid, Casts]:
    """The first rays, and all in double precision, in which finite differences are exact enough."""
    some = casts.some(torch.arange(0, len(casts.entry), 40))
    assert some.normals is not None
    rays = Rays(some.rays.origins.double(), some.rays.directions.double())
    ends = (some.entry.double(), some.leave.double(), some.alpha.double())
    return replace(grid, stout=grid.stout.double()), Casts(rays, *ends, some.colours.double(), some.normals.double())


def test_gradients_of_the_losses_are_those_of_finite_differences(views: Seen, field: Field) -> None:
    grid, table = table_of(field)
    grid, casts = in_double(grid, cast([views], field.lattice, grid.rows > 0, lambda: None))
    random = torch.Generator().manual_seed(3)
    values = table.double() + 0.05 * torch.rand(table.shape, generator=random, dtype=torch.float64)
    dense, jitter = field.distances.double(), torch.rand(len(casts.entry), generator=random, dtype=torch.float64)
    band = (values[1:, 0].abs() < 3).nonzero()[:, 0] + 1
    weights = Weights(mask=0.3, normals=0.7, eikonal=0.4, smooth=0.2)
    shift = torch.randn(values.shape, generator=random, dtype=torch.float64)
    hull = table[:, 0].double()
    assert float(grid.stout[band].min()) < 0.5 < float(grid.stout[band].max()), "some is thin"

    def loss(values: Tensor) -> Tensor:
        seen = seen_loss(grid, values, dense, casts, jitter, WIDTH, weights)
        return seen + regular_loss(grid, values, hull, band, weights)

    changing = values.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(changing), changing)
    step = 1e-6
    expected = (loss(values + step * shift) - loss(values - step * shift)) / (2 * step)
    assert float((slope * shift).sum()) == pytest.approx(float(expected), rel=1e-4)


def test_the_truth_has_a_smaller_loss_than_the_hull_by_every_part(views: Seen, field: Field) -> None:
    points = field.lattice.points()
    true = replace(
        field,
        distances=((points.norm(dim=1) - RADIUS) / field.lattice.cell).clamp_max(3),
        colours=(points / points.norm(dim=1, keepdim=True).clamp_min(1e-6) + 1) / 2,
    )
    grid, _ = table_of(field)
    casts = cast([views], field.lattice, grid.rows > 0, lambda: None)
    jitter = torch.full((len(casts.entry),), 0.5)
    for weights in (Weights(0, 0, 0, 0), Weights(0.5, 0, 0, 0), Weights(0, 0.5, 0, 0)):
        losses: list[float] = []
        for one in (true, field):
            values = torch.cat([one.distances[:, None], one.colours], dim=1)[grid.numbers]
            values = torch.cat([values.new_tensor([[3.0, 0.5, 0.5, 0.5]]), values])
            losses.append(float(seen_loss(grid, values, one.distances, casts, jitter, 0.15, weights)))
        assert losses[0] < losses[1]


def test_a_ray_of_the_object_enters_before_its_surface_and_leaves_behind_it(views: Seen, field: Field) -> None:
    grid, _ = table_of(field)
    casts = cast([views], field.lattice, grid.rows > 0, lambda: None)
    shown = casts.some((casts.alpha > 0.99).nonzero()[:, 0])
    middle = field.lattice.in_cells(torch.zeros(3))
    along = -((shown.rays.origins - middle) * shown.rays.directions).sum(dim=1) * field.lattice.cell**2
    assert (shown.entry < along).all()
    assert (shown.leave > along).all()
    assert int((views.alpha > 0.99).sum()) == len(shown.entry)


def test_a_finer_field_keeps_what_the_coarse_one_has_learned_but_not_where_that_is_too_thin(
    views: Seen, field: Field
) -> None:
    box = hull_box(views)
    assert box is not None
    fine = hull_field(views, box, 24)
    carved = replace(field, distances=field.distances + 1)  # by a cell, which is one and a half of the fine ones
    inside = fine.distances < -2
    moved = (refined(carved, field, fine).distances - fine.distances)[inside]
    torch.testing.assert_close(moved, torch.full_like(moved, 1.5), atol=1e-3, rtol=0)
    barely = replace(field, distances=field.distances + 0.2)  # less than the coarse cells tell
    torch.testing.assert_close(refined(barely, field, fine).distances, fine.distances)
    grown = replace(field, distances=field.distances - 1)
    torch.testing.assert_close(refined(grown, field, fine).distances, fine.distances)
    thin = replace(carved, stout=torch.zeros_like(field.stout))
    torch.testing.assert_close(refined(thin, field, fine).distances, fine.distances)


def test_a_ripple_costs_the_square_of_its_height_and_a_crease_little_more_than_its_own(field: Field) -> None:
    grid, table = table_of(field)
    grid = replace(grid, stout=torch.ones_like(grid.stout))
    inner = ((grid.neighbours > 0).all(dim=1)).nonzero()[:, 0]
    x = field.lattice.in_cells(field.lattice.points())[grid.numbers, 0]

    def cost(height: float) -> float:
        values = torch.zeros_like(table)
        values[1:, 0] = height * (x - x.mean().round()).abs()  # bent by twice the height, along one plane
        return float(regular_loss(grid, values, torch.zeros(len(values)), inner, Weights(eikonal=0)))

    assert cost(0.02) == pytest.approx(4 * cost(0.01), rel=0.01)
    assert 2 * cost(5.0) < cost(10.0) < 2.2 * cost(5.0)


def test_what_is_thin_may_be_bent_as_the_hull_is_but_not_otherwise(field: Field) -> None:
    grid, table = table_of(field)
    hull = table[:, 0]
    inner = (hull <= 0).nonzero()[:, 0]
    ripples = torch.rand(len(hull), generator=torch.Generator().manual_seed(2))

    def cost(moves: float | torch.Tensor, stout: float) -> float:
        values = torch.cat([(hull + moves)[:, None], table[:, 1:]], dim=1)
        thick = replace(grid, stout=torch.full_like(grid.stout, stout))
        return float(regular_loss(thick, values, hull, inner, Weights(eikonal=0)))

    assert cost(0, stout=0) == cost(0.5, stout=0) == 0 < cost(ripples, stout=0)
    assert 0 < cost(0, stout=1) == pytest.approx(cost(0.5, stout=1), abs=1e-6)
