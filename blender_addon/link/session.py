# SPDX-License-Identifier: GPL-3.0-or-later
"""The one session of this Blender: the backend process, its connection, and the jobs from the click to the mesh.

Everything here happens on the main thread, in `tick`. A window's timer calls it; where there is no window, whoever
waits calls it. Jobs wait here and go to the backend one at a time, so that a backend that dies takes only the job
that it was working on.
"""

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from ...backend.wire import messages
from ...backend.wire.client import Client, Closed
from ...backend.wire.messages import Capabilities, EngineInfo, Failure, Generate, Preview, Progress, Result, ToClient
from ..errors import AddonError
from .process import BackendProcess, NotStarted, Started

log = logging.getLogger(__name__)

MAX_DEATHS = 3
GREETING_SECONDS = 10.0
LOGGED_FAILURES = ("internal", "out-of-memory")
LOOK_AT_LOG = "Look at its log. The next Generate starts a fresh one."


class Phase(Enum):
    """What the backend process is doing."""

    STOPPED = auto()
    STARTING = auto()
    READY = auto()
    BROKEN = auto()  # it died again and again: nothing starts it but `try_again`


class JobState(Enum):
    """Where a job is."""

    WAITING = auto()
    RUNNING = auto()
    LANDING = auto()  # its meshes are here and wait until the scene can take them
    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()


LIVE = (JobState.WAITING, JobState.RUNNING, JobState.LANDING)


@dataclass(eq=False)
class Job:
    """One click on Generate. `land` puts its results into the scene, all at once; it holds names, never bpy data."""

    title: str
    request: Generate
    land: Callable[[list[Result]], None]
    state: JobState = JobState.WAITING
    progress: Progress | None = None
    preview: Preview | None = None
    results: list[Result] = field(default_factory=list[Result])
    error: AddonError | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.state in LIVE


