# SPDX-License-Identifier: GPL-3.0-or-later
"""`inspect`: what meshes are like, in numbers or in sentences; and a mesh that stands, in a file of its own."""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..files.cut_scenes import check_cut_path, write_cut
from ..files.meshes import MILLIMETRES
from ..files.outputs import check_new, is_one_of
from ..files.scenes import READ_SUFFIXES, SceneFile, read_scene
from ..inspection.foot import SAFE, with_foot
from ..inspection.inspection import WALL, Inspection, inspect, joined
from ..inspection.words import findings
from .arguments import add_overwrite

FLAWED = 3
"""The exit code if all meshes were measured, and one of them has a flaw."""


def configure(command: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    command.add_argument(
        "meshes",
        type=Path,
        nargs="+",
        metavar="MESH",
        help=f"any meshes: {', '.join(READ_SUFFIXES)}; STL is taken for millimetres, the others for metres",
    )
    command.add_argument(
        "--wall",
        type=_length,
        default=WALL,
        metavar="MM",
        help=f"walls that are thinner are too thin (default {WALL:g})",
    )
    command.add_argument(
        "--size", type=_length, metavar="MM", help="measure them as if their longest side were so many millimetres"
    )
    command.add_argument(
        "--stand",
        type=Path,
        metavar="OUT",
        help=f"cut the mesh flat below, as little as makes it stand even if it is tilted by {SAFE:g}°, and write it "
        "here: .glb with its materials, or the shape alone as .stl or .ply; of --size, if that is given",
    )
    add_overwrite(command, "write over a file that is there already")
    command.add_argument("--json", action="store_true", help="print the numbers as JSON: metres, and shares of 1")
    command.epilog = f"The exit code is {FLAWED} if a mesh is not closed, too thin or does not stand, else 0."
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure each mesh and tell what was found. A mesh that cannot be read does not keep the others from it.

    Returns 1 if there is one, else `FLAWED` if a mesh has a flaw. Raises `UserError`.
    """
    if options.stand:
        _check(options)
    told: list[dict[str, Any]] = []
    failed = flawed = False
    for path in options.meshes:
        try:
            source = _read(path, options.size)
            if options.stand:
                _stand(options.stand, source)
                path, source = options.stand, _read(options.stand, None)  # noqa: PLW2901 - what was written counts
            found, texture = _measured(path, source, options.wall), _texture(source)
        except UserError as error:
            if len(options.meshes) == 1:
                raise
            failed = True
            print(f"{path}: {error.sentence} {error.advice}", file=sys.stderr, flush=True)
            continue
        sentences = findings(found, texture)
        flawed = flawed or any(each.flaw for each in sentences)
        told.append(_numbers(path, found, texture))
        if not options.json:
            print(f"{path}:", *(f"{'!' if each.flaw else ' '} {each.sentence}" for each in sentences), sep="\n  ")
    if options.json:
        print(json.dumps(told, indent=2))
    return 1 if failed else FLAWED if flawed else 0


def _length(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (np.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"“{text}” is no number of millimetres above 0.")
    return value


def _check(options: argparse.Namespace) -> None:
    """Refuse, before any work is done, a place where no standing mesh can be written. Raises `UserError`."""
    if len(options.meshes) > 1:
        raise UserError("bad-output", "There is one --stand for several meshes.", "Give one mesh at a time.")
    check_cut_path(options.stand)
    if is_one_of(options.stand, options.meshes):
        raise UserError("bad-output", f"“{options.stand}” is read, so it is not written over.", "Choose another name.")
    check_new(options.stand, overwrite=options.overwrite)


def _read(path: Path, size: float | None) -> SceneFile:
    """Read a file in metres, or so large that its longest side has `size` millimetres. Raises `UserError`."""
    source = read_scene(path)
    vertices = source.mesh.vertices[np.unique(source.mesh.triangles)].astype(np.float64)
    longest = float(np.ptp(vertices, axis=0).max())
    if not (np.isfinite(longest) and longest > 0):
        raise UserError("bad-mesh-file", f"“{path.name}” has no surface.", "Use a file with a mesh.")
    scale = 1.0 / MILLIMETRES if path.suffix.lower() == ".stl" else 1.0
    if size:
        scale = size / MILLIMETRES / longest
    return replace(source, mesh=replace(source.mesh, vertices=source.mesh.vertices * np.float32(scale)))


def _measured(path: Path, source: SceneFile, wall: float) -> Inspection:
    found = inspect(source.mesh.vertices, source.mesh.triangles, wall)
    if found is None:
        raise UserError("bad-mesh-file", f"“{path.name}” has no surface.", "Use a file with a mesh.")
    return found


def _stand(path: Path, source: SceneFile) -> None:
    """Write the mesh so that it stands. Raises `UserError` if it cannot."""
    vertices, triangles, which = joined(source.mesh.vertices.astype(np.float64), source.mesh.triangles.astype(np.int64))
    found = inspect(vertices, triangles)
    if found is None or not found.closed:
        advice = "Close it first, as a 3D print needs it, too."
        raise UserError("open-mesh", "The mesh is not closed, so that it cannot be cut.", advice)
    cut = with_foot(vertices, triangles)
    if cut is None:
        sentence = "No cut through the lowest tenth of the mesh makes it stand."
        raise UserError("no-foot", sentence, "Turn it so that it nearly stands, or give it a base.")
    write_cut(path, source, replace(cut, source=which[cut.source]))


def _texture(source: SceneFile) -> tuple[int, int] | None:
    """Return the width and the height in pixels of the largest image of base colours that a file holds."""
    materials = (getattr(part.visual, "material", None) for part in source.parts)
    images = [getattr(each, "baseColorTexture", None) or getattr(each, "image", None) for each in materials if each]
    sizes = [(int(image.width), int(image.height)) for image in images if image is not None]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _numbers(path: Path, found: Inspection, texture: tuple[int, int] | None) -> dict[str, Any]:
    sides = {"size": found.size, "millimetres": [round(side * 1000, 6) for side in found.size]}
    yes = {"closed": found.closed, "stands": found.stands}
    return {"mesh": str(path), **asdict(found), **sides, **yes, "texture": texture}
