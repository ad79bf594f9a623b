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

import numpy as np

from .errors import Cancelled, UserError
from .flow.pipeline import Moment, Outcome, Pipeline, Request
from .flow.products import Cutout, NormalMap, Picture, Structure
from .normals.image import to_picture
from .raster import png
from .raster.resample import resample
from .raster.voxels import draw_voxels
from .wire import messages
from .wire.messages import Failure, Result, ToClient, seeds_from

log = logging.getLogger(__name__)

MAX_WAITING = 16
MAX_WAITING_BYTES = 1 << 30
PROGRESS_SECONDS = 0.05
LAST_FAILURES = ("device-lost",)  # a process that has lost its graphics card cannot reach it again
FAREWELL_SECONDS = 0.5


@dataclass(eq=False)
class Job:
    """One request of one client, for `count` seeds from its own on. `tell` may be called from any thread."""

    name: str
    request: Request
    tell: Callable[[ToClient], None]
    count: int = 1
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def nbytes(self) -> int:
        """The memory of the request's pictures, in bytes."""
        return sum(picture.nbytes for picture in (self.request.picture, self.request.normal_map) if picture is not None)


class JobQueue:
    """Waiting jobs and the worker. Every method belongs to the event loop's thread."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.running: Job | None = None
        self.waiting: deque[Job] = deque()
        self.last_used = time.monotonic()
        self._thread = ThreadPoolExecutor(1, "hi3dgen worker")
        self._arrived = asyncio.Event()

    def has_room_for(self, job: Job) -> bool:
        """Whether a further job may wait: jobs are few, and so is the memory of their pictures."""
        held = sum(waiting.nbytes for waiting in self.waiting)
        return len(self.waiting) < MAX_WAITING and (not held or held + job.nbytes <= MAX_WAITING_BYTES)

    def add(self, job: Job) -> None:
        """Queue a job and tell its place."""
        self.waiting.append(job)
        self._arrived.set()
        job.tell(messages.Queued(job.name, len(self.waiting) - 1 + (self.running is not None)))

    def cancel(self, job: Job) -> None:
        """End a job: at once where it waits, at its next step where it runs."""
        job.cancelled.set()
        if job in self.waiting:
            self.waiting.remove(job)
            job.tell(_cancelled(job))

    def unload(self, done: Callable[[], None]) -> None:
        """Give memory back after the job that runs now, then call `done` in the event loop."""
        unloading = asyncio.get_running_loop().run_in_executor(self._thread, self.pipeline.unload)
        unloading.add_done_callback(lambda _: done())

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
            job.tell(end)  # last, so that whoever hears it finds the worker free
            if isinstance(end, Failure) and end.code in LAST_FAILURES:
                log.error("%s The backend ends.", end.sentence)
                await asyncio.sleep(FAREWELL_SECONDS)  # until it is told
                return


def run(pipeline: Pipeline, job: Job) -> Result | Failure:
    """Run a job, tell all of its results but the last, and return that, or the failure that came instead.

    Never raises.
    """
    log.info("job %s: %s, seed %d, %d of them", job.name, job.request.engine, job.request.seed, job.count)
    try:
        outcomes = pipeline.run_seeds(job.request, seeds_from(job.request.seed, job.count), _Teller(job))
        for index, outcome in enumerate(outcomes):
            result = _result(job, index, outcome)
            if result.last:
                return result
            job.tell(result)
        raise RuntimeError("the pipeline made fewer meshes than it was asked for")  # noqa: TRY301 - is told as a bug
    except Cancelled:
        return _cancelled(job)
    except UserError as error:
        log.info("job %s failed: %s", job.name, error)
        return Failure(job.name, error.code, error.sentence, error.advice)
    except Exception:
        log.exception("job %s failed", job.name)
        advice = "Look at the log, and report it if it stays."
        return Failure(job.name, "internal", "Something went wrong inside Hi3DGen.", advice)


def _cancelled(job: Job) -> Failure:
    return Failure(job.name, "cancelled", "The job was cancelled.", "Generate again whenever you like.")


class _Teller:
    """Passes a job's moments on to its client, not more often than anyone can see, and ends a cancelled job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._told = 0.0
        self._stage = ""

    def moment(self, moment: Moment) -> None:
        self._check()
        now = time.monotonic()
        if moment.stage.name == self._stage and now - self._told < PROGRESS_SECONDS:
            return
        self._stage, self._told = moment.stage.name, now
        stage = moment.stage
        place = (moment.index, moment.count, moment.step, moment.of)
        self._job.tell(messages.Progress(self._job.name, stage.name, stage.label, *place, moment.eta_seconds))

    def made(self, stage: str, result: object) -> None:
        self._check()
        if isinstance(result, Cutout):
            self._job.tell(messages.Preview(self._job.name, "cutout", _thumbnail(result.rgba)))
        elif isinstance(result, NormalMap):
            self._job.tell(messages.Preview(self._job.name, "normals", _thumbnail(_rgba(result))))
        elif isinstance(result, Structure):
            voxels = draw_voxels(result.coords, result.resolution)
            self._job.tell(messages.Preview(self._job.name, "voxels", _thumbnail(voxels)))
        log.debug("job %s: %s is made", self._job.name, stage)

    def _check(self) -> None:
        if self._job.cancelled.is_set():
            raise Cancelled


def _result(job: Job, index: int, outcome: Outcome) -> Result:
    mesh = outcome.mesh
    normal_map = png.encode(to_picture(outcome.normal_map, outcome.cutout.crop))
    return Result(
        job=job.name,
        seed=outcome.recipe["seed"],
        index=index,
        count=job.count,
        recipe=outcome.recipe,
        seconds=outcome.seconds,
        vertices=mesh.vertices,
        triangles=mesh.triangles,
        uv=mesh.uv,
        normal_map=np.frombuffer(normal_map, np.uint8),
        colours=mesh.colours,
        vertex_normals=mesh.normals,
        notes=mesh.notes,
    )


def _rgba(normal_map: NormalMap) -> Picture:
    rgba = np.concatenate([normal_map.normals * 0.5 + 0.5, normal_map.alpha[..., None]], axis=-1)
    return np.rint(rgba * 255.0).astype(np.uint8)


def _thumbnail(rgba: Picture) -> Picture:
    side = min(rgba.shape[0], messages.MAX_PREVIEW_SIDE)
    return resample(rgba, (0, 0, rgba.shape[1], rgba.shape[0]), (side, side))
