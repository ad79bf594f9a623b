# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits a field of signed distances and colours to views.

Each step renders some rays as NeuS does, see `rendering`, and changes the field by Adam (Kingma and Ba 2015) so that
what the rays see becomes what the views show. Only points in the hull or just around it take part, and only samples
next to a surface that light reaches cost the gradients of their eight points; the others take the nearest point's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ..raster.ticks import Tick
from .casting import Casts, along_rays, cast
from .field import AROUND, OUTSIDE, Field
from .hull import no_hull
from .lattice import Lattice, trilinear, trilinear_slopes
from .rendering import section_weights, transmittance
from .seen import Seen

SAMPLES = 64
"""Of a ray, at most."""
_SPACING = 0.7  # cells between samples, at least
_ROUGH = 0.87  # cells: by how much a distance differs from that of the nearest point at most
_LIT = 0.02  # light that is too little for gradients
_TAIL = 3.0  # widths of the surface's density outside of which too little is seen for gradients
_REGULAR = 3.0  # cells from the surface within which distances are kept regular
_ANEW = 25  # steps after which these points are looked for anew
_CREASE = 0.3  # cells a cell: the bend from which on its cost grows no faster than it
_BETAS = (0.9, 0.99)
_COLOUR_RATE = 0.01  # the learning rate of colours


@dataclass(frozen=True)
class Weights:
    """How much each part of the loss counts, beside the mean error of colours.

    mask: the cross entropy of opacity. normals: the mean error of normals, if there are any. eikonal: the squared error
    of the distances' slope. smooth: bends, see `regular_loss`.
    """

    mask: float = 0.1
    normals: float = 0.2
    eikonal: float = 0.1
    smooth: float = 0.5


@dataclass(frozen=True)
class Descent:
    """How a field is fitted. Pairs are what holds at the beginning and at the end, in equal factors from step to step.

    steps: how many. rays: of each step. width: of the surface's density, one over its sharpness, in cells. rate: the
    learning rate of distances, in cells.
    """

    steps: int
    rays: int
    width: tuple[float, float]
    rate: tuple[float, float]


@dataclass(frozen=True)
class Grid:
    """The points of a field that take part, as rows of a table; row 0 stands for all others, which are outside.

    rows: int32 (X Y Z,), the row of each point. numbers: int64 (A,), the points of rows 1 to A. neighbours: int64
    (A + 1, 6), the rows one step along -x, x, -y, y, -z, z. stout: float32 (A + 1,), see `Field`.
    """

    lattice: Lattice
    rows: Tensor
    numbers: Tensor
    neighbours: Tensor
    stout: Tensor


def fit(
    start: Field, hull: Field, views: Sequence[Seen], descent: Descent, weights: Weights, seed: int, tick: Tick
) -> Field:
    """Fit a field to views at its own resolution; `tick` is called at every step.

    views: all have normals or none. hull: that of the views at the same lattice. Nothing comes to lie outside of it.
    Raises `UserError` if no ray of any view comes near to the field's inside.
    """
    device = start.distances.device
    grid, values = table_of(start)
    casts = cast(views, grid.lattice, grid.rows > 0, lambda: tick(0.0))
    if not len(casts.entry):
        raise no_hull()
    dense = torch.where(grid.rows > 0, start.distances, OUTSIDE)
    random = torch.Generator().manual_seed(seed)  # on the CPU, so that a seed means the same everywhere
    order, band = torch.empty(0, dtype=torch.int64), grid.numbers
    outermost = functional.pad(hull.distances[grid.numbers], (1, 0), value=OUTSIDE)
    first, second = torch.zeros_like(values), torch.zeros_like(values)
    for step in range(descent.steps):
        tick(step / descent.steps)
        if len(order) < descent.rays:
            order = torch.randperm(len(casts.entry), generator=random)
        some, order = order[: descent.rays].to(device), order[descent.rays :]
        jitter = torch.rand(len(some), generator=random).to(device)
        dense[grid.numbers] = values[1:, 0]
        if step % _ANEW == 0:
            band = (values[1:, 0].abs() < _REGULAR).nonzero()[:, 0] + 1
        done = step / max(descent.steps - 1, 1)
        changing = values.requires_grad_()
        loss = seen_loss(grid, changing, dense, casts.some(some), jitter, _between(descent.width, done), weights)
        loss = loss + regular_loss(grid, changing, outermost, band, weights)
        (slope,) = torch.autograd.grad(loss, changing)
        values = values.detach()
        first.lerp_(slope, 1 - _BETAS[0])
        second.lerp_(slope.square_(), 1 - _BETAS[1])
        change = first / (1 - _BETAS[0] ** (step + 1))
        change /= (second / (1 - _BETAS[1] ** (step + 1))).sqrt_().add_(1e-10)
        change[0] = 0
        values -= change * values.new_tensor([_between(descent.rate, done), *3 * [_COLOUR_RATE]])
        values[:, 0] = torch.maximum(values[:, 0], outermost)
        values[:, 1:].clamp_(0, 1)
    colours = start.colours.clone()
    dense[grid.numbers], colours[grid.numbers] = values[1:, 0], values[1:, 1:]
    return replace(start, distances=dense, colours=colours)


