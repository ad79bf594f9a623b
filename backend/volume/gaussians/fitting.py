# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians begin on the surface of the visual hull and come to show what the views show."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ...raster.render import vertex_normals
from ...raster.ticks import Tick
from ..field import Field
from ..seen import Seen
from .cloud import Cloud
from .splatting import render

_SIZES = (0.6, 0.6, 0.3)
_OPACITY = 2.0
_RATES = (0.0025, 0.02, 0.02, 0.05, 0.02)
_MASK = 0.3


def begun(hull: Field, vertices: Tensor, normals: Tensor, shows: Tensor) -> Cloud:
    cell = hull.lattice.cell
    n = normals
    # shortest turn from z to n
    turns = torch.stack([1 + n[:, 2], -n[:, 1], n[:, 0], torch.zeros_like(n[:, 0])], dim=1)
    turns[turns.norm(dim=1) < 1e-3] = turns.new_tensor([0.0, 1, 0, 0])
    sizes = (vertices.new_tensor(_SIZES) * cell).log().expand(len(n), 3).clone()
    return Cloud(vertices, sizes, turns, torch.full((len(n),), _OPACITY), shows)


def fitted(start: Cloud, seen: Seen, steps: int, seed: int, tick: Tick, cell: float, rates=_RATES) -> Cloud:
    random = torch.Generator().manual_seed(seed)
    parts = [part.clone().requires_grad_() for part in start.parts()]
    optimizer = torch.optim.Adam([{"params": [p], "lr": r} for p, r in zip(parts, rates, strict=True)], betas=(0.9, 0.99), eps=1e-15)
    order: list[int] = []
    for step in range(steps):
        tick(step / steps)
        order = order or torch.randperm(len(seen.cameras), generator=random).tolist()
        number = order.pop()
        fade = 0.1 ** (step / steps)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * fade
        shows, opacity = render(Cloud(*parts), seen.cameras[number], seen.shape)
        alpha = seen.alpha[number]
        loss = (shows - seen.colours[number] * alpha[..., None]).abs().mean()
        loss = loss + _MASK * (opacity - alpha).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            parts[1].clamp_(min=torch.tensor(0.1 * cell).log().item(), max=torch.tensor(1.5 * cell).log().item())
            parts[4].clamp_(0, 1)
    return Cloud(*(part.detach() for part in parts))
