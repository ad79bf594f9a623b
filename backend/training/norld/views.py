# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras around an object in the unit cube: where the published data were rendered from.

World axes are those of meshes, z up. A camera's own axes are x right, y down, z ahead, as in computer vision.
Intrinsics are divided by the picture's size: the picture reaches from 0 to 1 along both axes, row 0 on top.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FIELD = math.radians(40)  # of the views that features and losses are rendered from
DISTANCE = 2.0


@dataclass(frozen=True)
class Camera:
    """extrinsics float32 (4, 4), from world to camera; intrinsics float32 (3, 3)."""

    extrinsics: Tensor
    intrinsics: Tensor

    def seen(self, points: Tensor) -> Tensor:
        """World `points` (N, 3) in the camera's axes: (N, 3), the last being the depth."""
        return points @ self.extrinsics[:3, :3].T + self.extrinsics[:3, 3]

    def projected(self, seen: Tensor) -> Tensor:
        """Where points in the camera's axes (N, 3) lie in the picture: (N, 2), from 0 to 1 if they are in it."""
        across = seen @ self.intrinsics.T
        return across[:, :2] / across[:, 2:]

    def rays(self, size: int) -> Tensor:
        """The world direction that each of size x size pixels looks along, of depth 1: (size, size, 3)."""
        place = (torch.arange(size, device=self.intrinsics.device, dtype=self.intrinsics.dtype) + 0.5) / size
        rows, columns = torch.meshgrid(place, place, indexing="ij")
        ahead = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1) @ torch.linalg.inv(self.intrinsics).T
        return ahead @ self.extrinsics[:3, :3]

    def to(self, device: torch.device | None = None, dtype: torch.dtype | None = None) -> "Camera":
        """The same on a device, of a dtype."""
        return Camera(self.extrinsics.to(device, dtype), self.intrinsics.to(device, dtype))


def on_sphere(count: int, offset: Sequence[float] = (0.0, 0.0)) -> Tensor:
    """Yaw and pitch of `count` points spread over the sphere, in radians, float32 (count, 2).

    The points are Hammersley's (u the number, v its binary digits mirrored), moved by an `offset` of two numbers in
    [0, 1). Places are u along the height, but those in the lowest quarter are twice as dense above as below.
    """
    found: list[tuple[float, float]] = []
    for number in range(count):
        u = (number + offset[0]) / count
        u = 2 * u if u < 0.25 else 2 / 3 * u + 1 / 3
        v = _mirrored(number) + offset[1]
        found.append((2 * math.pi * v, math.acos(1 - 2 * u) - math.pi / 2))
    return torch.tensor(found, dtype=torch.float32)


def camera_at(yaw: float, pitch: float, distance: float = DISTANCE, field: float = FIELD) -> Camera:
    """The camera at a point around the origin, which it looks at, with z up. `field`: of view, in radians."""
    back = torch.tensor([math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch), math.sin(pitch)])
    right = torch.tensor([-math.sin(yaw), math.cos(yaw), 0.0])
    down = torch.linalg.cross(right, back)
    extrinsics = torch.eye(4)
    extrinsics[:3, :3] = torch.stack([right, down, -back])
    extrinsics[2, 3] = distance
    return Camera(extrinsics, intrinsics_of(field))


def intrinsics_of(field: float) -> Tensor:
    """The intrinsics (3, 3) of a square picture with a field of view in radians."""
    focal = 0.5 / math.tan(field / 2)
    return torch.tensor([[focal, 0.0, 0.5], [0.0, focal, 0.5], [0.0, 0.0, 1.0]])


def _mirrored(number: int) -> float:
    """The binary digits of a number behind the point, mirrored (van der Corput)."""
    value, share = 0.0, 0.5
    while number:
        value += share * (number & 1)
        number >>= 1
        share /= 2
    return value