def table_of(field: Field) -> tuple[Grid, Tensor]:
    """The points of a field that take part, and their rows of values: distance and colour, float32 (A + 1, 4)."""
    lattice, device = field.lattice, field.distances.device
    numbers = (field.distances < AROUND).nonzero()[:, 0]
    rows = torch.zeros(lattice.count, dtype=torch.int32, device=device)
    rows[numbers] = torch.arange(1, len(numbers) + 1, dtype=torch.int32, device=device)
    steps = torch.tensor([sign * stride for stride in lattice.strides for sign in (-1, 1)], device=device)
    beside = (numbers[:, None] + steps).clamp(0, lattice.count - 1)
    neighbours = functional.pad(rows[beside].long(), (0, 0, 1, 0))
    values = torch.cat([field.distances[numbers, None], field.colours[numbers]], dim=1)
    outside = values.new_tensor([[OUTSIDE, 0.5, 0.5, 0.5]])
    stout = functional.pad(field.stout[numbers], (1, 0))
    return Grid(lattice, rows, numbers, neighbours, stout), torch.cat([outside, values])


def seen_loss(
    grid: Grid, values: Tensor, dense: Tensor, casts: Casts, jitter: Tensor, width: float, weights: Weights
) -> Tensor:
    """How far what rays see is from what the views show.

    values: (A + 1, 4), of which the gradients are. dense: float32 (X Y Z,), the same distances, at all points. jitter:
    float32 (R,) in [0, 1), by which the samples of each ray are shifted, in their spacing.
    """
    length = casts.leave - casts.entry
    spacing = (length / (SAMPLES - 1)).clamp_min(_SPACING * grid.lattice.cell)
    steps = torch.arange(SAMPLES, device=jitter.device) + jitter[:, None] - 0.5
    along = torch.minimum((steps * spacing[:, None]).clamp_min(0), length[:, None])
    beyond = functional.pad(along[:, 1:] <= along[:, :-1], (1, 0))  # a shorter ray has fewer samples
    axes = along_rays(casts.rays, casts.entry[:, None] + along)
    with torch.no_grad():
        rough = torch.where(beyond, OUTSIDE, dense[grid.lattice.nearest(*axes)])
        lit = transmittance(rough + _ROUGH, 1 / width) > _LIT
        kept = (lit & ~beyond & (rough < _TAIL * width + _ROUGH)).flatten().nonzero()[:, 0]
    numbers, within = grid.lattice.around(torch.stack([axis.flatten()[kept] for axis in axes], dim=1))
    corners = values.index_select(0, grid.rows[numbers.flatten()]).view(len(kept), 8, 4)
    found = (corners * trilinear(within)[..., None]).sum(dim=1)
    distances = rough.flatten().index_put((kept,), found[:, 0]).view(along.shape)
    each = section_weights(transmittance(distances, 1 / width))
    halves = (functional.pad(each, (1, 0)) + functional.pad(each, (0, 1))) / 2  # a section's ends share what is seen
    shares, ray = halves.flatten()[kept, None], kept // SAMPLES
    opacity = each.sum(dim=1).clamp(1e-4, 1 - 1e-4)
    colours = torch.zeros_like(casts.colours).index_add(0, ray, shares * found[:, 1:])
    loss = (colours - casts.colours).abs().mean()
    loss = loss + weights.mask * functional.binary_cross_entropy(opacity, casts.alpha)
    if casts.normals is not None:
        slopes = functional.normalize((corners[..., :1] * trilinear_slopes(within)).sum(dim=1), dim=1)
        normals = torch.zeros_like(casts.normals).index_add(0, ray, shares * slopes)
        loss = loss + weights.normals * (normals - casts.normals).abs().mean()
    return loss


def regular_loss(grid: Grid, values: Tensor, hull: Tensor, band: Tensor, weights: Weights) -> Tensor:
    """How far distances are from rising by a cell a cell, and how bent they are, at rows `band`, int64 (B,).

    hull: float32 (A + 1,), its distances. What is thin would vanish if its distances were without bends; there the
    moves away from the hull are to have none, as outlines tell its shape.
    """
    distances, neighbours, stout = values[:, 0], grid.neighbours[band], grid.stout[band]
    beside = _beside(distances, neighbours)
    slopes = ((beside[..., 1] - beside[..., 0]).square().sum(dim=1) + 1e-12).sqrt() / 2
    moves = distances - hull
    thin = (1 - stout) * (hull[band] <= 0)
    bends = _bends(distances[band], beside) * stout + _bends(moves[band], _beside(moves, neighbours)) * thin
    return weights.eikonal * (slopes - 1).square().mean() + weights.smooth * bends.mean()


def _beside(values: Tensor, neighbours: Tensor) -> Tensor:
    """The values at the six neighbours, (B, 3, 2)."""
    return values.index_select(0, neighbours.flatten()).view(-1, 3, 2)  # [] sums gradients in no fixed order


def _bends(values: Tensor, beside: Tensor) -> Tensor:
    """What the bends of values (B,) cost: (B,).

    A small one, as ripples are, costs its square, and a large one, as at creases, only as much as it is (Charbonnier
    et al. 1994).
    """
    squares = (beside.sum(dim=2) - 2 * values[:, None]).square().sum(dim=1) / 3
    return 2 * _CREASE**2 * ((1 + squares / _CREASE**2).sqrt() - 1)


def _between(ends: tuple[float, float], done: float) -> float:
    first, last = ends
    return first * (last / first) ** done
