# SPDX-License-Identifier: GPL-3.0-or-later
"""`normals`: a picture's file becomes a normal map's file."""

import argparse

from ..engines import ENGINES
from ..files import pictures
from ..flow.pipeline import Pipeline, Request
from ..normals.image import to_picture
from ..wire.settings import typed
from .terminal import Terminal


def run(options: argparse.Namespace) -> int:
    """Estimate the normal map and write it in the picture's frame. Raises `UserError`."""
    pictures.check_picture_path(options.output, options.picture)
    request = Request(
        pictures.read_picture(options.picture),
        options.engine,
        settings=typed(ENGINES[options.engine].settings, options.set),
    )
    with Terminal() as terminal:
        cutout, normal_map = Pipeline(ENGINES).normals(request, terminal)
    pictures.write_picture(options.output, to_picture(normal_map, cutout.crop))
    print(options.output)
    return 0
