# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of known objects with their true normals, and meshes of their voxels as the pictures' cameras see them.

The folder is one that `python -m backend evaluate geometry` reads. Artists' meshes overlap and are wound wrongly; the
surface of the voxels is closed and outward.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.arrays import Float32Array, Float64Array
from backend.files.pictures import read_picture
from backend.flow.products import Crop, Cutout, Mesh, NormalMap
from backend.normals.image import from_picture
from backend.surface.marching_cubes import marching_cubes

_VOXELS = 128
_REACH = 1.5  # of the object's longest side, that the voxels span


def read_cutout(folder: Path, name: str) -> Cutout:
    """The whole picture of an object, whose alpha is the object."""
    picture = read_picture(folder / "images" / f"{name}.png")
    height, width = picture.shape[:2]
    return Cutout(picture, Crop(0.0, 0.0, float(width), width, height))


def read_normals(folder: Path, name: str, cutout: Cutout) -> NormalMap:
    """The true normal map of an object in the frame of its cut-out."""
    true = from_picture(cutout, read_picture(folder / "normals" / f"{name}.png"), _ignore)
    return NormalMap(true.normals, true.alpha, cutout.crop)


def voxel_mesh(folder: Path, name: str, about: Any, crop: Crop) -> Mesh:  # noqa: ANN401 - of a JSON document
    """The surface of an object's voxels, blurred by one voxel; its uv is (V, 2), in the frame of the crop.

    about: what `objects.json` says of the object: its camera's place and K. There are 128 voxels along one and a half
    times the object's longest side.
    """
    with np.load(folder / "mesh" / f"{name}.npz", allow_pickle=False) as file:
        inside = np.unpackbits(file["occupancy128"], count=_VOXELS**3).reshape((_VOXELS,) * 3).astype(np.float32)
    for axis in range(3):
        inside = _blurred(inside, axis)
    surface = marching_cubes(torch.from_numpy(0.5 - inside))
    lattice = torch.stack(torch.unravel_index(surface.points, inside.shape), dim=1).float()
    points = (surface.interpolate(lattice).numpy() + 0.5) / _VOXELS * _REACH - _REACH / 2
    column, row, _ = seen(points, about).T
    uv = np.stack([(column - crop.left) / crop.side, 1.0 - (row - crop.top) / crop.side], axis=1)
    vertices = points[:, [0, 2, 1]] * (1, -1, 1)
    return Mesh(vertices.astype(np.float32), surface.triangles.numpy(), uv.astype(np.float32))


def seen(points: Float64Array, about: Any) -> Float64Array:  # noqa: ANN401 - of a JSON document
    """Column, row and depth, float64 (N, 3), of points in an object's picture: x right, y up, z to the viewer."""
    (focal, _, across), (_, _, down), _ = about["K"]
    away = about["camera"] - points
    column = across - focal * away[:, 0] / away[:, 2]
    row = down + focal * away[:, 1] / away[:, 2]
    return np.stack([column, row, away[:, 2]], axis=1)


def _blurred(voxels: Float32Array, axis: int) -> Float32Array:
    """Voxels after a Gaussian blur by one voxel along an axis."""
    shares = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    padded = np.pad(voxels, [(4, 4) if side == axis else (0, 0) for side in range(3)])
    moved = (np.take(padded, range(start, start + _VOXELS), axis) for start in range(9))
    return sum(part * np.float32(share) for part, share in zip(moved, shares / shares.sum(), strict=True))  # pyright: ignore[reportReturnType]


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
