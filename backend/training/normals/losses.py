# SPDX-License-Identifier: GPL-3.0-or-later
"""How far predicted normals are from the truth."""

import torch
from torch import Tensor
from torch.nn import functional

_REACHES = (1, 4)  # pixels over which the gradient loss compares: edges, and folds


def chord(predicted: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Return the mean length of the chord between unit normals, 2 sin(angle / 2): it weighs all angles alike.

    predicted, truth: (N, 3, H, W). mask: (N, 1, H, W).
    """
    squared = (predicted - truth).square().sum(dim=1, keepdim=True)
    return ((squared + 1e-6).sqrt() * mask).sum() / mask.sum().clamp(min=1)


def gradient(predicted: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Return the mean absolute difference between the normals' changes from pixel to pixel: edges and folds count."""
    error = (predicted - truth) * mask
    total = predicted.new_zeros(())
    for reach in _REACHES:
        for axis in (2, 3):
            length = error.shape[axis] - reach
            both = mask.narrow(axis, reach, length) * mask.narrow(axis, 0, length)
            change = (error.narrow(axis, reach, length) - error.narrow(axis, 0, length)).abs()
            total = total + (change * both).sum() / both.sum().clamp(min=1)
    return total / (2 * len(_REACHES))


def angle(predicted: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Return the mean angle in degrees."""
    cosine = (predicted * truth).sum(dim=1, keepdim=True).clamp(-1, 1)
    return torch.rad2deg((torch.acos(cosine) * mask).sum() / mask.sum().clamp(min=1))


def unit(vectors: Tensor) -> Tensor:
    """Make vectors along dimension 1 unit length."""
    return functional.normalize(vectors, dim=1, eps=1e-6)
