# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stage `normal_texture` does to meshes of few faces of objects whose true normals are known.

    python scripts/benchmark.py normal_texture FOLDER [--estimated] [--plain] [--faces N] [--only NAME ...]

FOLDER is what `benchmark.py detail` reads, and so are the coarse meshes. They get the detail of the true normal map or,
with --estimated, of the one that the draft engine estimates, unless --plain leaves that out; they are reduced, coloured
and get a normal texture of the same map. Printed are, without it and with it, the mean and the median angle between the
true normals and those that a renderer lights what the picture sees by, well inside the outline, in degrees; the
texture's side and its seconds. Objects whose voxels are not reliable are left out. Needs the extras `hi3dgen` and
`training`.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmark_detail import INNER, maps
from finishing import placed
from voxel_meshes import voxel_mesh

from backend.arrays import Float32Array, UInt8Array
from backend.detail.correct import correct
from backend.flow.products import Mesh, NormalMap
from backend.mesh.eye import find_eye
from backend.mesh.smooth import smooth_normals
from backend.raster.morphology import eroded
from backend.raster.vectors import unit
from backend.texture.bake import sample
from backend.texture.normal_texture import bake_normals
from backend.texture.paint import paint
from backend.texture.raster import look
from backend.texture.tangents import tangents
from backend.training.geometry import objects
from backend.training.normals.evaluation import angles


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py normal_texture", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--estimated", action="store_true", help="take the normals that the draft engine estimates")
    parser.add_argument("--plain", action="store_true", help="leave the detail in the geometry out")
    parser.add_argument("--faces", type=int, default=5000, help="face budget")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these objects alone")
    options = parser.parse_args(arguments)
    print(f"{'':18}{'mean °':>18}{'median °':>18}{'pixels':>9}{'seconds':>9}")
    rows: list[list[float]] = []
    for name, about in objects.listed(options.folder, options.only).items():
        if objects.read_object(options.folder, name, about).occupied is None:
            continue
        true, used, cutout = maps(options.folder, name, estimated=options.estimated)
        mesh = voxel_mesh(options.folder, name, about, cutout.crop)
        if not options.plain:
            mesh = correct(mesh, used, 1.0, _ignore)
        mesh = paint(placed(mesh, options.faces), cutout, used, cutout.rgba, report=_ignore)
        assert mesh.texture is not None and mesh.texture.base_colour is not None  # noqa: S101, PT018 - just painted
        start = time.perf_counter()
        texture = bake_normals(mesh, used, len(mesh.texture.base_colour), _ignore)
        seconds = time.perf_counter() - start
        own, lit = errors(mesh, texture, true)
        rows.append([*(float(each) for means in (np.mean, np.median) for each in (means(own), means(lit)))])
        rows[-1] += [len(texture), seconds]
        _print(name, rows[-1])
    if rows:
        _print("mean", [float(number) for number in np.mean(rows, axis=0)])
        farther = [row[1] - row[0] for row in rows if row[1] > row[0]]
        print(f"{len(farther)} of {len(rows)} farther in the mean, by {max(farther, default=0.0):.2f}° at most")


def errors(mesh: Mesh, texture: UInt8Array, true: NormalMap) -> tuple[Float32Array, Float32Array]:
    """The angles in degrees to true normals of what the pixels see, well inside: without and with a normal texture."""
    assert mesh.picture_uv is not None  # noqa: S101 - painted meshes have it
    side, size = len(true.alpha), len(texture)
    eye = find_eye(mesh.vertices, mesh.picture_uv)
    places = eye.pixels(mesh.vertices.astype(np.float64), side)
    seen = look(places, mesh.triangles, (side, side), perspective=bool(eye.place[3]))
    measured = eroded(true.alpha > 0.9, INNER) & (seen.triangles >= 0)
    triangle, shares = seen.triangles[measured], seen.weights[measured]
    own = smooth_normals(mesh.vertices, mesh.triangles).astype(np.float64)
    axes = tangents(mesh.vertices, mesh.triangles, mesh.corner_uv, own)
    normal = np.einsum("pk,pkc->pc", shares, own[mesh.triangles[triangle]])
    tangent = np.einsum("pk,pkc->pc", shares, axes[triangle])
    u, v = np.einsum("pk,pkc->cp", shares, mesh.corner_uv[triangle].astype(np.float64))
    colours = sample(texture.astype(np.float32), u * size, (1.0 - v) * size) / 127.5 - 1.0
    lit = colours[:, :1] * tangent + colours[:, 1:2] * np.cross(normal, tangent) + colours[:, 2:] * normal
    own_angles, lit_angles = (
        angles(unit(each @ eye.axes.T).astype(np.float32), true.normals[measured]) for each in (normal, lit)
    )
    return own_angles, lit_angles


def _print(name: str, row: Sequence[float]) -> None:
    pairs = [f"{row[at]:8.2f}{row[at + 1]:8.2f}" for at in (0, 2)]
    print(f"{name:18}" + "".join(f"{pair:>18}" for pair in pairs) + f"{row[4]:9.0f}{row[5]:9.2f}", flush=True)


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
