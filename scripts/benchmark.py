# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the engines and the add-on.

    python scripts/benchmark.py integration FOLDER     draft: normal maps with true depths, in DiLiGenT's layout
    python scripts/benchmark.py body FOLDER            draft: any pictures that the engine can cut out
    python scripts/benchmark.py cutout FOLDER          any pictures: only the cut-out
    python scripts/benchmark.py upscale FOLDER         normals of small pictures, upscaled and not, against true ones
    python scripts/benchmark.py detail FOLDER          the detail of normal maps on coarse meshes of known objects
    python scripts/benchmark.py normal_texture FOLDER  the same for the normal textures of meshes of few faces
    python scripts/benchmark.py colours FOLDER         colours of what the picture does not see, on known objects
    python scripts/benchmark.py sides FOLDER           meshes of known objects with more pictures than the front
    python scripts/benchmark.py grid FOLDER            meshes from views of known objects, beside the visual hull
    python scripts/benchmark.py atlas PICTURE ...      the image of the colours: its charts, waste, stretch, time
    python scripts/benchmark.py world PICTURE          a world around a picture: what it takes, its seam and its poles
    python scripts/benchmark.py light                  made-up pictures: base colours with and without the light
    python scripts/benchmark.py scale faults FOLDER    many pictures, here and on a cluster that loses parts
    python scripts/benchmark.py addon                  the add-on: enabling, a click, standing still, a large mesh
    python scripts/benchmark.py --engine hi3dgen       the networks in full size, with and without their savings
    python scripts/benchmark.py presets                hi3dgen: how near the presets come to the published settings
    python scripts/benchmark.py precision              hi3dgen: voxels in half precision against float32

