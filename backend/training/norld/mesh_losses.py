# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mesh decoder of TRELLIS is trained with (Xiang et al. 2025, appendix A; the published code for the details).

Regularisers of the features, and differences of renderings of the predicted surface from those of the true one, each
from one view an object. The renderings have no antialiasing, so that the mask's loss has no gradient.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ...surface.surface import COLOUR, CORNERS, DISPLACEMENT, DISTANCE, displaced
from .raster import barycentric, interpolated, rasterise
from .similarity import structural_similarity
from .views import Camera

_REACH = 3.0  # cells around the surface in which the distances are compared

PictureLoss = Callable[[Tensor, Tensor], Tensor]
"""How unlike two batches of pictures (B, 3, H, W) in [0, 1] are, ()."""


@dataclass(frozen=True)
class Weights:
    """The weights of the terms, by their published names; `lpips` is that of the perceptual loss."""

    depth: float = 10.0
    ssim: float = 0.2
    lpips: float = 0.2
    tsdf: float = 0.01
    color: float = 0.1


@dataclass(frozen=True)
class Corners:
    """The grid's points that voxels touch, ascending by x, y, z, with the means over the voxels that share them."""

    places: Tensor  # int64 (P, 3) in [0, R]
    distances: Tensor  # (P,) signed, negative inside
    displacements: Tensor  # (P, 3) before the tanh
    colours: Tensor | None  # (P, 6) before the sigmoid
    inconsistency: Tensor  # (): the mean square of what voxels say less these means

    def positions(self, resolution: int) -> Tensor:
        """Where the points are after their displacements: (P, 3) in about [-0.5, 0.5]."""
        return displaced(self.places, self.displacements, resolution)


def corners_of(coords: Tensor, features: Tensor, resolution: int) -> Corners:
    """The corners of one object's voxels `coords` int (N, 3) in [0, R) from their `features` (N, 53 or 101)."""
    steps = torch.tensor(CORNERS, device=coords.device)
    every = (coords.long()[:, None] + steps).flatten(0, 1)  # (8 N, 3)
    places, rows = every.unique(dim=0, return_inverse=True)
    parts = [features[:, DISTANCE] - 1 / resolution, features[:, DISPLACEMENT], features[:, COLOUR]]
    own = torch.cat([part.unflatten(1, (8, -1)).flatten(0, 1) for part in parts if part.shape[1]], dim=1)
    count = torch.bincount(rows, minlength=len(places))[:, None]
    means = own.new_zeros(len(places), own.shape[1]).index_add(0, rows, own) / count
    inconsistency = (own - means[rows]).square().mean()
    colours = means[:, 4:] if own.shape[1] > 4 else None
    return Corners(places, means[:, 0], means[:, 1:4], colours, inconsistency)


@dataclass(frozen=True)
class Rendering:
    """What a view shows of a mesh, pictures of S x S pixels, zero where nothing is hit."""

    mask: Tensor  # (1, S, S)
    depth: Tensor  # (1, S, S)
    normal: Tensor  # (3, S, S): the triangles', in the world, as (n + 1) / 2; 0.5 where nothing is hit
    attributes: Tensor | None = None  # (C, S, S)


def render(
    vertices: Tensor, triangles: Tensor, camera: Camera, size: int, attributes: Tensor | None = None
) -> Rendering:
    """Renders a mesh, with gradients through the vertices' places and `attributes` (V, C)."""
    hits = rasterise(vertices, triangles, camera, size)
    weights = barycentric(vertices, triangles, camera, hits)
    depth = interpolated(camera.seen(vertices)[:, 2:], triangles, weights, hits)
    mask = hits.picture(torch.ones_like(depth.detach()))
    corners = vertices[triangles.long()[hits.triangles]]
    normals = functional.normalize(torch.linalg.cross(*(corners[:, 1:] - corners[:, :1]).unbind(1)), dim=1)
    read = None if attributes is None else hits.picture(interpolated(attributes, triangles, weights, hits))
    return Rendering(mask, hits.picture(depth), _coloured(hits.picture(normals)), read)


def render_truth(vertices: Tensor, triangles: Tensor, camera: Camera, size: int) -> Rendering:
    """The same of a true mesh, whose triangles may be turned either way: normals are turned to the camera."""
    found = render(vertices, triangles, camera, size)
    normals = 2 * found.normal - 1
    away = (normals * camera.rays(size).movedim(-1, 0)).sum(0) >= 0
    return replace(found, normal=_coloured(torch.where(away, -normals, normals)))


