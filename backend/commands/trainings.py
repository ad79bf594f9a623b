# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands share that train and measure networks: arguments, configurations, and what has to be here."""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TypeVar

from ..errors import UserError

C = TypeVar("C")


def config_named(configs: Mapping[str, C], name: str) -> C:
    """Return a configuration by its name. Raises `UserError`."""
    if name not in configs:
        known = ", ".join(configs)
        raise UserError("unknown-config", f"There is no configuration “{name:.60}”.", f"Choose one of: {known}.")
    return configs[name]


def minutes(text: str) -> float:
    """Read a number of minutes."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"“{text:.60}” is no number of minutes.")
    return found


def between(least: float, most: float) -> Callable[[str], float]:
    """What reads a number from `least` to `most`."""

    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"“{text:.60}” is no number from {least:g} to {most:g}.")
        return found

    return read


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
