# SPDX-License-Identifier: GPL-3.0-or-later
"""What 3D Gaussians are in a camera's picture: Zwicker et al., "EWA Volume Splatting", 2001.

The camera's projection is taken as linear around each mean (equations 24 to 29), so that a Gaussian is one again.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...flow.products import Camera
from ...texture.camera import focal_length
from .cloud import Cloud

_PIXEL = 0.3  # square pixels, that every splat is wider than its Gaussian, as Kerbl et al. have it
_NEAREST = 1e-2  # metres before a camera with a field of view: what is nearer is not shown


@dataclass(frozen=True)
class Splats:
    """G Gaussians in a picture.

    middles: (G, 2), column and row, in pixels. spreads: (G, 3), the variances across and down, and between them
    the covariance, in square pixels: xx, xy, yy. depths: (G,), metres along the viewing axis. shown: bool (G,), whether
    they lie before the camera.
    """

    middles: Tensor
    spreads: Tensor
    depths: Tensor
    shown: Tensor


def projected(cloud: Cloud, camera: Camera, size: tuple[float, float]) -> Splats:
    """The Gaussians as a camera sees them in a picture of this size, rows and columns."""
    height, width = size
    matrix = torch.tensor(camera.matrix, dtype=cloud.means.dtype, device=cloud.means.device)
    x, y, z = ((cloud.means - matrix[:3, 3]) @ matrix[:3, :3]).unbind(1)
    axes = matrix[:3, :3].T @ cloud.axes()  # (G, 3, 3), in the camera's
    shown = torch.ones_like(z, dtype=torch.bool)
    if camera.fov:
        shown = -z > _NEAREST
        depths = (-z).clamp_min(_NEAREST)
        scale = focal_length(camera.fov, width) / depths
        across = axes[:, 0] + (x / depths)[:, None] * axes[:, 2]
        down = -axes[:, 1] - (y / depths)[:, None] * axes[:, 2]
    else:
        depths, scale = -z, torch.full_like(z, width / camera.width)
        across, down = axes[:, 0], -axes[:, 1]
    across, down = across * scale[:, None], down * scale[:, None]
    middles = torch.stack([width / 2 + x * scale, height / 2 - y * scale], dim=1)
    spreads = [(across * across).sum(dim=1) + _PIXEL, (across * down).sum(dim=1), (down * down).sum(dim=1) + _PIXEL]
    seen = torch.where(shown[:, None], torch.stack(spreads, dim=1), 1.0)  # what is not shown may be endlessly wide
    return Splats(middles, seen, depths, shown)
