# SPDX-License-Identifier: GPL-3.0-or-later
"""How far predicted sheets are from the truth.

The normal term is NoRLD's regulariser (Hi3DGen, section 3.2) in its cheapest form: a sheet's normals are its
differences, so that no renderer is needed to hold them against the true ones.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .network import Sheets, hang

_AGREE = math.cos(math.radians(30))  # the truth's own differences disagree with its normals at steps


def depth_terms(sheets: Sheets, front: Tensor, back: Tensor, mask: Tensor, quantile: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean absolute error of the front, and the pinball loss of the thickness (Koenker, Bassett, 1978).

    front, back, mask: (N, 1, S, S). quantile: (N,). At the median that is the mean absolute error.
    """
    total = mask.sum().clamp(min=1)
    offset = ((front - sheets.front) * mask).abs().sum() / total
    missing = hang(front, mask) - back - sheets.thickness
    q = quantile[:, None, None, None]
    pinball = 2 * torch.maximum(q * missing, (q - 1) * missing)
    return offset, (pinball * mask).sum() / total


def normal_term(height: Tensor, true_height: Tensor, normals: Tensor, mask: Tensor) -> Tensor:
    """Return the mean chord between a sheet's normals and the true ones, where the truth has no step.

    height, true_height, mask: (N, 1, S, S), lengths in halves of the side. normals: (N, 3, S, S), outward.
    """
    mine, inside = _normals(height, mask)
    theirs, _ = _normals(true_height, mask)
    towards = torch.where(normals[:, 2:] < 0, -normals, normals)
    smooth = inside * ((theirs * towards).sum(dim=1, keepdim=True) > _AGREE)
    chord = ((mine - towards).square().sum(dim=1, keepdim=True) + 1e-6).sqrt()
    return (chord * smooth).sum() / smooth.sum().clamp(min=1)


def _normals(height: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return a height's unit normals by central differences, z to the viewer, and where all neighbours are inside."""
    step = 4 / height.shape[-1]
    padded = functional.pad(height, (1, 1, 1, 1))
    x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / step
    y = (padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]) / step
    around = -functional.max_pool2d(-functional.pad(mask, (1, 1, 1, 1)), 3, 1)
    return functional.normalize(torch.cat([-x, -y, torch.ones_like(x)], dim=1), dim=1), around


def up_terms(up: Tensor, doubt: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean distance of what is taken for up from what is up, and how wrong the doubt about it is.

    up, truth: (N, 3), truth of unit length. doubt: (N,), which learns the distance's mean and does not change it.
    Unlike the mean squared distance, it is not ruled by views that do not show what is up, such as a stone's.
    """
    distance = ((up - truth).square().sum(dim=1) + 1e-6).sqrt()
    return distance.mean(), (doubt - distance.detach()).square().mean()
