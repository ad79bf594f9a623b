# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes tasks on a node of a cluster; it holds an engine's weights from task to task. It imports no Ray.

An attempt is made in a folder of its own, which its end names: a process or a node may die in the middle of one, and
one that was taken for dead may go on and write. Only what the executor puts in place counts.
"""

import dataclasses
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..log import Lines
from .places import whole_files
from .results import not_written
from .running import Ended, Task, failed_by
from .urls import UrlPlace
from .worker import Make, Start

RESULTS = "results"
TILE = "tile.jpg"


@dataclass(frozen=True)
class Sent:
    """A task on its way to a node. inputs: each file's name and content, by input; without those that are missing."""

    task: Task
    inputs: Mapping[str, tuple[str, bytes]]


@dataclass(frozen=True)
class Made:
    """An attempt's end on its way back.

    folder: of the attempt, beside the task's folder, if the node sees that: it holds `RESULTS` and `TILE`. If not,
    files: their contents, by their paths in such a folder. log: lines for the log of the batch.
    """

    ended: Ended
    folder: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    log: str = ""


class ClusterWorker:
    """Makes one task at a time; `progress` is called meanwhile, in another thread.

    url: of the `UrlPlace` where the results go; empty if they go into the batch's folder. batch: see `Place.stage`.
    """

    def __init__(self, start: Start, url: str = "", batch: str = "") -> None:
        self._start = start
        self._url = url
        self._batch = batch
        self._maker: Make | None = None
        self._said: Mapping[str, Any] | None = None
        self._lines = Lines()
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger().addHandler(self._lines)

    def make(self, sent: Sent) -> Made:
        """Make a task. Raises nothing that a picture can cause."""
        try:
            maker = self._maker = self._maker or self._start()
            place = UrlPlace(self._url) if self._url else None
        except UserError as error:  # any other is a mistake of the node, which ends the batch
            return Made(failed_by(Ended(sent.task.name), error))
        with tempfile.TemporaryDirectory() as own:
            shared = Path(sent.task.folder).parent
            is_shared = shared.is_dir()
            attempt = shared / f"attempt-{secrets.token_hex(8)}" if is_shared else Path(own, "attempt")
            (attempt / RESULTS).mkdir(parents=True)
            task = dataclasses.replace(
                sent.task,
                inputs=_written(sent, Path(own)),
                folder=str(attempt / RESULTS),
                tile=str(attempt / TILE),
            )
            ended = maker(task, self._say)
            if place is not None:
                ended = _staged(ended, place, attempt / RESULTS, self._batch)
            lines = self._lines.taken()
            if is_shared:
                return Made(ended, str(attempt), log=lines)
            files = {path.relative_to(attempt).as_posix(): path.read_bytes() for path in whole_files(attempt)}
            return Made(ended, files=files, log=lines)

    def progress(self, seconds: float) -> tuple[str, str, float] | None:
        """What is last said of a task within so many seconds: name, label and how much is done."""
        time.sleep(seconds)
        said, self._said = self._said, None
        return said["progress"] if said else None

    def _say(self, message: Mapping[str, Any]) -> None:
        self._said = message


def _written(sent: Sent, folder: Path) -> dict[str, str]:
    """The paths of the task's inputs on this node."""
    paths = dict(sent.task.inputs)
    for number, (name, (title, content)) in enumerate(sent.inputs.items()):
        path = folder / str(number) / title
        path.parent.mkdir()
        path.write_bytes(content)
        paths[name] = str(path)
    return paths


def _staged(ended: Ended, place: UrlPlace, folder: Path, batch: str) -> Ended:
    """The end with what has been staged of a folder, which is removed."""
    try:
        staged = place.stage(folder, batch)
    except OSError as error:
        return failed_by(ended, not_written(place.path(ended.name), error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return dataclasses.replace(ended, staged=staged)
