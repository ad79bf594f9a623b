# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stage `detail` does to coarse meshes of objects whose true surface and normals are known.

    python scripts/benchmark.py detail FOLDER [--estimated] [--strength NUMBER] [--only NAME ...]

FOLDER is what `python -m backend evaluate geometry` reads. A coarse mesh is the surface of the object's voxels, of
which there are 128 along one and a half times its longest side, blurred by one voxel; the picture's own camera sees it.
It gets the detail of the true normal map, or, with --estimated, of the one that the draft engine estimates, as much of
it as --strength says. Printed are, before and after, the mean and the median angle between the true normals and those
that the picture sees of the mesh, well inside the outline, in degrees; the Chamfer distance to the true surface, in
thousandths of its longest side; the faces, the seconds and, at the end, the most memory. Objects whose voxels are not
reliable are left out. Needs the extras `hi3dgen` and `training`.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmark import peak_megabytes
from voxel_meshes import read_cutout, read_normals, voxel_mesh

from backend.arrays import Float32Array
from backend.detail.correct import correct
from backend.engines.draft.normals import estimate
from backend.flow.products import Cutout, Mesh, NormalMap
from backend.foreground.cut_out import cut_out
from backend.mesh.check import is_closed
from backend.mesh.eye import find_eye
from backend.raster.morphology import eroded
from backend.raster.render import vertex_normals
from backend.raster.vectors import unit
from backend.texture.raster import look
from backend.training.geometry import evaluation, objects
from backend.training.normals.evaluation import angles

INNER = 3
"""Pixels from the outline that are not measured."""


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py detail", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--estimated", action="store_true", help="take the normals that the draft engine estimates")
    parser.add_argument("--strength", type=float, default=1.0, help="how much of the relief it gets (default: 1)")
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
        true, used, cutout = maps(options.folder, name, estimated=options.estimated)
        coarse = voxel_mesh(options.folder, name, about, cutout.crop)
        start = time.perf_counter()
        carved = correct(coarse, used, options.strength, _ignore)
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


def maps(folder: Path, name: str, *, estimated: bool) -> tuple[NormalMap, NormalMap, Cutout]:
    """The true normal map, and the one whose detail a mesh gets, both in the frame of the cut-out."""
    cutout = read_cutout(folder, name)
    if estimated:
        cutout = cut_out(cutout.rgba, len(cutout.rgba), _ignore)
    true = read_normals(folder, name, cutout)
    used = NormalMap(estimate(cutout, _ignore).normals, true.alpha, cutout.crop) if estimated else true
    return true, used, cutout


def _angles(mesh: Mesh, normal_map: NormalMap) -> Float32Array:
    """The angles in degrees between a map's normals and those that its pixels see of a mesh, well inside."""
    side = len(normal_map.alpha)
    eye = find_eye(mesh.vertices, mesh.uv)
    u, v, depth = eye.seen(mesh.vertices.astype(np.float64)).T
    places = np.stack([u * side, (1.0 - v) * side, depth], axis=1)
    seen = look(places, mesh.triangles, (side, side), perspective=bool(eye.place[3]))
    measured = eroded(normal_map.alpha > 0.9, INNER) & (seen.triangles >= 0)
    corners = mesh.triangles[seen.triangles[measured]]
    normals = np.einsum("pk,pkc->pc", seen.weights[measured], vertex_normals(mesh)[corners])
    return angles(unit(normals @ eye.axes.T).astype(np.float32), normal_map.normals[measured])
