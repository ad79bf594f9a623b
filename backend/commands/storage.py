# SPDX-License-Identifier: GPL-3.0-or-later
"""`storage`: says where things are on this machine and how large they are, and deletes what can be made again."""

import argparse
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from ..folders import size, user_folder, weights_folder
from ..install.environments import Environments
from ..weights import removal
from .progress import ProgressBar, amount


@dataclass(frozen=True)
class Place:
    """name: for programs; label: for people. bytes: of what lies there."""

    name: str
    label: str
    folder: Path
    bytes: int


def configure(command: argparse.ArgumentParser) -> None:
    """Give `command` its options."""
    clear = "delete compiled Python files, and downloads of an installation that did not come to its end"
    command.add_argument("--clear", action="store_true", help=clear)
    command.add_argument("--json", action="store_true", help="print it as JSON, an object a line")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the places, after they were cleared if that is asked for. Raises `UserError`."""
    environments = Environments(user_folder())
    with ProgressBar(as_json=options.json) as progress:
        if options.clear:
            with environments.locked():
                for folder in (environments.bytecode, environments.downloads):
                    shutil.rmtree(folder, ignore_errors=True)  # what is in use just now is made again anyway
        places = found(environments)
        progress.finished(places=[{**asdict(place), "folder": str(place.folder)} for place in places])
    if not options.json:
        for place in places:
            print(f"{place.label}: {amount(place.bytes)}, {place.folder}")
    return 0


def found(environments: Environments) -> tuple[Place, ...]:
    """Where the environment, the weights and what can be made again are; takes a second or more."""
    return (
        Place("environment", "Environment", environments.all, environments.size()),
        Place("weights", "Weights", weights_folder(), removal.bytes_here()),
        Place("bytecode", "Compiled Files", environments.bytecode, size(environments.bytecode)),
        Place("downloads", "Broken-off Downloads", environments.downloads, size(environments.downloads)),
    )
