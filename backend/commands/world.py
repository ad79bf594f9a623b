# SPDX-License-Identifier: GPL-3.0-or-later
"""`world`: a picture's file becomes a panorama for light and reflections."""

import argparse
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ..adapters import ADAPTERS
from ..files.lens import with_lens
from ..files.outputs import check_new
from ..files.pictures import read_picture
from ..flow.engine import Engine
from ..flow.pipeline import Pipeline
from ..flow.products import Panorama
from ..flow.request import Request
from ..wire.limits import seed_from_text, values_of
from .arguments import add_output, add_overwrite, add_settings
from .terminal import Terminal

_PLAIN, _PAINTED = "world", "painted_world"


def configure(command: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """The command's arguments, and what it runs."""
    command.add_argument("picture", type=Path, metavar="PICTURE", help="a file that Pillow reads, such as PNG or JPEG")
    add_output(command, "the panorama: .hdr, which keeps what is brighter than white, or .png")
    command.add_argument(
        "--pipeline",
        metavar="FOLDER",
        help="an inpainting pipeline of diffusers that paints what the picture does not show; else its colours go on",
    )
    command.add_argument("--seed", type=seed_from_text, default=0, help="decides what is painted (default 0)")
    add_settings(command, [engines[_PLAIN], engines[_PAINTED]], "settings of the engine {}")
    add_overwrite(command, "write over a file that is there already")
    command.add_argument("--json", action="store_true", help="print what was made as JSON")
    command.set_defaults(run=partial(run, engines=engines))


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Make the panorama and write it. The lens is the file's, unless a setting says another. Raises `UserError`."""
    engine = engines[_PLAIN if options.pipeline is None else _PAINTED]
    adapter = ADAPTERS[Panorama]
    assert adapter.check_path and adapter.write  # noqa: S101, PT018 - panoramas are written
    adapter.check_path(options.output, options.picture)
    check_new(options.output, overwrite=options.overwrite)
    picture = read_picture(options.picture)
    settings = with_lens(values_of(engine.settings, options.set), options.picture)
    if options.pipeline is not None:
        settings["pipeline"] = options.pipeline
    request = Request({"picture": picture}, engine.name, options.seed, settings=settings)
    with Terminal() as terminal:
        outcome = next(Pipeline(engines).run(request, terminal))
    panorama = outcome.products["panorama"]
    adapter.write(options.output, panorama, picture)
    seconds = {stage: round(took, 3) for stage, took in outcome.seconds.items()}
    if options.json:
        about = {"panorama": str(options.output), **adapter.about(panorama), "seconds": seconds}
        print(json.dumps({**about, "notes": outcome.notes, "recipe": outcome.recipe}, indent=2))
    else:
        print(f"{options.output}: {sum(seconds.values()):.1f} s", *outcome.notes)
    return 0
