# SPDX-License-Identifier: GPL-3.0-or-later
"""The voxels that a mesh's surface touches: what a sparse structure is made from."""

import torch
from torch import Tensor

from .chunks import cells_of_boxes

_INSET = 1e-6  # so that what lies on the cube's border is in its last voxels
_PAIRS = 2**18  # of a triangle and a voxel, looked at together


def normalised(vertices: Tensor) -> Tensor:
    """`vertices` (V, 3) moved and scaled so that their box is centred at 0 and its longest side is 1."""
    low, high = vertices.amin(0), vertices.amax(0)
    return (vertices - (low + high) / 2) / (high - low).amax()


def touched_voxels(vertices: Tensor, triangles: Tensor, resolution: int = 64, pairs: int = _PAIRS) -> Tensor:
    """The voxels of the unit cube around the origin that a triangle touches: int32 (N, 3), ascending by x, y, z.

    vertices: floating (V, 3); what lies outside the cube is moved to its border. A triangle and a voxel touch unless
    one of 13 axes separates them (Akenine-Moeller 2001): the voxel's three, which the triangle's box stands for, the
    triangle's normal, and the nine products of an edge of each.
    """
    inside = vertices.double().clamp(_INSET - 0.5, 0.5 - _INSET)
    corners = (inside[triangles.long()] + 0.5) * resolution  # (T, 3, 3) in voxels
    low, high = corners.amin(1).floor().long(), corners.amax(1).floor().long()
    spans = high - low + 1
    found: list[Tensor] = []
    for owner, place in cells_of_boxes(spans.prod(1), pairs):
        y, z = spans[owner, 1], spans[owner, 2]
        voxels = low[owner] + torch.stack([place // (y * z), place // z % y, place % z], dim=1)
        touched = _touch(corners[owner] - (voxels + 0.5)[:, None])
        found.append(voxels[touched].unique(dim=0))
    if not found:
        return torch.zeros(0, 3, dtype=torch.int32, device=vertices.device)
    return torch.cat(found).unique(dim=0).int()


def occupancy(voxels: Tensor, resolution: int = 64) -> Tensor:
    """The grid of `voxels` int (N, 3): float32 (1, 1, R, R, R) of 0 and 1."""
    grid = torch.zeros(1, 1, *[resolution] * 3, device=voxels.device)
    x, y, z = voxels.long().unbind(1)
    grid[0, 0, x, y, z] = 1
    return grid


def _touch(corners: Tensor) -> Tensor:
    """Whether triangles `corners` (P, 3, 3) touch the cube of side 1 around the origin, which their boxes do."""
    edges = corners.roll(-1, dims=1) - corners
    normal = torch.linalg.cross(edges[:, 0], edges[:, 1])
    touch = (normal * corners[:, 0]).sum(1).abs() <= 0.5 * normal.abs().sum(1)
    axes = torch.linalg.cross(
        edges[:, :, None], torch.eye(3, dtype=corners.dtype, device=corners.device).expand(1, 1, 3, 3)
    )
    along = torch.einsum("pkc,pijc->pijk", corners, axes)  # (P, 3 edges, 3 axes, 3 corners)
    reach = 0.5 * axes.abs().sum(3)
    apart = (along.amin(3) > reach) | (along.amax(3) < -reach)
    return touch & ~apart.flatten(1).any(1)
