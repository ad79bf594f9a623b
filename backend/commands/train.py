# SPDX-License-Identifier: GPL-3.0-or-later
"""`train normals`: the small network learns normals from shapes that the project makes itself."""

import argparse
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from ..errors import UserError
from ..wire.messages import seed_from_text

_NEEDED = ("torch", "numba")


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument("network", choices=("normals",))
    parser.add_argument("--config", required=True, metavar="NAME", help="tiny, draft or full")
    parser.add_argument("--folder", type=Path, required=True, metavar="F", help="checkpoints and curves; goes on there")
    parser.add_argument("--stage", choices=("trunk", "cool", "refine"), default="trunk", help="see docs/normals.md")
    parser.add_argument("--data-seed", type=seed_from_text, default=1, help="decides shapes, pictures, first weights")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after so long; the next call goes on")
    parser.add_argument("--steps", type=int, metavar="N", help="in place of the stage's own number of steps")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make pictures (default 1)")
    parser.add_argument("--start", type=Path, metavar="FOLDER", help="full: the Stable Diffusion 2 to begin with")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train for as long as is asked for, and print where the checkpoint is. Raises `UserError`."""
    check_extra("training", _NEEDED)
    from ..training.config import CONFIGS  # noqa: PLC0415 - heavy
    from ..training.data import sample_block  # noqa: PLC0415 - heavy
    from ..training.loop import Run, train  # noqa: PLC0415 - heavy

    if options.config not in CONFIGS:
        known = ", ".join(CONFIGS)
        raise UserError(
            "unknown-config", f"There is no configuration “{options.config:.60}”.", f"Choose one of: {known}."
        )
    config = CONFIGS[options.config]
    run = Run(
        config=config,
        folder=options.folder,
        stage=options.stage,
        source=partial(sample_block, views=2, pictures=config.block // 2),
        measured=partial(sample_block, views=1, pictures=1),
        seed=options.data_seed,
        minutes=options.minutes,
        steps=options.steps,
        workers=options.workers,
        start=options.start,
    )
    print(train(run, partial(print, flush=True)))
    return 0


def check_extra(extra: str, modules: Sequence[str]) -> None:
    """Raise `UserError` where a module that an extra of the package brings is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UserError(
            "extra-missing",
            f"This command needs {', '.join(missing)}, which this Python lacks.",
            f"Install the package with its extra “{extra}”.",
        )