def distance_loss(positions: Tensor, distances: Tensor, depth: Tensor, camera: Camera, resolution: int) -> Tensor:
    """How far signed `distances` (P,) at `positions` (P, 3) are from those along the view to the true `depth`.

    depth: (1, S, S), 0 where there is nothing. Points more than three cells behind the true surface are hidden.
    """
    seen = camera.seen(positions)
    at = 2 * camera.projected(seen) - 1
    true = functional.grid_sample(
        depth[None], at[None, None], mode="bilinear", padding_mode="border", align_corners=True
    )[0, 0, 0]
    ahead = true - seen[:, 2]
    reach = _REACH / resolution
    kept = ahead > -reach
    return (distances[kept] - ahead[kept].clamp(-reach, reach)).square().mean()


def picture_terms(
    name: str, found: Tensor, true: Tensor, weights: Weights, perceptual: PictureLoss
) -> dict[str, Tensor]:
    """The absolute difference of pictures, what they lack in similarity, what is perceived, and the weighted sum."""
    terms = {name: functional.l1_loss(found, true), f"{name}_ssim": 1 - structural_similarity(found, true)}
    terms[f"{name}_lpips"] = perceptual(found, true)
    terms[f"{name}_perceptual"] = (
        terms[name] + weights.ssim * terms[f"{name}_ssim"] + weights.lpips * terms[f"{name}_lpips"]
    )
    return terms


@dataclass(frozen=True)
class Compared:
    """A predicted object beside the true one in a view. Pictures of the truth may be missing."""

    rendering: Rendering
    truth: Rendering
    distance: Tensor  # (), of `distance_loss`
    normal_map: Tensor | None = None  # (3, S, S) in [0, 1]
    image: Tensor | None = None  # (3, S, S) in [0, 1], over black


def geometry_terms(
    objects: Sequence[Compared], resolution: int, weights: Weights, perceptual: PictureLoss, *, smooth: bool = True
) -> Mapping[str, Tensor]:
    """The published terms by their names, () each; `geo_loss` and `color_loss` are what is added to the regularisers.

    As published, the absolute difference of colours counts once and `color` times more. smooth: depths that differ by
    less than half a cell are compared by squares.
    """
    mask = torch.stack([one.truth.mask for one in objects])
    terms: dict[str, Tensor] = {
        "mask_loss": functional.l1_loss(torch.stack([one.rendering.mask for one in objects]), mask),
        "depth_loss": functional.smooth_l1_loss(
            torch.stack([one.rendering.depth for one in objects]) * mask,
            torch.stack([one.truth.depth for one in objects]) * mask,
            beta=1 / (2 * resolution) if smooth else 0,
        ),
        "tsdf_loss": torch.stack([one.distance for one in objects]).mean(),
    }
    normals = torch.stack([one.rendering.normal for one in objects]) * mask
    true_normals = torch.stack([one.truth.normal for one in objects]) * mask
    terms |= picture_terms("normal_loss", normals, true_normals, weights, perceptual)
    geometry = terms["mask_loss"] + weights.depth * terms["depth_loss"] + weights.tsdf * terms["tsdf_loss"]
    geometry = geometry + terms["normal_loss_perceptual"]
    maps = [
        (one.rendering.attributes[3:], one.normal_map)
        for one in objects
        if one.rendering.attributes is not None and one.normal_map is not None
    ]
    if maps:
        found, true = (torch.stack(pictures) for pictures in zip(*maps, strict=True))
        terms |= picture_terms("normal_map_loss", found, true, weights, perceptual)
        geometry = geometry + weights.color * terms["normal_map_loss_perceptual"]
    images = [
        (one.rendering.attributes[:3], one.image)
        for one in objects
        if one.rendering.attributes is not None and one.image is not None
    ]
    if images:
        found, true = (torch.stack(pictures) for pictures in zip(*images, strict=True))
        terms |= picture_terms("color_loss", found, true, weights, perceptual)
        terms["color_loss"] = terms["color_loss"] + weights.color * terms["color_loss_perceptual"]
    return {**terms, "geo_loss": geometry}


def _coloured(normals: Tensor) -> Tensor:
    return (normals + 1) / 2
