# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as the diffusion models of views hand them to CLIP's picture tower: shrunk to its square, normalised."""

import torch
from torch import Tensor
from torch.nn import functional

from .clip_tower import normalised

SIDE = 224


def clip_pixels(pictures: Tensor, *, blurred: bool = True) -> Tensor:
    """What the tower sees of `pictures` (B, 3, H, W) in [-1, 1]: (B, 3, 224, 224), CLIP's mean 0 and deviation 1.

    The aspect is not kept. Larger pictures are `blurred` first, so that nothing aliases (Stable Video Diffusion);
    Zero-1-to-3 does without. The corners of both grids coincide.
    """
    height, width = pictures.shape[-2:]
    if blurred and max(height, width) > SIDE:
        pictures = _blurred(_blurred(pictures, height / SIDE, -2), width / SIDE, -1)
    small = functional.interpolate(pictures, (SIDE, SIDE), mode="bicubic", align_corners=True)
    return normalised((small + 1) / 2)


def _blurred(pictures: Tensor, factor: float, axis: int) -> Tensor:
    """`pictures` (B, C, H, W) after a Gaussian along an axis, for shrinking by `factor`; reflected at the border."""
    deviation = max((factor - 1) / 2, 0.001)
    taps = int(max(4 * deviation, 3))
    half = taps // 2  # an even number of taps is made odd
    places = torch.arange(-half, half + 1, dtype=pictures.dtype, device=pictures.device)
    weights = torch.exp(-(places**2) / (2 * deviation**2))
    weights = weights / weights.sum()
    along_rows = axis == -1
    padded = functional.pad(pictures, (half, half, 0, 0) if along_rows else (0, 0, half, half), mode="reflect")
    kernel = weights.view(1, 1, 1, -1) if along_rows else weights.view(1, 1, -1, 1)
    channels = pictures.shape[1]
    return functional.conv2d(padded, kernel.expand(channels, -1, -1, -1).contiguous(), groups=channels)
