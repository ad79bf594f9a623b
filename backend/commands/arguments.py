# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments that several commands share, Blender's among them: engine, seed, count, settings, products."""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..batch.planning import AnyEngine
from ..flow.engine import Engine
from ..wire.limits import MAX_COUNT, seed_from_text, split_setting


def add_engine(command: argparse.ArgumentParser, engines: Iterable[AnyEngine]) -> None:
    """`--engine` and `--set`. The first engine is the default.

    Without engines every name is accepted, and the default is None.
    """
    engines = [*engines]
    names = [engine.name for engine in engines]
    default = names[0] if names else None
    listed = f"what makes it (default {default})" if names else "what makes it"
    command.add_argument("--engine", choices=sorted(names) or None, default=default, help=listed)
    settings = [f"{each.name}: {', '.join(setting.name for setting in each.settings)}" for each in engines]
    command.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="; ".join(["a setting of the engine", *settings]),
    )


def add_seeds(command: argparse.ArgumentParser, results: str) -> None:
    """`--seed` and `--count`; results: what several seeds make, for the help."""
    command.add_argument("--seed", type=_seed, default=0, help="decides what the picture does not show (default 0)")
    command.add_argument(
        "--count",
        type=int,
        choices=range(1, MAX_COUNT + 1),
        default=1,
        metavar="N",
        help=f"make 1 to {MAX_COUNT} {results}",
    )


def products_of(engines: Mapping[str, Engine]) -> str:
    """Every engine's products by name, for the help."""
    return "; ".join(f"{name}: {', '.join(engines[name].offers)}" for name in sorted(engines))


def place(text: str) -> tuple[str, Path]:
    """The product and the path of PRODUCT=PATH."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"“{text}” is not PRODUCT=PATH.")
    return name, Path(path)


def _seed(text: str) -> int:
    try:
        return seed_from_text(text)
    except ValueError as error:  # argparse would tell the function's name instead of the sentence
        raise argparse.ArgumentTypeError(str(error)) from None


def _setting(text: str) -> tuple[str, str]:
    try:
        return split_setting(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
