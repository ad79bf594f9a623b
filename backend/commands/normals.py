# SPDX-License-Identifier: GPL-3.0-or-later
"""`normals`: a picture's file becomes a normal map's file."""

import argparse

from .. import files
from ..engines import ENGINES
from ..flow.pipeline import Pipeline, Request
from ..normals.image import to_picture
from ..wire.settings import typed
from .terminal import Terminal


def run(options: argparse.Namespace) -> int:
    """Estimate the normal map and write it in the picture's frame. Raises `UserError`."""
    files.check_picture_path(options.output, options.picture)
    request = Request(
        files.read_picture(options.picture),
        options.engine,
        settings=typed(ENGINES[options.engine].settings, options.set),
    )
    with Terminal() as terminal:
        cutout, normal_map = Pipeline(ENGINES).normals(request, terminal)
    files.write_picture(options.output, to_picture(normal_map, cutout.crop))
    print(options.output)
    return 0