`integration` reads NAME_normal_map.png (rgb = (n + 1) / 2, x right, y up, z to the viewer), NAME_mask.png, NAME_K.txt
(the 3 x 3 camera matrix) and NAME_depth_gt.npz (one array, in millimetres), integrates the map in perspective, scales
the depth by the median ratio, and prints the mean absolute error; beside it, that of one turn, which is plain weighted
least squares. `body` takes every picture from pixels to the mesh in its colours and prints what each stage took, and
whether the mesh is sound; `cutout` prints what its first stage alone took, and the most memory so far. The rest is
explained where it is: in benchmark_atlas.py and benchmark_world.py; in benchmark_addon.py, which needs Blender; in
benchmark_upscale.py, which needs the extra `evaluation`; in benchmark_light.py, which needs the extra `training`; in
benchmark_scale.py, which needs `ray`, too; in benchmark_hi3dgen.py, benchmark_presets.py and benchmark_precision.py,
which need the extra `hi3dgen`; and in benchmark_colours.py, benchmark_sides.py, benchmark_grid.py, benchmark_detail.py
and benchmark_normal_texture.py, which need both `training` and `hi3dgen`.
"""

import argparse
import importlib
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from finishing import placed

from backend.engines.draft import geometry, normals
from backend.errors import UserError
from backend.files.pictures import PICTURE_SUFFIXES, read_picture
from backend.flow.products import Mesh
from backend.foreground.cut_out import cut_out
from backend.geometry.integration import Camera, clean, integrate
from backend.mesh import check
from backend.mesh.slivers import SLIVER, roundness
from backend.mesh.stages import FACES
from backend.texture.paint import paint

Array = NDArray[np.float64]

ELSEWHERE = {  # commands with a module of their own, which may import torch
    "light": "how much nearer to the true base colours pictures come without their light",
    "upscale": "how much nearer normals of small pictures come to the true ones if these are upscaled",
    "detail": "how much nearer a coarse mesh comes to the normals, and what that costs",
    "normal_texture": "how much nearer a mesh of few faces comes to the normals by its normal texture",
    "colours": "how right the colours are of surface that the picture does not see",
    "sides": "how much nearer to the truth meshes come with more pictures of the object",
    "grid": "how near meshes from views come to known objects",
    "atlas": "charts, waste and stretch of the image of the colours, and what it takes",
    "world": "what a world around a picture takes, and how well it closes",
    "scale": "what many pictures cost, here and on a cluster, and what happens if parts of it die",
    "addon": "how long Blender takes to enable the add-on and to make a mesh, and how long it stands still",
    "hi3dgen": "the networks of the hi3dgen engine, with and without their savings (or: --engine hi3dgen)",
    "presets": "how near the presets of the hi3dgen engine come to the published settings",
    "precision": "how many voxels come out the same in half precision",
}


@dataclass(frozen=True)
class Object:
    """One object of a DiLiGenT-like folder, cropped to its mask.

    normals: float64 (H, W, 3). inside: bool (H, W). depth: float64 (H, W), in millimetres, 0 if unknown.
    """

    name: str
    normals: Array
    inside: NDArray[np.bool_]
    camera: Camera
    depth: Array


def main() -> None:
    """Run the command line."""
    command, more = _asked(sys.argv[1:])
    if command in ELSEWHERE:
        importlib.import_module(f"benchmark_{command}").main(more)
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, explanation in (
        ("integration", "error and time of integrating normal maps with true depths"),
        ("body", "time, faces and soundness of the bodies of pictures"),
        ("cutout", "time and memory of cutting out pictures"),
    ):
        commands.add_parser(name, help=explanation).add_argument("folder", type=Path)
    for name, explanation in ELSEWHERE.items():
        commands.add_parser(name, help=explanation)
    for name in ("body", "cutout"):
        commands.choices[name].add_argument("--size", type=int, default=512, help="side of the cut-out, in pixels")
    commands.choices["body"].add_argument("--faces", type=int, default=FACES.default, help="face budget")
    commands.choices["body"].add_argument("--busy", action="store_true", help="count the processors' own seconds")
    options = parser.parse_args()
    if options.command == "integration":
        integration(options.folder)
    elif options.command == "cutout":
        cutouts(options.folder, options.size)
    else:
        body(options.folder, options.size, options.faces, time.process_time if options.busy else time.perf_counter)


def _asked(arguments: list[str]) -> tuple[str, list[str]]:
    """The command and its arguments; `--engine NAME` is another spelling of the command NAME."""
    if arguments[:1] == ["--engine"]:
        arguments = arguments[1:]
    elif arguments and arguments[0].startswith("--engine="):
        arguments = [arguments[0].partition("=")[2], *arguments[1:]]
    return (arguments[0], arguments[1:]) if arguments else ("", [])


def integration(folder: Path) -> dict[str, float]:
    """Print a line for every object of a folder; returns the mean absolute depth errors, in millimetres."""
    names = sorted(path.name.removesuffix("_normal_map.png") for path in folder.glob("*_normal_map.png"))
    if not names:
        sys.exit(f"There is no NAME_normal_map.png in {folder}.")
    print(f"{'object':12} {'pixels':>8} {'error mm':>9} {'seconds':>8} {'one turn mm':>12}")
    errors: dict[str, float] = {}
    for name in names:
        item = read_object(folder, name)
        start = time.perf_counter()
        errors[name] = depth_error(item)
        seconds = time.perf_counter() - start
        plain = depth_error(item, turns=1)
        print(f"{name:12} {item.inside.sum():8} {errors[name]:9.3f} {seconds:8.2f} {plain:12.3f}")
    return errors


def read_object(folder: Path, name: str) -> Object:
    """Read one object's four files and crop them to its mask."""
    mask = read_picture(folder / f"{name}_mask.png")[..., 0] > 127
    pixels = read_picture(folder / f"{name}_normal_map.png")[..., :3]
    matrix = np.loadtxt(folder / f"{name}_K.txt")
    with np.load(folder / f"{name}_depth_gt.npz") as arrays:
        depth = arrays[arrays.files[0]].astype(np.float64)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    camera = Camera(matrix[0, 0], matrix[1, 1], matrix[0, 2] - columns[0], matrix[1, 2] - rows[0])
    inside = mask[part]
    return Object(name, clean(pixels[part] / 127.5 - 1.0, inside), inside, camera, np.nan_to_num(depth[part]))


