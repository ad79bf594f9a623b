# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stage `detail` does to coarse meshes of objects whose true surface and normals are known.

    python scripts/benchmark.py detail FOLDER [--estimated] [--only NAME ...]

FOLDER is what `python -m backend evaluate geometry` reads. A coarse mesh is the surface of the object's voxels, of
which there are 128 along one and a half times its longest side, blurred by one voxel; the picture's own camera sees it.
It gets the detail of the true normal map, or, with --estimated, of the one that the draft engine estimates. Printed
are, before and after, the mean and the median angle between the true normals and those that the picture sees of the
mesh, well inside the outline, in degrees; the Chamfer distance to the true surface, in thousandths of its longest side;
the faces, the seconds and, at the end, the most memory. Objects whose voxels are not reliable are left out. Needs the
extras `hi3dgen` and `training`.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark import peak_megabytes

from backend.arrays import Float32Array
from backend.detail.correct import correct
from backend.engines.draft.normals import estimate
from backend.files.pictures import read_picture
from backend.flow.products import Crop, Cutout, Mesh, NormalMap
from backend.foreground.cut_out import cut_out
from backend.mesh.check import is_closed
from backend.mesh.eye import find_eye
from backend.normals.image import from_picture
from backend.raster.morphology import eroded
from backend.raster.render import vertex_normals
from backend.raster.vectors import unit
from backend.surface.marching_cubes import marching_cubes
from backend.texture.raster import look
from backend.training.geometry import evaluation, objects
from backend.training.normals.evaluation import angles

_VOXELS = 128
_REACH = 1.5  # of the object's longest side, that the voxels span
_INNER = 3  # pixels from the outline that are not measured


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py detail", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--estimated", action="store_true", help="take the normals that the draft engine estimates")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these objects alone")
    options = parser.parse_args(arguments)
    known = objects.listed(options.folder, options.only)
    heads = ("mean °", "median °", "Chamfer", "faces")
    print(f"{'':18}" + "".join(f"{head:>18}" for head in heads) + f"{'seconds':>9}")
    rows: list[list[float]] = []
    for name, about in known.items():
        truth = objects.read_object(options.folder, name, about)
        if truth.occupied is None:
            continue
        true, used = _maps(options.folder, name, estimated=options.estimated)
        coarse = _coarse(options.folder, name, about, used.crop)
        start = time.perf_counter()
        carved = correct(coarse, used, 1.0, _ignore)
        seconds = time.perf_counter() - start
        if not is_closed(carved.triangles):
            raise RuntimeError(f"{name} is open now")
        row: list[float] = []
        for mesh in (coarse, carved):
            errors = _angles(mesh, true)
            score, _ = evaluation.judge(truth, mesh)
            row += [float(errors.mean()), float(np.median(errors)), 1000 * score.chamfer, len(mesh.triangles)]
        rows.append([*row, seconds])
        _print(name, rows[-1])
    _print("mean", [float(number) for number in np.mean(rows, axis=0)])
    print(f"Most memory used: {peak_megabytes()} MB")


def _print(name: str, row: Sequence[float]) -> None:
    forms = ("8.2f", "8.2f", "8.2f", "8.0f")
    pairs = [f"{before:{form}}{after:{form}}" for before, after, form in zip(row[:4], row[4:8], forms, strict=True)]
    print(f"{name:18}" + "".join(f"{pair:>18}" for pair in pairs) + f"{row[8]:9.2f}", flush=True)


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def _maps(folder: Path, name: str, *, estimated: bool) -> tuple[NormalMap, NormalMap]:
    """The true normal map, and the one whose detail the mesh gets, in the same frame."""
    picture = read_picture(folder / "images" / f"{name}.png")
    height, width = picture.shape[:2]
    cutout = Cutout(picture, Crop(0.0, 0.0, float(width), width, height))
    if estimated:
        cutout = cut_out(picture, width, _ignore)
    true = from_picture(cutout, read_picture(folder / "normals" / f"{name}.png"), _ignore)
    true = NormalMap(true.normals, true.alpha, cutout.crop)
    return true, NormalMap(estimate(cutout, _ignore).normals, true.alpha, cutout.crop) if estimated else true


def _coarse(folder: Path, name: str, about: Any, crop: Crop | None) -> Mesh:  # noqa: ANN401 - of a JSON document
    with np.load(folder / "mesh" / f"{name}.npz", allow_pickle=False) as file:
        inside = np.unpackbits(file["occupancy128"], count=_VOXELS**3).reshape((_VOXELS,) * 3).astype(np.float32)
    for axis in range(3):
        inside = _blurred(inside, axis)
    surface = marching_cubes(torch.from_numpy(0.5 - inside))
    lattice = torch.stack(torch.unravel_index(surface.points, inside.shape), dim=1).float()
    points = (surface.interpolate(lattice).numpy() + 0.5) / _VOXELS * _REACH - _REACH / 2
    (focal, _, across), (_, _, down), _ = about["K"]
    away = about["camera"] - points
    assert crop is not None  # noqa: S101 - both maps have one
    column = across - focal * away[:, 0] / away[:, 2]
    row = down + focal * away[:, 1] / away[:, 2]
    uv = np.stack([(column - crop.left) / crop.side, 1.0 - (row - crop.top) / crop.side], axis=1)
    vertices = points[:, [0, 2, 1]] * (1, -1, 1)
    return Mesh(vertices.astype(np.float32), surface.triangles.numpy(), uv.astype(np.float32))


def _blurred(voxels: Float32Array, axis: int) -> Float32Array:
    """Voxels after a Gaussian blur by one voxel along an axis."""
    shares = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    padded = np.pad(voxels, [(4, 4) if side == axis else (0, 0) for side in range(3)])
    moved = (np.take(padded, range(start, start + _VOXELS), axis) for start in range(9))
    return sum(part * np.float32(share) for part, share in zip(moved, shares / shares.sum(), strict=True))  # pyright: ignore[reportReturnType]


def _angles(mesh: Mesh, normal_map: NormalMap) -> Float32Array:
    """The angles in degrees between a map's normals and those that its pixels see of a mesh, well inside."""
    side = len(normal_map.alpha)
    eye = find_eye(mesh.vertices, mesh.uv)
    u, v, depth = eye.seen(mesh.vertices.astype(np.float64)).T
    places = np.stack([u * side, (1.0 - v) * side, depth], axis=1)
    seen = look(places, mesh.triangles, (side, side), perspective=bool(eye.place[3]))
    measured = eroded(normal_map.alpha > 0.9, _INNER) & (seen.triangles >= 0)
    corners = mesh.triangles[seen.triangles[measured]]
    normals = np.einsum("pk,pkc->pc", seen.weights[measured], vertex_normals(mesh)[corners])
    return angles(unit(normals @ eye.axes.T).astype(np.float32), normal_map.normals[measured])
