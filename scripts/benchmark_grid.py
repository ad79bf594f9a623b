# SPDX-License-Identifier: GPL-3.0-or-later
"""How near meshes from views come to the true surface, on objects whose surface is known.

    python scripts/benchmark.py grid FOLDER [--cells N ...] [--steps N] [--only NAME ...] [--sheet PICTURE]

FOLDER is what `python -m backend evaluate geometry` reads. Each object is seen by the cameras of two engines, 320
pixels square: the 16 of Hi3D's orbit, level with the object, and the six of Zero123++. It is grey under three coloured
lights that stand still around it, without shadows. Three contenders make a mesh of the views, each cleaned and reduced
as engines' meshes are: `hull`, the visual hull at the same lattice; `grid`, which is `volume.reconstruct` without views
in between; `between`, the same with as many of them as is the setting's default; and `normals`, the one without
them but with the true normals of the views, which engines estimate. Printed are what `evaluate geometry`
prints under the same names, with the meshes where they lie; the processor's seconds, of all threads together; and, at
the end, the most memory. Objects whose voxels are not reliable are left out. Needs the extras `hi3dgen` and `training`.
"""

import argparse
import json
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmark import peak_megabytes

from backend.arrays import Float32Array, Float64Array
from backend.engines.grid.settings import BETWEEN
from backend.engines.hi3d.stages import DISTANCE, FOV
from backend.engines.zero123pp.stages import CAMERAS
from backend.files.pictures import write_picture
from backend.flow.products import Camera, Mesh, Noted, Picture
from backend.mesh.clean import clean
from backend.mesh.reduce import reduce
from backend.mesh.stages import FACES
from backend.nn.device import choose
from backend.raster.vectors import unit
from backend.texture.camera import orbit, pixels
from backend.texture.raster import look
from backend.training.geometry import comparison, evaluation, objects
from backend.training.geometry.triangles import Triangles, crosses
from backend.volume.reconstruct import hull, mesh_of, reconstruct
from backend.volume.seen import Seen, seen

SIDE = 320
_FINE = 3  # samples along a pixel's side
_FRAMES = 16
CAMERA_SETS = {
    "16": tuple(orbit(360 * i / _FRAMES, 0.0, DISTANCE, FOV) for i in range(_FRAMES)),
    "6": CAMERAS,
}
CONTENDERS = ("hull", "grid", "between", "normals")
_LIGHTS = unit(np.array([[0.5, -0.7, 0.5], [-0.8, -0.1, 0.3], [0.2, 0.9, 0.4]]))  # towards them
_COLOURS = np.array([[0.55, 0.5, 0.4], [0.15, 0.25, 0.4], [0.3, 0.15, 0.2]])
_AMBIENT = 0.25
_SHOWN = ("chamfer", "f01", "f02", "normals", "volume")


class Row(NamedTuple):
    """What was measured of a mesh; the numbers from `chamfer` to `volume` are those of `evaluation.Score`."""

    name: str
    views: str
    cells: int
    contender: str
    chamfer: float
    f01: float
    f02: float
    normals: float
    volume: float
    seconds: float


class Rendered(NamedTuple):
    """Views of an object: colours and normals, float32 (N, H, W, 3), alpha, (N, H, W), and cameras.

    Normals are unit, each view's own: x right, y up, z to the viewer.
    """

    colours: Float32Array
    alpha: Float32Array
    normals: Float32Array
    cameras: tuple[Camera, ...]

    def seen(self, *, normals: bool) -> Seen:
        """As the grid takes them."""
        return seen(self.colours, self.alpha, self.cameras, self.normals if normals else None, choose().device)


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py grid", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, nargs="+", default=[64], help="along the longest side")
    parser.add_argument("--steps", type=int, default=200, help="of each resolution")
    parser.add_argument("--views", nargs="+", default=[*CAMERA_SETS], choices=[*CAMERA_SETS], help="how many views")
    parser.add_argument("--contenders", nargs="+", default=[*CONTENDERS], choices=CONTENDERS)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these objects alone")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write truth and meshes here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here")
    options = parser.parse_args(arguments)
    print(f"{'':18}{'views':>6}{'cells':>6} {'':8}" + "".join(f"{name:>9}" for name in _SHOWN) + f"{'seconds':>9}")
    kinds = [*product(options.views, options.cells, options.contenders)]
    rows: list[Row] = []
    sheet: list[Picture] = []
    for name, about in objects.listed(options.folder, options.only).items():
        truth = objects.read_object(options.folder, name, about)
        if truth.occupied is None:
            continue
        rendered = {views: render(truth.surface, CAMERA_SETS[views]) for views in options.views}
        for views, cells, contender in kinds:
            start = time.process_time()
            mesh = made(rendered[views], contender, cells, options.steps)
            seconds = time.process_time() - start
            score, placed = evaluation.judge(truth, mesh, in_place=True)
            numbers = (score.chamfer, score.f01, score.f02, score.normals, score.volume, seconds)
            rows.append(Row(name, views, cells, contender, *numbers))
            _print(rows[-1])
            if options.sheet:
                sheet.append(comparison.row(_first(rendered[views]), truth.surface, placed))
        if options.json:
            options.json.write_text(json.dumps([row._asdict() for row in rows], indent=1), encoding="utf-8")
    for kind in kinds if rows else ():
        _print(_mean([row for row in rows if (row.views, row.cells, row.contender) == kind]))
    print(f"Most memory used: {peak_megabytes()} MB")
    if sheet:
        write_picture(options.sheet, np.concatenate(sheet))


