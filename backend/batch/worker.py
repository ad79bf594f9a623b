# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that makes the pictures of a batch: it gets tasks, runs the pipeline and writes what comes out.

`serve` is for whatever else is made in such processes.
"""

import contextlib
import dataclasses
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from .. import log as logs
from ..adapters import ADAPTERS
from ..errors import UserError
from ..files.lens import with_lens
from ..files.pictures import read_picture
from ..flow.engine import PICTURE, Engine
from ..flow.pipeline import Outcome, Pipeline, Progress
from ..flow.products import Panorama, Picture
from ..flow.request import Request
from .manifest import fingerprints
from .names import file_stem
from .running import Ended, Task, end_of
from .tile import write_tile

log = logging.getLogger(__name__)

LAST_FAILURES = ("device-lost", "out-of-memory")  # a new process gets over them
_PAUSE = 0.1  # seconds between two messages about progress, at least

Say = Callable[[Mapping[str, Any]], None]
Make = Callable[[Task, Say], Ended]
"""Makes a task's results in its folder. Never raises."""
Start = Callable[[], Make]
"""Imports what making needs, and returns what makes. It is called once in each process, on nodes of a cluster, too."""


def maker_of(engines: Mapping[str, Engine]) -> Make:
    """What makes pictures' results by these engines, whose weights it keeps."""
    return partial(make, Pipeline(engines))


def work(engines: Mapping[str, Engine], log_file: Path) -> int:
    """Make pictures' results from standard input until it ends; see `serve`."""
    return serve(maker_of(engines), log_file)


def serve(maker: Make, log_file: Path) -> int:
    """Make tasks from standard input until it ends; see `executor`. Returns an exit code. Raises OSError.

    Standard error becomes `log_file`.
    """
    logs.start(log_file, private=False)
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints goes into the log
    lines = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()

    def listen() -> None:
        for line in lines:
            tasks.put(Task(**json.loads(line)["task"]))
        os._exit(0)  # the parent is gone, or has no more

    threading.Thread(target=listen, daemon=True).start()
    say = _speaker(messages)
    say({"ready": True})
    while True:
        ended = maker(tasks.get(), say)
        last = ended.code in LAST_FAILURES
        say({"ended": dataclasses.asdict(ended), "last": last})
        if last:
            return 0


def make(pipeline: Pipeline, task: Task, say: Say) -> Ended:
    """Make one picture's results in the task's folder. Never raises."""
    started = time.monotonic()
    made = _Making(pipeline.engines, task, say)
    error = failure_of(task, lambda: made.run(pipeline))
    with contextlib.suppress(Exception):  # without it the contact sheet has a gap
        write_tile(Path(task.tile), made.drawn(), failed=error is not None)
    return end_of(task, started, made.fingerprints, made.notes, error)


def failure_of(task: Task, run: Callable[[], None]) -> UserError | None:
    """Run a task's making, and return why it failed, if it has; what is a mistake of ours is logged."""
    try:
        run()
    except UserError as raised:
        log.info("%s failed: %s", task.name, raised)
        return raised
    except MemoryError:
        return UserError("out-of-memory", "The memory was not enough.", "Close other programs.")
    except Exception:
        log.exception("%s failed", task.name)
        return UserError("internal", "Something went wrong inside Hi3DGen.", "The log of the batch says more.")
    return None


class _Making:
    """One picture on its way; a `Watcher` of the pipeline, which keeps what can be shown."""

    def __init__(self, engines: Mapping[str, Engine], task: Task, say: Say) -> None:
        self.fingerprints: dict[str, Mapping[str, Any]] = {}
        self.notes: list[str] = []
        self._engines = engines
        self._task = task
        self._say = say
        self._last_progress = 0.0
        self._picture: Picture | None = None
        self._products: dict[str, Any] = {}
        self._shown = False

    def run(self, pipeline: Pipeline) -> None:
        """Make and write everything. Raises `UserError`."""
        request = self._task.request
        self.fingerprints = fingerprints(self._task.inputs)
        pictures = {name: read_picture(Path(path)) for name, path in self._task.inputs.items()}
        self._picture = pictures[PICTURE]
        settings = request["settings"]
        if Panorama in self._engines[request["engine"]].gives.values():
            settings = with_lens(settings, Path(self._task.inputs[PICTURE]))
        job = Request(pictures, request["engine"], request["seed"], request["count"], settings)
        first = True
        for outcome in pipeline.run(job, self, gives=request["products"]):
            self._write(outcome, self._engines[job.engine], pictures, first=first)
            first = False

    def _write(self, outcome: Outcome, engine: Engine, pictures: Mapping[str, Picture], *, first: bool) -> None:
        request = self._task.request
        seeded = engine.seeded(pictures) if request["count"] > 1 else set[str]()
        for name, product in outcome.products.items():
            adapter = ADAPTERS[engine.offers[name]]
            if adapter.write is not None and (first or name in seeded):
                main = name == request["products"][-1]
                seed = outcome.seed if name in seeded else None
                stem = file_stem(self._task.stem, "" if main else name, seed)
                adapter.write(Path(self._task.folder, f"{stem}{adapter.suffix}"), product, pictures[PICTURE])
        self.notes += outcome.notes
        if first:
            self._products |= outcome.products
            self._shown = True

    def drawn(self) -> list[Picture]:
        """The picture, and pictures of the products that were made of it for the first seed."""
        if self._picture is None:
            return []
        gives = self._engines[self._task.request["engine"]].gives
        pictures = [self._picture]
        for name in gives:
            adapter = ADAPTERS[gives[name]]
            draw = adapter.draw or adapter.preview
            if name in self._products and draw is not None:
                pictures.append(draw(self._products[name]))
        return pictures

    def progressed(self, progress: Progress) -> None:
        """Say how far it is, not too often."""
        now = time.monotonic()
        if now - self._last_progress >= _PAUSE:
            self._last_progress = now
            self._say({"progress": [self._task.name, progress.stage.label, round(progress.done, 3)]})

    def made(self, name: str, product: object) -> None:
        """Keep what is made on the way."""
        if not self._shown:
            self._products[name] = product


def _speaker(stream: TextIO) -> Say:
    def say(message: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the parent is gone: this process ends at once
            stream.write(f"{json.dumps(message)}\n")
            stream.flush()

    return say
