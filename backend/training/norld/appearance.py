# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh looks like from its views: the pictures that stand for the published renders of textured objects.

Base colours under the lights of the published renders, without shadows and reflections. A mesh without colours is clay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...arrays import Float32Array
from ...flow.products import Mesh
from ...raster.colour import linear_to_srgb, srgb_to_linear
from .raster import Hits, barycentric, interpolated, rasterise
from .views import Camera

CLAY = 0.8  # linear: Blender's base colour of a new material
_LARGEST = 2048  # pixels along an image's longer side; more are averaged
_SAMPLES = 2  # along a pixel's side

# Radiance of a white surface, by hand from the published lights: a lamp of 1,000 W at (4, 1, 6), a square of 10,000 W
# and 100 m that lies 10 m above, and the grey of Blender's own world.
_LAMP, _LAMP_AT = 0.48, (4.0, 1.0, 6.0)
_ABOVE, _AROUND = 0.32, 0.05


@dataclass(frozen=True)
class Painted:
    """A mesh with its base colours, in linear light.

    vertices float32 (V, 3) in the unit cube around the origin, z up; triangles int (T, 3). normals: float32 (V, 3) for
    smooth shading, or None for flat. colours: float32 (V, 3). images: each (3, H, W), and `image` int64 (T,) says which
    a triangle has, -1 for none; uv: float32 (T, 3, 2), (0, 0) bottom left, beyond [0, 1] the image repeats.
    """

    vertices: Tensor
    triangles: Tensor
    normals: Tensor | None
    colours: Tensor
    images: Sequence[Tensor]
    image: Tensor
    uv: Tensor


def painted(meshes: Sequence[Mesh], places: Tensor) -> Painted:
    """Several meshes as one, whose vertices are at `places` float32 (V, 3), on their device.

    Each has the colours of its texture, else its vertices', else those of clay.
    """
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    images: list[Tensor] = []
    colours: list[Float32Array] = []
    which: list[int] = []
    for mesh in meshes:
        colours.append(
            np.full((len(mesh.vertices), 3), CLAY, np.float32)
            if mesh.colours is None
            else srgb_to_linear(mesh.colours.astype(np.float32))
        )
        which.append(-1)
        if mesh.texture is not None and mesh.texture.base_colour is not None:
            which[-1] = len(images)
            images.append(_image(mesh.texture.base_colour[..., :3].astype(np.float32) / np.float32(255), places.device))
    normals = [mesh.normals for mesh in meshes if mesh.normals is not None]

    def placed(parts: Sequence[Float32Array]) -> Tensor:
        return torch.from_numpy(np.concatenate(parts).astype(np.float32)).to(places.device)

    triangles = np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)])
    counts = torch.tensor([len(mesh.triangles) for mesh in meshes], device=places.device)
    return Painted(
        places,
        torch.from_numpy(triangles.astype(np.int64)).to(places.device),
        placed(normals) if len(normals) == len(meshes) else None,
        placed(colours),
        images,
        torch.tensor(which, device=places.device).repeat_interleave(counts),
        placed([mesh.corner_uv for mesh in meshes]),
    )


@torch.no_grad()
def appearance(mesh: Painted, camera: Camera, size: int) -> Tensor:
    """What a view of size x size pixels shows over black: float32 (3, size, size), sRGB in [0, 1].

    A pixel is the mean light of 2 x 2 samples. Both sides of triangles are seen.
    """
    hits = rasterise(mesh.vertices, mesh.triangles, camera, _SAMPLES * size)
    weights = barycentric(mesh.vertices, mesh.triangles, camera, hits)
    bright = _base_colours(mesh, weights, hits) * _light(mesh, weights, hits, camera)
    seen = functional.avg_pool2d(hits.picture(torch.cat([bright, torch.ones_like(bright[:, :1])], dim=1)), _SAMPLES)
    alpha = seen[3:]
    tones = linear_to_srgb((seen[:3] / alpha.clamp_min(1e-6)).clamp(0, 1).cpu().numpy())
    return torch.from_numpy(tones).to(alpha.device) * alpha


def _base_colours(mesh: Painted, weights: Tensor, hits: Hits) -> Tensor:
    """The colours of what is hit, float32 (P, 3)."""
    found = interpolated(mesh.colours, mesh.triangles, weights, hits)
    image = mesh.image[hits.triangles]
    for number, pixels in enumerate(mesh.images):
        its = image == number
        uv = (mesh.uv[hits.triangles[its]] * weights[its][..., None]).sum(1)
        u, v = torch.where((uv < 0) | (uv > 1), uv - uv.floor(), uv).unbind(1)
        at = torch.stack([2 * u - 1, 1 - 2 * v], dim=1)
        read = functional.grid_sample(pixels[None], at[None, None], padding_mode="border", align_corners=False)
        found[its] = read[0, :, 0].T
    return found


def _light(mesh: Painted, weights: Tensor, hits: Hits, camera: Camera) -> Tensor:
    """How bright a white surface is at what is hit, float32 (P, 1); its normals are turned to the camera."""
    corners = mesh.vertices[mesh.triangles[hits.triangles]]
    flat = functional.normalize(torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), dim=1)
    normals = flat
    if mesh.normals is not None:
        normals = functional.normalize(interpolated(mesh.normals, mesh.triangles, weights, hits), dim=1)
        normals = torch.where((normals * flat).sum(1, keepdim=True) < 0, -normals, normals)
    rays = camera.rays(hits.size).flatten(0, 1)[hits.pixels]
    normals = torch.where((flat * rays).sum(1, keepdim=True) > 0, -normals, normals)
    lamp = functional.normalize(normals.new_tensor(_LAMP_AT), dim=0)
    return _AROUND + _ABOVE * (1 + normals[:, 2:]) / 2 + _LAMP * (normals @ lamp).clamp_min(0)[:, None]


def _image(tones: Float32Array, device: torch.device) -> Tensor:
    """An image's tones (H, W, 3) in linear light, (3, H, W), no larger than is of use."""
    light = torch.from_numpy(srgb_to_linear(tones)).permute(2, 0, 1).to(device)
    scale = _LARGEST / max(light.shape[1:])
    if scale >= 1:
        return light.contiguous()
    size = [max(1, round(scale * side)) for side in light.shape[1:]]
    return functional.interpolate(light[None], size=size, mode="area")[0]