def made(rendered: Rendered, contender: str, cells: int, steps: int) -> Mesh:
    """The finished mesh that a contender makes of views."""
    views = rendered.seen(normals=contender == "normals")
    between = int(BETWEEN.default) if contender == "between" else 0
    field = hull(views, cells) if contender == "hull" else reconstruct(views, cells, steps, 0, _ignore, between=between)
    cleaned = clean(mesh_of(field), report=_ignore)
    return reduce(cleaned.product if isinstance(cleaned, Noted) else cleaned, faces=int(FACES.default), report=_ignore)


def render(surface: Triangles, cameras: tuple[Camera, ...]) -> Rendered:
    """What cameras see of a surface, which is as `evaluate geometry` has it."""
    points = surface.vertices[:, [0, 2, 1]] * np.array([1.0, -1.0, 1.0])
    upright = Triangles(points, surface.faces)
    normals, middles = unit(crosses(upright.corners), least=1e-20), upright.corners.mean(axis=1)
    parts = [_view(upright, normals, middles, camera) for camera in cameras]
    colours, alpha, own = (np.stack(part).astype(np.float32) for part in zip(*parts, strict=True))
    return Rendered(colours, alpha, own, cameras)


def _view(
    surface: Triangles, normals: Float64Array, middles: Float64Array, camera: Camera
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The colours, (H, W, 3), alpha, (H, W), and normals, (H, W, 3), of a view, from finer samples."""
    shape = (SIDE * _FINE, SIDE * _FINE)
    found = look(pixels(surface.vertices, camera, shape), surface.faces.astype(np.int32), shape)
    there = found.triangles >= 0
    which = found.triangles[there]
    towards = camera.matrix[:3, 3] - middles[which]
    facing = normals[which] * np.where((normals[which] * towards).sum(axis=1) < 0, -1, 1)[:, None]
    samples = np.zeros((*shape, 7))
    samples[there, :3] = np.clip(_AMBIENT + np.maximum(facing @ _LIGHTS.T, 0) @ _COLOURS, 0, 1)
    samples[there, 3:6] = facing @ camera.matrix[:3, :3]
    samples[there, 6] = 1
    small = samples.reshape(SIDE, _FINE, SIDE, _FINE, 7).mean(axis=(1, 3))
    alpha = small[..., 6]
    return small[..., :3] / np.maximum(alpha, 1e-6)[..., None], alpha, unit(small[..., 3:6], least=1e-20)


def _first(rendered: Rendered) -> Picture:
    """The first view as a picture."""
    whole = np.concatenate([rendered.colours[0], rendered.alpha[0, ..., None]], axis=2)
    return np.rint(np.clip(whole, 0, 1) * 255).astype(np.uint8)


def _mean(rows: Sequence[Row]) -> Row:
    first = rows[0]
    chamfer, f01, f02, normals, volume, seconds = np.mean([row[4:] for row in rows], axis=0).tolist()
    name = f"mean of {len(rows)}"
    return Row(name, first.views, first.cells, first.contender, chamfer, f01, f02, normals, volume, seconds)


def _print(row: Row) -> None:
    numbers = "".join(f"{number:9.4f}" for number in row[4:-1])
    print(f"{row.name:18}{row.views:>6}{row.cells:6} {row.contender:8}{numbers}{row.seconds:9.1f}", flush=True)


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