def depth_error(item: Object, turns: int = 15) -> float:
    """Integrate an object's normals; the mean absolute error of its depth, scaled by the median ratio, in mm."""
    heights = integrate(item.normals, item.inside, lambda _: None, camera=item.camera, turns=turns)
    known = item.inside & (item.depth > 0)
    found, true = np.exp(-heights[known] / item.camera.focal), item.depth[known]
    return float(np.abs(found * np.median(true / found) - true).mean())


def body(folder: Path, size: int, faces: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, Mesh]:
    """Print a line for every picture of a folder; returns the finished meshes."""
    paths = pictures_in(folder)
    stages = ("cut-out", "normals", "body", "finish", "colours")
    print(f"{'picture':16} {' '.join(f'{title:>8}' for title in (*stages, 'total s', 'faces', 'slivers'))}  sound")
    meshes: dict[str, Mesh] = {}
    for path in paths:
        try:
            mesh, seconds = picture_to_mesh(path, size, faces, clock)
        except UserError as error:
            print(f"{path.stem:16} {error.sentence}")
            continue
        slivers = int((roundness(mesh.vertices[mesh.triangles].astype(np.float64)) < SLIVER).sum())
        times = " ".join(f"{one:8.2f}" for one in seconds)
        print(
            f"{path.stem:16} {times} {sum(seconds):8.2f} {len(mesh.triangles):8} {slivers:8}  {soundness(mesh)}",
            flush=True,
        )
        meshes[path.stem] = mesh
    print(f"Most memory used: {peak_megabytes()} MB")
    return meshes


def cutouts(folder: Path, size: int) -> None:
    """Print a line for every picture of a folder."""
    print(f"{'picture':24} {'pixels':>12} {'seconds':>8} {'MB':>6}")
    for path in pictures_in(folder):
        try:
            picture = read_picture(path)
            start = time.perf_counter()
            cut_out(picture, size, _ignore)
        except UserError as error:
            print(f"{path.stem:24} {error.sentence}")
            continue
        seconds = time.perf_counter() - start
        pixels = f"{picture.shape[1]} x {picture.shape[0]}"
        print(f"{path.stem:24} {pixels:>12} {seconds:8.2f} {peak_megabytes():>6}", flush=True)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, by name; ends the program if there is none."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not paths:
        sys.exit(f"There is no picture in {folder}.")
    return paths


def picture_to_mesh(
    path: Path, size: int, faces: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[Mesh, list[float]]:
    """Run the draft engine's stages; returns the mesh and the seconds that each took, by the clock."""
    picture = read_picture(path)
    seconds: list[float] = []

    def timed(stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the stage returns
        start = clock()
        result = stage()
        seconds.append(clock() - start)
        return result

    cutout = timed(lambda: cut_out(picture, size, _ignore))
    estimated = timed(lambda: normals.estimate(cutout, _ignore))
    built = timed(lambda: geometry.build(estimated, 0, _ignore))
    finished = timed(lambda: placed(built, faces))
    return timed(lambda: paint(finished, cutout, estimated, picture, report=_ignore)), seconds


def soundness(mesh: Mesh) -> str:
    """What is wrong with a mesh, in words; "yes" if nothing is."""
    closed = check.is_closed(mesh.triangles)
    wrong = [
        "" if closed else "open",
        f"{check.pinched_vertices(mesh.triangles)} pinched"
        if closed and check.pinched_vertices(mesh.triangles)
        else "",
        "" if check.signed_volume(mesh.vertices, mesh.triangles) > 0 else "inside out",
    ]
    return ", ".join(filter(None, wrong)) or "yes"


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def peak_megabytes() -> str:
    """The most memory that this process has held, if the system reports it."""
    if platform.system() == "Windows":
        return "unknown"
    import resource  # noqa: PLC0415 - not there on Windows

    unit = 1 if platform.system() == "Darwin" else 1024
    return str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20)


if __name__ == "__main__":
    main()
