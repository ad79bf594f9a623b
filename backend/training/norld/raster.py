# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangle each pixel shows, in plain torch on any device, and differentiable attributes of what is shown.

Which triangle it is has no gradient. Places on the triangles may have one, through the vertices; a caller that wants
gradients through attributes alone computes them from vertices without.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .chunks import cells_of_boxes
from .views import Camera

_NEAR = 1e-3  # triangles that reach nearer to the camera's plane are not shown
_CANDIDATES = 2**22  # pixels of triangles' boxes that are looked at together
_EPSILON = 1e-12


@dataclass(frozen=True)
class Hits:
    """The pixels that show a triangle, in the order of rows and columns, and which one."""

    size: int  # pixels along a side of the picture
    pixels: Tensor  # int64 (P,): row * size + column
    triangles: Tensor  # int64 (P,)

    def picture(self, values: Tensor, elsewhere: float = 0.0) -> Tensor:
        """`values` (P, C) as a picture (C, size, size)."""
        canvas = values.new_full((self.size * self.size, values.shape[1]), elsewhere)
        return canvas.index_copy(0, self.pixels, values).T.unflatten(1, (self.size, self.size))


@torch.no_grad()
def rasterise(vertices: Tensor, triangles: Tensor, camera: Camera, size: int, candidates: int = _CANDIDATES) -> Hits:
    """The nearest triangle at the centre of each pixel of a square picture; both sides of triangles are seen.

    vertices: float32 (V, 3) in the world. triangles: int (T, 3). At most about so many `candidates` are held at once.
    """
    seen = camera.seen(vertices)
    corners = triangles.long()
    shown = (seen[corners][..., 2] > _NEAR).all(1).nonzero()[:, 0]
    places = camera.projected(seen) * size - 0.5  # pixels' centres are whole numbers
    inverse = 1 / seen[:, 2]
    box = places[corners[shown]]  # (T, 3, 2)
    low = box.amin(1).ceil().clamp(0, size).long()
    high = box.amax(1).floor().clamp(-1, size - 1).long()
    spans = (high - low + 1).clamp_min(0)
    nearest = torch.zeros(size * size, dtype=seen.dtype, device=seen.device)
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for owner, place in cells_of_boxes(spans.prod(1), candidates):
        column = low[owner, 0] + place % spans[owner, 0]
        row = low[owner, 1] + place // spans[owner, 0]
        its = corners[shown[owner]]
        shares = _shares(places[its], torch.stack([column, row], dim=1).to(places.dtype))
        inside = (shares >= 0).all(1)  # false for what is not a number: a triangle without an area
        pixel, triangle = (row * size + column)[inside], shown[owner][inside]
        nearness = (shares * inverse[its]).sum(1)[inside]
        nearest.scatter_reduce_(0, pixel, nearness, "amax")
        found.append((pixel, triangle, nearness))
    if not found:
        none = torch.zeros(0, dtype=torch.int64, device=seen.device)
        return Hits(size, none, none)
    pixel, triangle, nearness = (torch.cat(parts) for parts in zip(*found, strict=True))
    wins = nearness == nearest[pixel]
    winner = torch.full((size * size,), -1, dtype=torch.int64, device=seen.device)
    winner.scatter_reduce_(0, pixel[wins], triangle[wins], "amax")  # of several at one depth the last
    pixels = (winner >= 0).nonzero()[:, 0]
    return Hits(size, pixels, winner[pixels])


def barycentric(vertices: Tensor, triangles: Tensor, camera: Camera, hits: Hits) -> Tensor:
    """The weights of the corners of the triangles that are hit, right in perspective: (P, 3), of sum 1."""
    seen = camera.seen(vertices)
    its = triangles.long()[hits.triangles]
    at = torch.stack([hits.pixels % hits.size, hits.pixels // hits.size], dim=1).to(seen.dtype)
    shares = _shares((camera.projected(seen) * hits.size - 0.5)[its], at) / seen[its][..., 2]
    return shares / shares.sum(1, keepdim=True)


def interpolated(attributes: Tensor, triangles: Tensor, weights: Tensor, hits: Hits) -> Tensor:
    """The `attributes` (V, C) of vertices at what is hit: (P, C)."""
    return (attributes[triangles.long()[hits.triangles]] * weights[..., None]).sum(1)


def _shares(corners: Tensor, at: Tensor) -> Tensor:
    """The barycentric coordinates of points `at` (N, 2) in flat triangles `corners` (N, 3, 2): (N, 3)."""
    a, b, c = (corners - at[:, None]).unbind(1)
    areas = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], dim=1)
    whole = areas.sum(1, keepdim=True)
    return areas / torch.where(whole.abs() < _EPSILON, torch.nan, whole)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
