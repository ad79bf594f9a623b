# SPDX-License-Identifier: GPL-3.0-or-later
"""`generate`: a picture's file becomes a mesh's file, or one for each of several seeds."""

import argparse
import json
from pathlib import Path
from typing import Any

from .. import files
from ..engines import ENGINES
from ..flow.pipeline import Outcome, Pipeline, Request
from ..flow.products import Picture
from ..normals.image import to_picture
from ..wire.messages import seeds_from
from ..wire.settings import typed
from .terminal import Terminal


def run(options: argparse.Namespace) -> int:
    """Make the meshes, and the normal map where it is asked for. Raises `UserError`.

    What fails writes nothing; the meshes before it are written and told of.
    """
    files.check_mesh_path(options.output)
    if options.normal_map:
        files.check_picture_path(options.normal_map, options.picture, *filter(None, [options.normals]))
    picture = files.read_picture(options.picture)
    own = files.read_picture(options.normals) if options.normals else None
    request = Request(picture, options.engine, options.seed, typed(ENGINES[options.engine].settings, options.set), own)
    made: list[dict[str, Any]] = []
    try:
        with Terminal() as terminal:
            for outcome in Pipeline(ENGINES).run_seeds(request, seeds_from(options.seed, options.count), terminal):
                made.append(_write(options, outcome, picture, normal_map=options.normal_map if not made else None))
    finally:
        _tell(options, made)
    return 0


def _tell(options: argparse.Namespace, made: list[dict[str, Any]]) -> None:
    if options.json and made:
        print(json.dumps(made if options.count > 1 else made[0], indent=2))
    elif made:
        for one in made:
            print(f"{one['mesh']}: {one['triangles']} triangles in {sum(one['seconds'].values()):.1f} s", *one["notes"])


def _write(
    options: argparse.Namespace, outcome: Outcome, picture: Picture, *, normal_map: Path | None
) -> dict[str, Any]:
    """Write one mesh, and the normal map that all of them share; returns what is told of it."""
    path: Path = options.output
    if options.count > 1:
        path = path.with_name(f"{path.stem}_seed{outcome.recipe['seed']}{path.suffix}")
    files.write_mesh(path, outcome.mesh, picture)
    if normal_map:
        files.write_picture(normal_map, to_picture(outcome.normal_map, outcome.cutout.crop))
    return {
        "mesh": str(path),
        "normal_map": str(options.normal_map or ""),
        "vertices": len(outcome.mesh.vertices),
        "triangles": len(outcome.mesh.triangles),
        "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
        "notes": outcome.mesh.notes,
        "recipe": outcome.recipe,
    }
