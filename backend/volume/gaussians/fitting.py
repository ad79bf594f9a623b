# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians begin on a surface and come to show what the views show, by Adam (Kingma and Ba 2015).

There are as many from beginning to end: the surface of a coarse grid is near the truth already, so that nothing has to
be grown, as it is by Kerbl et al. 2023 from few points.
"""

import math

import torch
from torch import Tensor

from ...flow.products import Camera
from ...raster.ticks import Tick
from .cloud import Cloud
from .cuda import render_on

_FLAT = (0.4, 0.4, 0.2)  # spacings: the standard deviations at the beginning, the last along the surface's normal
_INSIDE = 0.2  # spacings below the surface, so that outlines are not passed
_OPACITY = 2.0  # at the beginning, as a logit
_BOUNDS = (0.1, 1.5)  # spacings: of standard deviations
_RATES = {"means": 0.08, "sizes": 0.02, "turns": 0.02, "opacities": 0.05, "shows": 0.02}  # the first in spacings
_LAST = 0.1  # of the rates, at the end
_MASK = 0.3  # how much the mean error of opacity counts beside that of what is shown


def on_surface(points: Tensor, normals: Tensor, shows: Tensor, spacing: float) -> Cloud:
    """Flat Gaussians that lie on a surface: at points (G, 3), `spacing` apart, with unit normals (G, 3)."""
    sizes = points.new_tensor(_FLAT).log() + math.log(spacing)
    x, y, z = normals.unbind(1)
    turns = torch.stack([1 + z, -y, x, torch.zeros_like(z)], dim=1)  # the shortest from z to the normal
    turns = torch.where(z[:, None] > -0.999, turns, turns.new_tensor([0.0, 1.0, 0.0, 0.0]))
    means = points - _INSIDE * spacing * normals
    return Cloud(means, sizes.repeat(len(x), 1), turns, torch.full_like(x, _OPACITY), shows)


def fitted(
    start: Cloud,
    spacing: float,
    cameras: tuple[Camera, ...],
    views: Tensor,
    size: tuple[float, float],
    steps: int,
    seed: int,
    tick: Tick,
) -> Cloud:
    """The Gaussians that show the views; one view a step, and `tick` is called at each.

    views: float32 (N, H, W, C + 1), of cameras in pictures of this size, as `render` has them.
    """
    render = render_on(views.device)
    random = torch.Generator().manual_seed(seed)
    parts = [part.clone().requires_grad_() for part in start.parts()]
    rates = [rate * (spacing if name == "means" else 1) for name, rate in _RATES.items()]
    groups = [{"params": [part], "lr": rate} for part, rate in zip(parts, rates, strict=True)]
    adam = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15)
    order: list[int] = []
    for step in range(steps):
        tick(step / steps)
        order = order or torch.randperm(len(cameras), generator=random).tolist()
        number = order.pop()
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * _LAST ** (step / steps)
        off = (render(Cloud(*parts), cameras[number], size) - views[number]).abs()
        loss = off[..., :-1].mean() + _MASK * off[..., -1].mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        with torch.no_grad():
            parts[1].clamp_(*(math.log(bound * spacing) for bound in _BOUNDS))
    return Cloud(*(part.detach() for part in parts))
