# SPDX-License-Identifier: GPL-3.0-or-later
"""`train normals`: the small network learns normals from shapes that the project makes itself."""

import argparse
import math
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..files.pictures import check_picture_path, read_picture, write_picture
from ..wire.limits import seed_from_text

if TYPE_CHECKING:
    from ..training.normals.samples import Source

_NEEDED = ("torch", "numba")


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    normals = kinds.add_parser("normals", help="train the normal estimator")
    normals.add_argument("--config", required=True, metavar="NAME", help="tiny, draft or full")
    normals.add_argument(
        "--folder", type=Path, required=True, metavar="F", help="checkpoints and curves, to go on with"
    )
    normals.add_argument("--stage", choices=("trunk", "cool", "refine"), default="trunk", help="see docs/normals.md")
    normals.add_argument("--data-seed", type=seed_from_text, default=1, help="decides shapes, pictures, first weights")
    normals.add_argument("--minutes", type=_minutes, metavar="M", help="stop after so long; the next call goes on")
    normals.add_argument("--steps", type=_at_least(1), metavar="N", help="in place of the stage's own number of steps")
    normals.add_argument(
        "--workers", type=_at_least(0), default=1, metavar="N", help="processes that make pictures (default 1)"
    )
    normals.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="learn from these: images, mask, normals, files of one name"
    )
    normals.add_argument("--start", type=Path, metavar="FOLDER", help="full: the Stable Diffusion 2 to begin with")
    normals.set_defaults(run=run)
    sheet = kinds.add_parser("sheet", help="show some of the pictures that it learns from, beside their normals")
    sheet.add_argument("--seed", type=seed_from_text, default=1, help="decides shapes and pictures (default 1)")
    sheet.add_argument("--count", type=int, default=24, metavar="N", help="how many pictures (default 24)")
    sheet.add_argument("--size", type=int, default=192, metavar="PIXELS", help="each picture's side (default 192)")
    sheet.add_argument("-o", "--output", type=Path, required=True, metavar="PICTURE", help="written here")
    sheet.set_defaults(run=show)


def run(options: argparse.Namespace) -> int:
    """Train for as long as is asked for, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _NEEDED)
    from ..training.core.loop import Run, train  # noqa: PLC0415 - heavy
    from ..training.normals.config import CONFIGS  # noqa: PLC0415 - heavy
    from ..training.normals.folder import Pictures, names  # noqa: PLC0415 - heavy
    from ..training.normals.task import NormalsTask  # noqa: PLC0415 - heavy
    from ..training.shapes import sample_block  # noqa: PLC0415 - heavy

    if options.config not in CONFIGS:
        known = ", ".join(CONFIGS)
        raise UserError(
            "unknown-config", f"There is no configuration “{options.config:.60}”.", f"Choose one of: {known}."
        )
    config = CONFIGS[options.config]
    source: Source = partial(sample_block, views=1, pictures=config.block)
    if options.pictures:
        check_training("training", ("PIL",))
        source = Pictures(options.pictures, names(options.pictures), read_picture, config.block)
    measured = partial(sample_block, views=1, pictures=1)
    task = NormalsTask(config, source, measured, options.data_seed, options.workers, options.start)
    run = Run(task, options.folder, options.stage, options.minutes, options.steps)
    print(train(run, partial(print, flush=True)))
    return 0


def show(options: argparse.Namespace) -> int:
    """Write a sheet of the pictures that training sees. Raises `UserError`."""
    check_training("training", ("numba", "PIL"))
    from ..training.shapes import contact_sheet  # noqa: PLC0415 - compiles

    if options.count < 1 or not 16 <= options.size <= 1024:
        raise UserError(
            "sheet-size",
            f"A sheet of {options.count} pictures of {options.size} pixels cannot be made.",
            "Ask for at least one picture of 16 to 1024 pixels.",
        )
    check_picture_path(options.output)
    write_picture(options.output, contact_sheet(options.seed, options.count, options.size))
    print(options.output)
    return 0


def _at_least(least: int) -> Callable[[str], int]:
    """What reads a whole number from `least` on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"“{text:.60}” is no whole number from {least} on.")
        return int(text)

    return read


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"“{text:.60}” is no number of minutes.")
    return minutes


def check_training(extra: str, modules: Sequence[str]) -> None:
    """Raise `UserError` if this copy has no `backend.training`, or a module of an extra of the package is missing."""
    if find_spec("..training", __package__) is None:
        raise UserError(
            "training-missing",
            "This copy of Hi3DGen cannot train or measure networks: the extension's zip leaves that part out.",
            "Run the command in a checkout of the project, or install the project as a Python package.",
        )
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UserError(
            "extra-missing",
            f"This command needs {', '.join(missing)}, which this Python lacks.",
            f"Install the package with its extra “{extra}”.",
        )
