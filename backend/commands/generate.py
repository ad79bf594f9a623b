# SPDX-License-Identifier: GPL-3.0-or-later
"""`generate`: a picture's file becomes a mesh's file."""

import argparse
import json

from .. import files
from ..engines import ENGINES
from ..normals.image import to_picture
from ..pipeline import Pipeline, Request
from ..wire.settings import typed
from .terminal import Terminal


def run(options: argparse.Namespace) -> int:
    """Make the mesh, and the normal map where it is asked for. Raises `UserError`; writes nothing where it fails."""
    files.check_mesh_path(options.output)
    if options.normal_map:
        files.check_picture_path(options.normal_map, options.picture, *filter(None, [options.normals]))
    picture = files.read_picture(options.picture)
    own = files.read_picture(options.normals) if options.normals else None
    request = Request(picture, options.engine, options.seed, typed(ENGINES[options.engine].settings, options.set), own)
    with Terminal() as terminal:
        outcome = Pipeline().run(request, terminal)
    files.write_mesh(options.output, outcome.mesh, picture)
    if options.normal_map:
        files.write_picture(options.normal_map, to_picture(outcome.normal_map, outcome.cutout.crop))
    made = {
        "mesh": str(options.output),
        "normal_map": str(options.normal_map or ""),
        "vertices": len(outcome.mesh.vertices),
        "triangles": len(outcome.mesh.triangles),
        "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
        "recipe": outcome.recipe,
    }
    if options.json:
        print(json.dumps(made, indent=2))
    else:
        print(f"{options.output}: {made['triangles']} triangles in {sum(outcome.seconds.values()):.1f} s")
    return 0
