# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands of `train` share that make objects to learn from: in this process, in several, or on a cluster."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..batch import worker
from ..batch.executor import one_by_one
from ..batch.filling import fill, is_there
from ..batch.manifest import Entry, State
from .batch import LOG, own_command
from .batch_progress import BatchProgress
from .executors import executor_of

WORKER = "train-worker"


def configure(hidden: argparse.ArgumentParser) -> None:
    """What the hidden command takes that makes objects."""
    hidden.add_argument("stage")
    hidden.add_argument("log", type=Path)
    hidden.set_defaults(run=_work)


def entry(name: str, inputs: Mapping[str, Path], seed: int, **settings: Any) -> Entry:  # noqa: ANN401 - JSON
    """An object that is to be there, for `make_missing`."""
    paths = {key: str(path.absolute()) for key, path in inputs.items()}
    return Entry(name, {"inputs": paths, "seed": seed, "settings": settings})


def make_missing(
    stage: str, folder: Path, entries: Sequence[Entry], options: argparse.Namespace, *, networks: bool = False
) -> bool:
    """Make what is not there of a stage of `making.STAGES`, and return whether all is there then. Raises `UserError`.

    networks: see `executor_of`.
    """
    from ..training.making import SUFFIX, maker_of  # noqa: PLC0415 - not in the extension's zip

    start, log = partial(maker_of, stage), folder / LOG
    if options.executor == "local" and (options.processes or 1) == 1:
        executor = one_by_one(start, log)
    else:
        executor = executor_of(options, [*own_command(), WORKER, stage], start, log, networks=networks)
    todo = sum(not is_there(folder, each.name, SUFFIX) for each in entries)
    with BatchProgress(len(entries), todo, as_json=False, thing="object") as progress:
        ended = fill(folder, SUFFIX, entries, executor, progress)
    progress.finish(ended)
    return all(each.state is State.DONE for each in ended)


def _work(options: argparse.Namespace) -> int:
    from ..training.making import maker_of  # noqa: PLC0415 - not in the extension's zip

    return worker.serve(maker_of(options.stage), options.log)
