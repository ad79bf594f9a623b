# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage: kept meshes as training reads them, `NAME.ply` and a line each in `objects.jsonl`.

As in TRELLIS's layout a mesh's box has its centre at the origin and a longest side of 1, z up; `train prepare-objects`
takes the files as they are.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import UserError
from ..files.meshes import write_mesh
from ..training.views.drawing import framed
from .geometry import sharp_edges
from .measures import read_mesh
from .rules import ANGLE
from .world import World, make_folder, read_json_object, read_lines, write_lines

LIST = "objects.jsonl"


def exported(world: World) -> Iterator[tuple[str, bool]]:
    """Write the kept objects, and yield each one's name and whether it was written now: it was not there, or older.

    Files of objects that are no longer kept are removed. Raises `UserError`.
    """
    meshes, kept = world.found_meshes(), world.kept()
    make_folder(world.export)
    prompts = _prompts(world)
    lines: list[dict[str, Any]] = []
    for name in kept:
        if name not in meshes:
            sentence = f"The mesh of “{name}” is no longer there."
            raise UserError("no-stage", sentence, "Put it back, or run detailverse quality again.")
        path = world.export / f"{name}.ply"
        new = not (path.exists() and path.stat().st_mtime_ns >= meshes[name].stat().st_mtime_ns)
        if new:
            write_mesh(path, framed([read_mesh(meshes[name])])[0], np.zeros((1, 1, 4), np.uint8))
        lines.append(_line(name, read_json_object(world.views / f"{name}.json"), prompts))
        yield name, new
    _remove_others(world, {*kept})
    write_lines(world.export / LIST, lines)


def _line(name: str, measures: Mapping[str, Any], prompts: Mapping[str, str]) -> dict[str, Any]:
    sharp = {"angle": ANGLE, "edges": sharp_edges(measures["dihedral"], ANGLE)}
    numbers = {"vertices": measures["vertices"], "faces": measures["faces"], "sharp": sharp}
    return {"name": name, "file": f"{name}.ply", "prompt": prompts.get(name, ""), **numbers}


def _prompts(world: World) -> dict[str, str]:
    if not world.prompts.exists():
        return {}
    return {line["name"]: line["prompt"] for line in read_lines(world.prompts, ("name", "prompt"))}


def _remove_others(world: World, kept: set[str]) -> None:
    """Remove what an earlier export has written of objects that are not kept; other files stay."""
    if not (world.export / LIST).exists():
        return
    for line in read_lines(world.export / LIST, ("name", "file")):
        if line["name"] not in kept and line["file"] == f"{line['name']}.ply" and "/" not in line["name"]:
            with contextlib.suppress(OSError):
                (world.export / line["file"]).unlink()
