# SPDX-License-Identifier: GPL-3.0-or-later
"""Views in between, as further evidence for a grid: drawn of Gaussians that begin on a coarser grid's surface."""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from ...flow.products import Camera, Mesh
from ...raster.ticks import Tick
from ...surface.surface import vertex_normals
from ..field import Field
from ..outlines import outlines
from ..seen import Seen, pixels_of
from .cameras import between
from .cuda import render_on
from .fitting import fitted, on_surface

_STEPS = 150  # of the fit, a view each


def views_between(seen: Seen, hull: Field, surface: Mesh, count: int, seed: int, tick: Tick) -> list[Seen]:
    """So many views between each two neighbours, see `cameras.between`, half as large as those that are seen.

    hull: that of the views at a lattice. surface: of what was fitted there, with its colours. Pixels that show what is
    too thin for the lattice are taken for far outside, so that they tell nothing. With normals if the views have them.
    """
    cameras = between(seen.cameras, count)
    if not cameras:
        return []
    device = seen.alpha.device
    points, triangles, shows = (
        torch.from_numpy(part).to(device) for part in (surface.vertices, surface.triangles, surface.colours)
    )
    normals = vertex_normals(points, triangles)
    if seen.normals is not None:
        shows = torch.cat([shows, normals], dim=1)
    size = seen.shape[0] / 2, seen.shape[1] / 2
    spacing = hull.lattice.cell
    start = on_surface(points, normals, shows, spacing)
    cloud = fitted(start, spacing, seen.cameras, half_as_large(seen), size, _STEPS, seed, tick)
    shape = max(seen.shape[0] // 2, 1), max(seen.shape[1] // 2, 1)
    render = render_on(device)
    with torch.no_grad():
        drawn = torch.stack([render(cloud, camera, shape) for camera in cameras])
    alpha = drawn[..., -1].clamp(0, 1)
    colours = (drawn[..., :3] / alpha.clamp_min(1e-3)[..., None]).clamp(0, 1)
    own = None if seen.normals is None else functional.normalize(drawn[..., 3:6], dim=3)
    thin = hull.lattice.points()[(hull.distances < 0) & (hull.stout <= 0)]
    unsure = torch.stack([_shown(thin, spacing, camera, shape) for camera in cameras])
    distances = torch.where(unsure, torch.inf, outlines(alpha, partial(tick, 1.0)))
    return [Seen(colours, alpha, distances, cameras, own)]


def _shown(points: Tensor, around: float, camera: Camera, shape: tuple[int, int]) -> Tensor:
    """Where a camera may see what is as near as `around`, in metres, to points (P, 3): bool (H, W)."""
    found = points.new_zeros(shape)
    if not len(points):
        return found > 0
    places, scale = pixels_of(points, camera, shape)
    column, row = places.long().unbind(1)
    inside = (places >= 0).all(dim=1) & (column < shape[1]) & (row < shape[0])
    found[row[inside], column[inside]] = 1
    reach = min(math.ceil(around * float(scale.max())), max(shape))
    return functional.max_pool2d(found[None, None], 2 * reach + 1, stride=1, padding=reach)[0, 0] > 0


def half_as_large(seen: Seen) -> Tensor:
    """What views show times alpha, and alpha, as `render` has it: float32 (N, H / 2, W / 2, C + 1), rounded up."""
    shows = seen.colours if seen.normals is None else torch.cat([seen.colours, seen.normals], dim=3)
    alpha = seen.alpha[..., None]
    whole = torch.cat([shows * alpha, alpha], dim=3).permute(0, 3, 1, 2)
    return functional.avg_pool2d(whole, 2, ceil_mode=True, count_include_pad=False).permute(0, 2, 3, 1)
