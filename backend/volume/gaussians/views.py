# SPDX-License-Identifier: GPL-3.0-or-later
"""Views in between, as further evidence for a grid: drawn of Gaussians that begin on a coarser grid's surface."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from ...raster.ticks import Tick
from ...surface.marching_cubes import marching_cubes
from ...surface.surface import vertex_normals
from ..field import Field
from ..outlines import outlines
from ..seen import Seen
from .cameras import between
from .cuda import render_on
from .fitting import fitted, on_surface

_STEPS = 150  # of the fit, a view each
_THIN = 0.1  # of the hull, at most


def views_between(seen: Seen, hull: Field, field: Field, count: int, seed: int, tick: Tick) -> list[Seen]:
    """So many views between each two neighbours, see `cameras.between`, half as large as those that are seen.

    hull: that of the views. field: what was fitted to them at the same lattice; without a surface there are no views.
    Nor are there any if much of the hull is too thin for the lattice, as what was fitted there is gone in parts. With
    normals if the views have them.
    """
    cameras = between(seen.cameras, count)
    thin = hull.stout[hull.distances < 0] <= 0
    surface = marching_cubes(field.distances.view(field.lattice.shape))
    if not (cameras and len(surface.triangles)) or thin.sum() > _THIN * len(thin):
        return []
    parts = field.lattice.points(), field.colours
    points, shows = (surface.interpolate(part[surface.points]) for part in parts)
    normals = vertex_normals(points, surface.triangles)
    if seen.normals is not None:
        shows = torch.cat([shows, normals], dim=1)
    size = seen.shape[0] / 2, seen.shape[1] / 2
    spacing = hull.lattice.cell
    start = on_surface(points, normals, shows, spacing)
    cloud = fitted(start, spacing, seen.cameras, half_as_large(seen), size, _STEPS, seed, tick)
    shape = max(seen.shape[0] // 2, 1), max(seen.shape[1] // 2, 1)
    render = render_on(seen.alpha.device)
    with torch.no_grad():
        drawn = torch.stack([render(cloud, camera, shape) for camera in cameras])
    alpha = drawn[..., -1].clamp(0, 1)
    colours = (drawn[..., :3] / alpha.clamp_min(1e-3)[..., None]).clamp(0, 1)
    own = None if seen.normals is None else functional.normalize(drawn[..., 3:6], dim=3)
    return [Seen(colours, alpha, outlines(alpha, partial(tick, 1.0)), cameras, own)]


def half_as_large(seen: Seen) -> Tensor:
    """What views show times alpha, and alpha, as `render` has it: float32 (N, H / 2, W / 2, C + 1), rounded up."""
    shows = seen.colours if seen.normals is None else torch.cat([seen.colours, seen.normals], dim=3)
    alpha = seen.alpha[..., None]
    whole = torch.cat([shows * alpha, alpha], dim=3).permute(0, 3, 1, 2)
    return functional.avg_pool2d(whole, 2, ceil_mode=True, count_include_pad=False).permute(0, 2, 3, 1)
