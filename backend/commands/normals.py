# SPDX-License-Identifier: GPL-3.0-or-later
"""`normals`: a picture's file becomes a normal map's file."""

import argparse
from collections.abc import Mapping

from ..files.outputs import check_new
from ..files.pictures import check_picture_path, read_picture, write_picture
from ..flow.engine import Engine
from ..flow.pipeline import Pipeline
from ..flow.presets import values_given
from ..flow.request import Request
from ..normals.image import to_picture
from .terminal import Terminal


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Estimate the normal map and write it in the picture's frame. Raises `UserError`."""
    check_picture_path(options.output, options.picture)
    check_new(options.output, overwrite=options.overwrite)
    settings = values_given(engines[options.engine], options.preset, options.set)
    request = Request({"picture": read_picture(options.picture)}, options.engine, settings=settings)
    with Terminal() as terminal:
        outcome = next(Pipeline(engines).run(request, terminal, gives=["normal_map"]))
    write_picture(options.output, to_picture(outcome.products["normal_map"]))
    print(options.output)
    return 0