@dataclass
class Session:
    """See the module. `extension` and `user_folder` are what `BackendProcess` takes.

    can_land: whether the scene can take a mesh now. changed: called when there is something new to show.
    """

    extension: Path
    user_folder: Path
    can_land: Callable[[], bool]
    idle_seconds: Callable[[], float]
    phase: Phase = Phase.STOPPED
    capabilities: Capabilities | None = None
    jobs: list[Job] = field(default_factory=list[Job])
    error: AddonError | None = None
    deaths: int = 0
    _process: BackendProcess | None = None
    _client: Client | None = None
    _greeted_at: float = 0.0
    _count: int = 0

    @property
    def live(self) -> bool:
        """Whether `tick` has something to wait for."""
        return self.phase is Phase.STARTING or any(job.live for job in self.jobs)

    @property
    def running(self) -> Job | None:
        """The job that the backend has."""
        return next((job for job in self.jobs if job.state is JobState.RUNNING), None)

    @property
    def pid(self) -> int | None:
        """The backend's process id, or None where there is none."""
        return self._process.pid if self._process else None

    @property
    def trouble(self) -> str:
        """Why the backend does not run in the engine's environment although there is one; empty where it does."""
        return self._process.trouble if self._process else ""

    def engine(self, name: str) -> EngineInfo | None:
        """What is known of an engine; None before the backend has told, or where there is none of that name."""
        engines = self.capabilities.engines if self.capabilities else ()
        return next((engine for engine in engines if engine.name == name), None)

    def submit(self, title: str, request: Generate, land: Callable[[list[Result]], None]) -> Job:
        """Queue a job. Raises `AddonError` while the backend is given up."""
        if self.phase is Phase.BROKEN:
            raise _broken()
        self._count += 1
        job = Job(title, request, land)
        self.error = None
        self.jobs = [*(other for other in self.jobs if other.live), job]
        self.start()
        return job

    def next_name(self) -> str:
        """A name for the next job, new in this session."""
        return f"job-{self._count + 1}"

    def start(self) -> None:
        """Start the backend where it is not running."""
        if self.phase is Phase.STOPPED:
            self.phase = Phase.STARTING
            self._greeted_at = 0.0
            self._process = BackendProcess(self.extension, self.user_folder, self.idle_seconds())

    def cancel(self, job: Job) -> None:
        """End a job without a mesh."""
        if job.state is JobState.RUNNING and self._client:
            self._client.send(messages.Cancel(job.request.job))
        if job.live:
            job.state = JobState.CANCELLED
            job.results.clear()

    def stop(self, job: Job) -> None:
        """End a job with the meshes that are made already; one that only waits to bring them, without."""
        made = [] if job.state is JobState.LANDING else [*job.results]
        self.cancel(job)
        if made:
            job.state, job.results = JobState.LANDING, made

    def unload(self) -> None:
        """Let the backend give memory back, after the job that runs now. Callable from any thread."""
        client = self._client
        if client and self.phase is Phase.READY:
            client.send(messages.Unload())

    def try_again(self) -> None:
        """Close the circuit breaker."""
        if self.phase is Phase.BROKEN:
            self.phase, self.deaths, self.error = Phase.STOPPED, 0, None

    def close(self) -> None:
        """Cancel every job and end the backend."""
        for job in self.jobs:
            self.cancel(job)
        self.jobs.clear()
        self._drop_backend()
        if self.phase is not Phase.BROKEN:
            self.phase = Phase.STOPPED

    def tick(self) -> bool:
        """Take in what has happened and do what is due; never waits. Returns whether there is something new to show."""
        before = self._shown()
        self._hear_process()
        self._hear_backend()
        self._land()
        self._send()
        return self._shown() != before

    def wait(self, job: Job, watch: Callable[[Job], None]) -> None:
        """Tick until the job has ended, where no timer does. An interrupt from the keyboard cancels the job."""
        try:
            while job.live and self.phase is not Phase.BROKEN:
                self.tick()
                watch(job)
                time.sleep(0.01)
        except BaseException:
            self.cancel(job)
            raise

    def _shown(self) -> tuple[object, ...]:
        jobs = tuple((id(job), job.state, job.progress, id(job.preview), len(job.results)) for job in self.jobs)
        return (self.phase, self.capabilities, self.error, jobs)

    def _hear_process(self) -> None:
        if self._process is None:
            return
        try:
            event = self._process.events.get_nowait()
        except queue.Empty:
            event = None
        if isinstance(event, Started):
            self._client = event.client
            self._greeted_at = time.monotonic()
        elif isinstance(event, NotStarted):
            self._died("The backend could not be started.")

    def _hear_backend(self) -> None:
        while self._client is not None:
            try:
                message = self._client.inbox.get_nowait()
            except queue.Empty:
                break
            if isinstance(message, Closed):
                self._lost(message.reason)
            else:
                self._hear(message)
        if self.phase is Phase.STARTING and self._greeted_at:
            late = time.monotonic() - self._greeted_at > GREETING_SECONDS
            if late:
                self._died("The backend started, and did not answer.")

    def _hear(self, message: ToClient) -> None:
        if isinstance(message, Capabilities):
            self.capabilities = message
            self.phase = Phase.READY
            return
        job = self.running
        if isinstance(message, Failure) and not message.job:
            log.warning("the backend: %s %s", message.sentence, message.advice)
        elif job is None or getattr(message, "job", "") != job.request.job:
            return  # about a job that was cancelled
        elif isinstance(message, Progress):
            job.progress = message
        elif isinstance(message, Preview):
            job.preview = message
        elif isinstance(message, Failure):
            self.deaths = 0
            self._fail(job, AddonError(message.sentence, message.advice, in_log=message.code in LOGGED_FAILURES))
        elif isinstance(message, Result):
            job.results.append(message)
            self.deaths = 0
            if message.last:
                job.state = JobState.LANDING

    def _land(self) -> None:
        for job in self.jobs:
            if job.state is JobState.LANDING and self.can_land():
                results, job.results = job.results, []
                try:
                    job.land(results)
                except AddonError as error:
                    self._fail(job, error)
                except Exception:
                    log.exception("the mesh did not reach the scene")
                    sentence = "The mesh could not be put into the scene."
                    self._fail(job, AddonError(sentence, "Look at Blender's console, and report what it says."))
                else:
                    job.state = JobState.FAILED if job.error else JobState.DONE

    def _send(self) -> None:
        waiting = next((job for job in self.jobs if job.state is JobState.WAITING), None)
        if waiting is None or self.running is not None:
            return
        self.start()
        if self.phase is Phase.READY and self._client is not None:
            waiting.state = JobState.RUNNING
            self._client.send(waiting.request)

    def _lost(self, reason: str) -> None:
        """The connection is gone: the backend has died, or ended by itself because it had nothing to do."""
        job = self.running
        self._client = None
        if job is None and self.phase is Phase.READY:
            log.info("the backend has ended: %s", reason)
            self._drop_backend()
            self.phase = Phase.STOPPED
            return
        self._died("The backend ended in the middle of its work.")

    def _died(self, sentence: str) -> None:
        self._drop_backend()
        self.deaths += 1
        self.phase = Phase.STOPPED
        error = AddonError(sentence, LOOK_AT_LOG, in_log=True)
        if self.deaths >= MAX_DEATHS:
            self.phase = Phase.BROKEN
            error = _broken()
        job = self.running or next((job for job in self.jobs if job.state is JobState.WAITING), None)
        if job:
            self._fail(job, error)
        self.error = error

    def _fail(self, job: Job, error: AddonError) -> None:
        """What is made of a job lands although the rest of it failed."""
        job.state, job.error = JobState.LANDING if job.results else JobState.FAILED, error
        self.error = error

    def _drop_backend(self) -> None:
        client, process = self._client, self._process
        self._client = self._process = None
        if client:
            client.close()
        if process:
            process.end()


def _broken() -> AddonError:
    sentence = f"The backend ended unexpectedly {MAX_DEATHS} times in a row."
    return AddonError(sentence, "Look at its log, then press Try Again.", in_log=True)
