# SPDX-License-Identifier: GPL-3.0-or-later
"""Where many things are made: in processes of this machine, or on a cluster. What commands share of it."""

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path

from ..batch.cluster import Cluster, RayExecutor, load_ray
from ..batch.executor import LocalExecutor
from ..batch.running import Executor
from ..batch.worker import Start
from ..errors import UserError
from ..upscale.chosen import UPSCALER
from .arguments import at_least

_OF_RAY = {"address": "--address", "cpus_per_worker": "--cpus-per-worker", "gpus_per_worker": "--gpus-per-worker"}


def add_executor(command: argparse.ArgumentParser) -> None:
    """`--executor`, `--processes`, and what a cluster needs to know."""
    command.add_argument(
        "--executor", choices=("local", "ray"), default="local", help="where they are made (default local)"
    )
    command.add_argument(
        "--processes",
        "--workers",
        type=at_least(1),
        metavar="N",
        help="at the same time (default 1; of a cluster as many as it has room for)",
    )
    command.add_argument(
        "--address", metavar="HOST:PORT", help="of a cluster's head (default one on this machine, for this command)"
    )
    command.add_argument(
        "--cpus-per-worker", type=_share, metavar="X", help="processors that a process on a cluster takes (default 1)"
    )
    command.add_argument(
        "--gpus-per-worker",
        type=_share_or_none,
        metavar="X",
        help="graphics cards that it takes, 0.5 for half a one (default 1 for networks if there are any, else 0)",
    )


def check_executor(options: argparse.Namespace) -> None:
    """Refuse, before anything is read, what cannot be. Raises `UserError`."""
    if options.executor == "ray":
        load_ray(options.address or "")
        return
    given = [spelled for name, spelled in _OF_RAY.items() if getattr(options, name) is not None]
    if given:
        raise UserError("bad-option", f"{given[0]} is for clusters.", "Add --executor ray, or leave it out.")


def executor_of(
    options: argparse.Namespace,
    command: Sequence[str],
    start: Start,
    log: Path,
    *,
    networks: bool = False,
    url: str = "",
    batch: str = "",
) -> Executor:
    """The executor that was asked for. command: starts a process here. start, url, batch: see `RayExecutor`.

    networks: whether networks make it, for which a cluster's graphics cards are taken.
    """
    if options.executor == "local":
        return LocalExecutor(command, log, options.processes or 1)
    cpus = 1.0 if options.cpus_per_worker is None else options.cpus_per_worker
    gpus = options.gpus_per_worker if options.gpus_per_worker is not None or networks else 0.0
    cluster = Cluster(options.address or "", options.processes, cpus, gpus)
    chosen = {name: os.environ[name] for name in (UPSCALER,) if name in os.environ}
    return RayExecutor(start, log, cluster, url, batch, chosen)


def _share(text: str) -> float:
    share = _share_or_none(text)
    if not share:
        raise argparse.ArgumentTypeError("It takes some of a processor.")
    return share


def _share_or_none(text: str) -> float:
    """A number that Ray can share out. Raises `ArgumentTypeError`."""
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share < 10_000 or (share > 1 and share != int(share)):
        raise argparse.ArgumentTypeError(f"“{text:.60}” is neither a share of 1 nor a whole number.")
    return share
