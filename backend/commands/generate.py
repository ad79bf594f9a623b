# SPDX-License-Identifier: GPL-3.0-or-later
"""`generate`: a picture's file becomes a mesh's file, or one for each of several seeds."""

import argparse
import json
from pathlib import Path
from typing import Any

from ..engines import ENGINES
from ..files import meshes, pictures
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
    seeds = seeds_from(options.seed, options.count)
    for seed in seeds:
        meshes.check_mesh_path(_mesh_path(options, seed), *filter(None, [options.picture, options.normals]))
    if options.normal_map:
        pictures.check_picture_path(options.normal_map, options.picture, *filter(None, [options.normals]))
    picture = pictures.read_picture(options.picture)
    own = pictures.read_picture(options.normals) if options.normals else None
    request = Request(picture, options.engine, options.seed, typed(ENGINES[options.engine].settings, options.set), own)
    made: list[dict[str, Any]] = []
    try:
        with Terminal() as terminal:
            for outcome in Pipeline(ENGINES).run_seeds(request, seeds, terminal):
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


def _mesh_path(options: argparse.Namespace, seed: int) -> Path:
    path: Path = options.output
    return path if options.count == 1 else path.with_name(f"{path.stem}_seed{seed}{path.suffix}")


def _write(
    options: argparse.Namespace, outcome: Outcome, picture: Picture, *, normal_map: Path | None
) -> dict[str, Any]:
    """Write one mesh, and the normal map that all of them share; returns what is told of it."""
    path = _mesh_path(options, outcome.recipe["seed"])
    meshes.write_mesh(path, outcome.mesh, picture)
    if normal_map:
        pictures.write_picture(normal_map, to_picture(outcome.normal_map, outcome.cutout.crop))
    return {
        "mesh": str(path),
        "normal_map": str(options.normal_map or ""),
        "vertices": len(outcome.mesh.vertices),
        "triangles": len(outcome.mesh.triangles),
        "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
        "notes": outcome.mesh.notes,
        "recipe": outcome.recipe,
    }
