# SPDX-License-Identifier: GPL-3.0-or-later
"""What the published code computes, step for step, with our networks: the baseline that savings are measured against.

It has the same results and none of the savings. A picture that is not there is one of zeros, and goes through the
whole cross-attention. Keys, values and modulations are computed in every evaluation. Features are copied to finer
voxels before they are convolved. Neighbours are searched for as often as there: in each convolution of the latents'
flow model, and once a resolution in their decoder. (It keeps its cells and windows, as we do.) The surface is cut out
of a dense grid on the processor, and looked up in dense grids.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.nn.layers import layer_norm32
from backend.nn.sparse import Voxels
from backend.nn.sparse_blocks import ResBlock, SubdivideBlock, of_items
from backend.nn.sparse_conv import SparseConv
from backend.nn.transformer import DiffusionTransformer
from backend.surface.marching_cubes import marching_cubes
from backend.surface.surface import Surface

_EPS = 1e-6


def velocity(flow: DiffusionTransformer, x: Tensor, t: float, tokens: Tensor, *more: Any) -> Tensor:  # noqa: ANN401
    """The flow model at `x` and the flow's time `t`; zeros for `tokens` are no picture. `more` is what it takes."""
    time = flow.time(torch.tensor([1000 * t], dtype=torch.float32, device=x.device))
    return flow(x, time, flow.contexts(tokens), *more)


@contextmanager
def plain_convolutions(network: nn.Module) -> Generator[None]:
    """Lets the blocks of a sparse network convolve without our savings while the context is entered."""
    ways: tuple[tuple[type, Callable[..., Tensor]], ...] = ((ResBlock, _residual), (SubdivideBlock, _subdivide))
    blocks = [(part, way) for part in network.modules() for kind, way in ways if isinstance(part, kind)]
    for block, way in blocks:
        block.forward = partial(way, block)
    try:
        yield
    finally:
        for block, _ in blocks:
            del block.forward


def _residual(block: ResBlock, x: Tensor, time: Tensor, voxels: Voxels, *, unpacks: bool = False) -> Tensor:
    scale, shift = of_items(block.emb_layers(time), voxels).chunk(2, dim=1)
    x = x[voxels.cell_of] if unpacks else x
    h = block.conv1(functional.silu(block.norm1(x)), searched_anew(voxels))
    h = torch.addcmul(shift, layer_norm32(h, _EPS), 1 + scale)
    return block.conv2(functional.silu(h), searched_anew(voxels)) + block.skip_connection(x)


def _subdivide(block: SubdivideBlock, x: Tensor, voxels: Voxels) -> Tensor:
    first, norm, _, second = block.out_layers
    children = searched_anew(voxels.children)
    h = first(_copied(block.act_layers[0](x, voxels.lengths)), children)
    h = second(norm(h, children.lengths), children)
    skip = block.skip_connection
    copied = _copied(x)
    return h + (skip(copied, children) if isinstance(skip, SparseConv) else copied)


def searched_anew(voxels: Voxels) -> Voxels:
    """The same voxels, knowing nothing of their neighbours."""
    return Voxels(voxels.coords, len(voxels.lengths), voxels.gathered)


def _copied(features: Tensor) -> Tensor:
    return features.repeat_interleave(8, dim=0)


def control_features(control: Any, latent: Tensor, context: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:  # noqa: ANN401
    """The control branch's features with its cross-attention to the `context` (1, T, C) whole."""
    start = torch.zeros(1, dtype=torch.int64, device=latent.device)
    embedding = control.time_embedding(control.time_proj(start).to(latent.dtype)).expand(len(latent), -1)
    h = control.conv_in(latent)
    features: tuple[Tensor, ...] = (h,)
    for block in control.down_blocks:
        seen = {"encoder_hidden_states": context} if getattr(block, "has_cross_attention", False) else {}
        h, more = block(hidden_states=h, temb=embedding, **seen)
        features += more
    return features, control.mid_block(h, embedding, encoder_hidden_states=context)


def extractor() -> str:
    """Which marching cubes `extract_densely` uses: scikit-image's if it is installed."""
    return "scikit-image" if find_spec("skimage") else "ours, on the dense grid"


def extract_densely(coords: Tensor, features: Tensor, resolution: int) -> Surface:
    """The surface of `features` (N, 101) at the voxels `coords` (N, 3), from a dense grid of 257^3 points x 10."""
    corners = torch.tensor([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)], device=coords.device, dtype=coords.dtype)
    distances = features[:, :8, None] - 1 / resolution
    given = torch.cat([distances, features[:, 8:32].view(-1, 8, 3), features[:, 53:].view(-1, 8, 6)], dim=2)
    places, rows = torch.unique((coords[:, None] + corners).view(-1, 3), dim=0, return_inverse=True)
    means = given.new_zeros(len(places), 10)
    means.scatter_reduce_(0, rows[:, None].expand(-1, 10), given.flatten(0, 1), "mean", include_self=False)

    points = resolution + 1
    dense = given.new_zeros(points, points, points, 10)
    dense[..., 0] = 1
    x, y, z = places.long().unbind(1)
    dense[x, y, z] = means
    axis = torch.arange(points, device=coords.device)
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
    deformed = grid / resolution - 0.5 + (1 - 1e-8) / (2 * resolution) * dense[..., 1:4].tanh()
    found, triangles = _isosurface(dense[..., 0].cpu())
    found = found.to(coords.device)
    return Surface(
        vertices=_trilinear(deformed, found),
        triangles=triangles.to(coords.device).flip(1),
        colours=_trilinear(dense[..., 4:], found).sigmoid(),
    )


def _isosurface(values: Tensor) -> tuple[Tensor, Tensor]:
    """Vertices float32 (V, 3) in steps of the grid and triangles int32 (T, 3), turned as scikit-image has them."""
    if not find_spec("skimage"):
        surface = marching_cubes(values)
        places = torch.stack(torch.unravel_index(surface.points, values.shape), dim=1)
        return surface.interpolate(places.float()), surface.triangles.flip(1)
    measure: Any = import_module("skimage.measure")
    vertices, triangles, _, _ = measure.marching_cubes(values.numpy(), level=0.0, gradient_direction="ascent")
    return torch.from_numpy(vertices.copy()), torch.from_numpy(triangles.astype(np.int32))


def _trilinear(grid: Tensor, places: Tensor) -> Tensor:
    """Looks up `places` (V, 3) in the `grid` (X, Y, Z, C): (V, C)."""
    low = places.long()
    within = places - low
    total = grid.new_zeros(len(places), grid.shape[3])
    for corner in range(8):
        step = low.new_tensor([corner & 1, corner >> 1 & 1, corner >> 2])
        x, y, z = (low + step).clamp_max(grid.shape[0] - 1).unbind(1)
        weight = torch.where(step == 1, within, 1 - within).prod(1, keepdim=True)
        total += weight * grid[x, y, z]
    return total
