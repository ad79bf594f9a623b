# SPDX-License-Identifier: GPL-3.0-or-later
"""Views in between, as further evidence for a grid: drawn of Gaussians that begin on a coarser grid's surface."""

import torch
from torch import Tensor
from torch.nn import functional

from ...flow.products import Camera, Mesh
from ...raster.render import vertex_normals
from ...raster.ticks import Tick
from ..outlines import outlines
from ..seen import Seen
from .cameras import between
from .fitting import fitted, on_surface
from .splatting import render

_STEPS = 150


def views_between(seen: Seen, surface: Mesh, spacing: float, count: int, seed: int, tick: Tick) -> Seen | None:
    """So many views between each two neighbours, half as large as those that are seen; None if there are none.

    surface: with a vertex about every `spacing` metres, and its colours.
    """
    cameras = between(seen.cameras, count)
    if not cameras:
        return None
    device = seen.alpha.device
    points, normals = (
        torch.from_numpy(part).to(device, torch.float32) for part in (surface.vertices, vertex_normals(surface))
    )
    shows = torch.from_numpy(surface.colours).to(device)
    if seen.normals is not None:
        shows = torch.cat([shows, normals], dim=1)
    pictures = [seen.colours, *([] if seen.normals is None else [seen.normals])]
    whole = torch.cat([*(picture * seen.alpha[..., None] for picture in pictures), seen.alpha[..., None]], dim=3)
    views = functional.avg_pool2d(whole.permute(0, 3, 1, 2), 2, ceil_mode=True, count_include_pad=False)
    size = seen.shape[0] / 2, seen.shape[1] / 2
    start = on_surface(points, normals, shows, spacing)
    cloud = fitted(start, spacing, seen.cameras, views.permute(0, 2, 3, 1), size, _STEPS, seed, tick)
    shape = max(seen.shape[0] // 2, 1), max(seen.shape[1] // 2, 1)
    with torch.no_grad():
        drawn = torch.stack([render(cloud, camera, shape) for camera in cameras])
    alpha = drawn[..., -1].clamp(0, 1)
    colours = (drawn[..., :3] / alpha.clamp_min(1e-3)[..., None]).clamp(0, 1)
    own = None if seen.normals is None else functional.normalize(drawn[..., 3:6], dim=3)
    return Seen(colours, alpha, outlines(alpha), cameras, own)
