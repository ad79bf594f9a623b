# SPDX-License-Identifier: GPL-3.0-or-later
"""Views as the grid is fitted to them: colours and cut-outs of one size, as tensors, and where cameras see points."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..arrays import Float32Array
from ..flow.products import Camera
from ..raster.ticks import Poll, unwatched
from ..texture.camera import focal_length
from .outlines import outlines


@dataclass(frozen=True)
class Seen:
    """N views of one object.

    colours: float32 (N, H, W, 3), sRGB in [0, 1], without meaning if alpha is 0. alpha: float32 (N, H, W), the object's
    coverage in [0, 1]. distances: float32 (N, H, W), to the outlines, see `outlines`. cameras: N, in metres. normals:
    float32 (N, H, W, 3), unit or 0, in the axes of the object, or None.
    """

    colours: Tensor
    alpha: Tensor
    distances: Tensor
    cameras: tuple[Camera, ...]
    normals: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns of the views."""
        return self.alpha.shape[1], self.alpha.shape[2]


def seen(
    colours: Float32Array,
    alpha: Float32Array,
    cameras: tuple[Camera, ...],
    normals: Float32Array | None,
    device: torch.device,
    poll: Poll = unwatched,
) -> Seen:
    """Views on a device; normals: each view's own, x right, y up, z to the viewer, else all as `Seen` has it."""
    coverage = torch.from_numpy(alpha).to(device)
    turned = None
    if normals is not None:
        turns = torch.tensor([camera.matrix[:3, :3].tolist() for camera in cameras], dtype=torch.float32)
        turned = torch.einsum("nij,nhwj->nhwi", turns, torch.from_numpy(normals)).to(device)
    return Seen(torch.from_numpy(colours).to(device), coverage, outlines(coverage, poll), cameras, turned)


def pixels_of(points: Tensor, camera: Camera, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Where a camera sees points (P, 3): column and row (P, 2), and the pixels that a metre there takes, (P,).

    As `texture.camera.pixels`, in torch. Points behind a camera with a field of view come out as if they were just
    before it.
    """
    matrix = torch.tensor(camera.matrix, dtype=torch.float32, device=points.device)
    placed = (points - matrix[:3, 3]) @ matrix[:3, :3]
    height, width = shape
    if camera.fov:
        scale = focal_length(camera.fov, width) / (-placed[:, 2]).clamp_min(1e-3)
    else:
        scale = torch.full_like(placed[:, 2], width / camera.width)
    return torch.stack([width / 2 + placed[:, 0] * scale, height / 2 - placed[:, 1] * scale], dim=1), scale


def sampled(picture: Tensor, places: Tensor) -> Tensor:
    """A picture (H, W, C) at places (P, 2), column and row, linear between pixels' middles: (P, C).

    Beyond the border it goes on as it is there.
    """
    height, width, _ = picture.shape
    size = torch.tensor([width, height], dtype=torch.float32, device=picture.device)
    grid = (places / size * 2 - 1)[None, None]
    found = functional.grid_sample(
        picture.permute(2, 0, 1)[None], grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return found[0, :, 0].T
