# SPDX-License-Identifier: GPL-3.0-or-later
"""How similar two pictures are in structure (SSIM; Wang et al. 2004)."""

import torch
from torch import Tensor
from torch.nn import functional

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 1e-4, 9e-4


def structural_similarity(one: Tensor, other: Tensor) -> Tensor:
    """The mean similarity, at most 1, of pictures float32 (B, C, H, W) in [0, 1], with zeros around them."""
    places = torch.arange(_WINDOW, dtype=one.dtype, device=one.device) - _WINDOW // 2
    bell = (-places.square() / (2 * _SIGMA**2)).exp()
    bell = bell / bell.sum()
    channels = one.shape[1]
    kernel = (bell[:, None] * bell).expand(channels, 1, -1, -1)

    def local(picture: Tensor) -> Tensor:
        return functional.conv2d(picture, kernel, padding=_WINDOW // 2, groups=channels)

    mean1, mean2 = local(one), local(other)
    variance1, variance2 = local(one * one) - mean1 * mean1, local(other * other) - mean2 * mean2
    covariance = local(one * other) - mean1 * mean2
    alike = (2 * mean1 * mean2 + _C1) * (2 * covariance + _C2)
    return (alike / ((mean1.square() + mean2.square() + _C1) * (variance1 + variance2 + _C2))).mean()
