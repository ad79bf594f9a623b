# SPDX-License-Identifier: GPL-3.0-or-later
"""What many views show at each voxel: the input of the latents' encoder (TRELLIS; Xiang et al. 2025, section 3.1)."""

from collections.abc import Iterable

from torch import Tensor
from torch.nn import functional

from .views import Camera


def gathered_from_views(positions: Tensor, views: Iterable[tuple[Camera, Tensor]]) -> Tensor:
    """The mean over all views of the patch tokens at the voxels' centres: float32 (N, C).

    positions: float32 (N, 3) in [-0.5, 0.5]. views: each camera with its tokens (C, rows, columns), read bilinearly,
    zero outside of the picture. As published a view counts even if it does not see the voxel.
    """
    total, count = None, 0
    for camera, tokens in views:
        places = 2 * camera.projected(camera.seen(positions)) - 1
        read = functional.grid_sample(tokens[None], places[None, None], mode="bilinear", align_corners=False)
        total = read[0, :, 0].T if total is None else total + read[0, :, 0].T
        count += 1
    if total is None:
        raise ValueError("there are no views")
    return total / count


def voxel_of(positions: Tensor, resolution: int = 64) -> Tensor:
    """The voxel that each of the `positions` (N, 3) in [-0.5, 0.5) lies in: int32 (N, 3)."""
    return ((positions + 0.5) * resolution).int()
