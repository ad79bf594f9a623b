# SPDX-License-Identifier: GPL-3.0-or-later
"""The one queue and the one worker: jobs run in the order in which they came, one at a time, beside the event loop."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from . import memory
from .adapters import adapter_of
from .adapters.adapter import thumbnail
from .errors import Cancelled, UserError
from .flow.pipeline import Outcome, Pipeline, Progress
from .flow.request import Request
from .wire import messages
from .wire.messages import Failure, Result, ToClient

log = logging.getLogger(__name__)

MAX_WAITING = 16
MAX_WAITING_BYTES = 1 << 30
PROGRESS_SECONDS = 0.05
LAST_FAILURES = ("device-lost",)  # a process that has lost its graphics card cannot reach it again


@dataclass(eq=False)
class QueuedJob:
    """A client's request on its way. `send` tells the client, and may be called from any thread.

    gives: the names of the products that are wanted; all that the engine gives by itself if empty.
    """

    name: str
    request: Request
    send: Callable[[ToClient], None]
    gives: tuple[str, ...] = ()
    cancelled: threading.Event = field(default_factory=threading.Event)


class JobQueue:
    """Waiting jobs and the worker. Every method belongs to the event loop's thread."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.running: QueuedJob | None = None
        self.waiting: deque[QueuedJob] = deque()
        self.last_used = time.monotonic()
        self._thread = ThreadPoolExecutor(1, "hi3dgen worker")
        self._arrived = asyncio.Event()
        self._unloading: asyncio.Future[None] | None = None

    def has_room_for(self, job: QueuedJob) -> bool:
        """Whether a further job may wait: jobs are few, and so is the memory of their pictures."""
        held = sum(waiting.request.nbytes for waiting in self.waiting)
        return len(self.waiting) < MAX_WAITING and (not held or held + job.request.nbytes <= MAX_WAITING_BYTES)

    def add(self, job: QueuedJob) -> None:
        """Queue a job and tell its place."""
        self.waiting.append(job)
        self._arrived.set()
        job.send(messages.Queued(job.name, len(self.waiting) - 1 + (self.running is not None)))

    def cancel(self, job: QueuedJob) -> None:
        """End a job: at once if it waits, at its next step if it runs."""
        job.cancelled.set()
        if job in self.waiting:
            self.waiting.remove(job)
            job.send(_cancelled(job))

    def unload(self) -> asyncio.Future[None]:
        """Give memory back after the job that runs now, once for all who ask until then.

        The future raises what an engine raises when it is asked to.
        """
        if self._unloading is None or self._unloading.done():
            self._unloading = asyncio.get_running_loop().run_in_executor(self._thread, _unload, self.pipeline)
        return self._unloading

    async def work(self) -> None:
        """Run jobs, for ever, or until one fails in a way that this process does not get over."""
        loop = asyncio.get_running_loop()
        while True:
            while not self.waiting:
                self._arrived.clear()
                await self._arrived.wait()
            job = self.running = self.waiting.popleft()
            end = await loop.run_in_executor(self._thread, run, self.pipeline, job)
            self.running = None
            self.last_used = time.monotonic()
            job.send(end)  # last, so that whoever hears it finds the worker free
            if isinstance(end, Failure) and end.code in LAST_FAILURES:
                log.error("%s The backend ends.", end.sentence)
                return
            del job, end  # pictures and meshes are not kept until the next job


def run(pipeline: Pipeline, job: QueuedJob) -> Result | Failure:
    """Run a job, send all of its results but the last, and return that, or the failure that came instead.

    Never raises.
    """
    request = job.request
    log.info("job %s: %s, seed %d, %d of them", job.name, request.engine, request.seed, request.count)
    try:
        for index, outcome in enumerate(pipeline.run(request, _Sender(job), job.gives or None)):
            result = _result(job, index, outcome)
            if result.last:
                return result
            job.send(result)
        raise RuntimeError("the pipeline made less than it was asked for")  # noqa: TRY301 - is reported as a bug
    except Cancelled:
        return _cancelled(job)
    except UserError as error:
        log.info("job %s failed: %s", job.name, error)
        return Failure(job.name, error.code, error.sentence, error.advice)
    except Exception:
        log.exception("job %s failed", job.name)
        advice = "Look at the log, and report it if it stays."
        return Failure(job.name, "internal", "Something went wrong inside Hi3DGen.", advice)


def _unload(pipeline: Pipeline) -> None:
    try:
        pipeline.unload()
    finally:
        memory.give_back()


def _cancelled(job: QueuedJob) -> Failure:
    return Failure(job.name, "cancelled", "The job was cancelled.", "Generate again whenever you like.")


class _Sender:
    """A watcher that passes progress on to the client, no more often than anyone can see, and ends a cancelled job."""

    def __init__(self, job: QueuedJob) -> None:
        self._job = job
        self._sent = 0.0
        self._stage = ""

    def progressed(self, progress: Progress) -> None:
        self._check()
        now, stage = time.monotonic(), progress.stage
        if stage.name == self._stage and now - self._sent < PROGRESS_SECONDS:
            return
        self._stage, self._sent = stage.name, now
        place = (progress.index, progress.count, progress.step, progress.of)
        self._job.send(messages.Progress(self._job.name, stage.name, stage.label, *place, progress.eta_seconds))

    def made(self, name: str, product: object) -> None:
        self._check()
        adapter = adapter_of(product)
        if adapter is not None and adapter.preview is not None:
            self._job.send(messages.Preview(self._job.name, name, thumbnail(adapter.preview(product))))
        log.debug("job %s: %s is made", self._job.name, name)

    def _check(self) -> None:
        if self._job.cancelled.is_set():
            raise Cancelled


def _result(job: QueuedJob, index: int, outcome: Outcome) -> Result:
    products: dict[str, messages.Product] = {}
    for name, product in outcome.products.items():
        adapter = adapter_of(product)
        if adapter is not None and adapter.to_wire is not None:
            products[name] = adapter.to_wire(product)
    return Result(
        job=job.name,
        seed=outcome.seed,
        index=index,
        count=job.request.count,
        recipe=outcome.recipe,
        seconds=outcome.seconds,
        notes=outcome.notes,
        products=products,
    )
