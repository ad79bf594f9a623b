# SPDX-License-Identifier: GPL-3.0-or-later
"""`mesh`: a folder of views with their cameras becomes the file of a mesh in their colours."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from ..files.meshes import check_mesh_path, mesh_files, write_mesh
from ..files.outputs import check_new
from ..files.views import read_views
from ..flow.engine import PICTURE, Engine
from ..flow.pipeline import Outcome, Pipeline
from ..flow.request import Request
from ..wire.limits import seed_from_text, values_of
from .arguments import add_output, add_overwrite, add_settings
from .terminal import Terminal


def configure(command: argparse.ArgumentParser, engine: Engine) -> None:
    """Add the command's arguments."""
    command.add_argument("views", type=Path, metavar="FOLDER", help="pictures, and cameras.json; see docs/views.md")
    add_output(command, "the mesh in its colours: .glb, .obj, .ply, .stl")
    command.add_argument(
        "--normals", type=Path, metavar="FOLDER", help="normal maps of the views: x right, y up, z to the viewer"
    )
    command.add_argument("--seed", type=seed_from_text, default=0, help="decides the order of the rays (default 0)")
    add_settings(command, [engine], "settings of {}")
    add_overwrite(command, "write over files that are there already")
    command.add_argument("--json", action="store_true", help="print what was made as JSON")
    command.set_defaults(run=partial(run, engine=engine))


def run(options: argparse.Namespace, engine: Engine) -> int:
    """Make the mesh and write it. Raises `UserError`."""
    read = [*options.views.glob("*"), *(options.normals.glob("*") if options.normals else [])]
    check_mesh_path(options.output, *read)
    for file in mesh_files(options.output):
        check_new(file, overwrite=options.overwrite)
    views = read_views(options.views)
    normals = read_views(options.normals) if options.normals else None
    settings = values_of(engine.settings, options.set)
    inputs = {PICTURE: views.pictures[0]}
    request = Request(inputs, engine.name, options.seed, settings=settings, views=views, normal_views=normals)
    with Terminal() as terminal:
        outcome = next(Pipeline({engine.name: engine}).run(request, terminal))
    write_mesh(options.output, outcome.products["mesh"], views.pictures[0])
    _print(options, outcome)
    return 0


def _print(options: argparse.Namespace, outcome: Outcome) -> None:
    mesh = outcome.products["mesh"]
    if options.json:
        about: dict[str, Any] = {
            "mesh": str(options.output),
            "vertices": len(mesh.vertices),
            "triangles": len(mesh.triangles),
            "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
            "notes": outcome.notes,
            "recipe": outcome.recipe,
        }
        print(json.dumps(about, indent=2))
        return
    seconds = sum(outcome.seconds.values())
    print(f"{options.output}: {len(mesh.triangles)} triangles; {seconds:.1f} s", *outcome.notes, sep="\n")
