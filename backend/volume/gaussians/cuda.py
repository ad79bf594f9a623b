# SPDX-License-Identifier: GPL-3.0-or-later
"""The splatting of gsplat (Ye et al. 2025), on cards of NVIDIA, if it is installed beside PyTorch.

It is used only if it draws some Gaussians on the card as ours does: its build may not fit the card or PyTorch.
"""

import logging
import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor

from ...flow.products import Camera
from ...texture.camera import focal_length, orbit
from .cloud import Cloud
from .splatting import render

log = logging.getLogger(__name__)

Render = Callable[[Cloud, Camera, tuple[float, float]], Tensor]
"""As `splatting.render`."""
_ALIKE = 0.01  # the mean difference of pictures in [0, 1]: where opacities are cut off is not the same
_TRIED = 64  # Gaussians, and pixels along a side


def render_on(device: torch.device) -> Render:
    """What draws Gaussians on this device: gsplat if it is there and works, or ours."""
    return render_by_gsplat if device.type == "cuda" and _works(device) else render


def render_by_gsplat(cloud: Cloud, camera: Camera, size: tuple[float, float]) -> Tensor:
    """As `splatting.render`, on a card of NVIDIA."""
    height, width = size
    scale = focal_length(camera.fov, width) if camera.fov else width / camera.width
    # its cameras have x right, y down and look along z
    to_camera = torch.linalg.inv(torch.tensor(camera.matrix)) * torch.tensor([1.0, -1.0, -1.0, 1.0])[:, None]
    lens = torch.tensor([[scale, 0, width / 2], [0, scale, height / 2], [0, 0, 1]])
    pictures, opacities, _ = import_module("gsplat").rasterization(
        cloud.means,
        cloud.turns,
        cloud.sizes.exp(),
        cloud.opacities.sigmoid(),
        cloud.shows,
        to_camera.to(cloud.means)[None],
        lens.to(cloud.means)[None],
        math.ceil(width),
        math.ceil(height),
        camera_model="pinhole" if camera.fov else "ortho",
    )
    return torch.cat([pictures[0], opacities[0]], dim=2)


@cache
def _works(device: torch.device) -> bool:
    """Whether gsplat is installed and draws as ours does."""
    if find_spec("gsplat") is None:
        return False
    random = torch.Generator().manual_seed(0)
    parts = [torch.randn(_TRIED, count, generator=random) for count in (3, 3, 4, 1, 3)]
    means, sizes, turns, opacities, shows = (part.to(device) for part in parts)
    cloud = Cloud(0.2 * means, 0.3 * sizes - 3, turns, opacities[:, 0], shows.sigmoid())
    camera, size = orbit(30, 20, 2.0, 40.0), (float(_TRIED), float(_TRIED))
    try:
        off = float((render_by_gsplat(cloud, camera, size) - render(cloud, camera, size)).abs().mean())
    except Exception:  # whatever its build does not fit to
        log.warning("gsplat is installed but does not run on this card", exc_info=True)
        return False
    if off > _ALIKE:
        log.warning("gsplat is installed but draws otherwise on this card, by %.3f", off)
    return off <= _ALIKE
