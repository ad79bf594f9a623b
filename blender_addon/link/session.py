# SPDX-License-Identifier: GPL-3.0-or-later
"""The one session of this Blender: the backend process, its connection, and the jobs from the click to the mesh.

Everything here happens on the main thread, in `tick`. A window's timer calls it; without a window, `wait` does. Jobs
wait here and go to the backend one at a time, so that a backend that dies takes only the job that it was working on.
"""

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...backend.wire import messages
from ...backend.wire.client import Client, Closed
from ...backend.wire.messages import Capabilities, EngineInfo, Failure, Preview, Progress, Result, Status
from ..errors import AddonError
from ..language.words import say
from . import order
from .job import Job, JobState, read_on
from .phase import MAX_DEATHS, PROCESS_DIED, Phase, broken, ended_in_work, not_started
from .process import END_SECONDS, START_SECONDS, BackendProcess, NotStarted, Options, Started
from .pulse import Pulse
from .series import Series, are_too_many, join, parts_of

log = logging.getLogger(__name__)

STARTING_SECONDS = 2 * START_SECONDS + 15.0  # in the engine's environment and by Blender's Python, and a little more
GREETING_SECONDS = 10.0
LOGGED_FAILURES = ("internal", "out-of-memory")
FREED = "The backend has given its memory back."


@dataclass
class Session:
    """See the module. `extension` and `user_folder` are what `BackendProcess` takes, and what `options` returns then.

    occupied_until: when the scene can take results, as the end of “They come when …”; empty if now. hindrance: what it
    said last of results that wait. learned: called with what a backend answers to the greeting. paused_until: when
    meshes may be begun, as the end of “They start when …”; empty if now. pause: what it said last of the queue.
    """

    extension: Path
    user_folder: Path
    occupied_until: Callable[[], str]
    options: Callable[[], Options]
    learned: Callable[[Capabilities], None] = lambda _: None
    paused_until: Callable[[], str] = lambda: ""
    phase: Phase = Phase.STOPPED
    capabilities: Capabilities | None = None
    jobs: list[Job] = field(default_factory=list[Job])
    error: AddonError | None = None
    deaths: int = 0
    freeing: bool = False  # the backend was asked to give memory back, and has not answered
    holds_memory: bool = False  # it answered that it could not
    hindrance: str = ""
    cached_bytes: int = 0  # the memory of results that the backend remembers, when it said so last
    pause: str = ""
    notice: str = ""  # what the backend did when it was asked to
    _pulse: Pulse = field(default_factory=Pulse)
    _process: BackendProcess | None = None
    _client: Client | None = None
    _started_at: float = 0.0
    _greeted_at: float = 0.0
    _count: int = 0

    @property
    def live(self) -> bool:
        """Whether `tick` has something to wait for."""
        due = (job.needs_no_backend if self.phase is Phase.BROKEN else job.live for job in self.jobs)
        return self.phase is Phase.STARTING or self.freeing or self._pulse.owed > 0 or any(due)

    @property
    def running(self) -> Job | None:
        """The job that the backend has."""
        return order.running_of(self.jobs)

    @property
    def queue(self) -> list[Job]:
        """The meshes that wait for the backend, the next one first."""
        return order.queue_of(self.jobs)

    @property
    def current(self) -> Job | None:
        """The mesh that the backend makes, or makes next."""
        running = self.running
        return running if running and not running.aside else next(iter(self.queue), None)

    @property
    def silent_seconds(self) -> int:
        """For how long the backend has given no sign of life; 0 while that is nothing to speak of."""
        return int(self._pulse.quiet) if self._pulse.silent else 0

    @property
    def pid(self) -> int | None:
        """The backend's process id, or None if there is none."""
        return self._process.pid if self._process else None

    @property
    def trouble(self) -> str:
        """Why the backend does not run in the engine's environment although there is one; empty if it does."""
        return self._process.trouble if self._process else ""

    def engine(self, name: str) -> EngineInfo | None:
        """What the backend reports of an engine or tool; None before its greeting, and if it has none of that name."""
        known = self.capabilities
        engines = (*known.engines, *known.tools) if known else ()
        return next((engine for engine in engines if engine.name == name), None)

    def why_missing(self, name: str) -> AddonError | None:
        """Why the engine of that name cannot run, as the running backend reports; None if it can or no backend runs."""
        info = self.engine(name)
        if info is None or not info.missing:
            return None
        sentence = f"The engine “{info.label}” cannot run here. {info.missing}"
        advice = "Then restart the backend." if info.external else "Set it up in the extension's preferences."
        return AddonError(sentence, advice, code="engine-missing")

    def submit(self, job: Job) -> Job:
        """Queue a job; unless it is one aside, what was told of former ones is forgotten.

        The first step of its reading is done now. Raises what that raises, and `AddonError` if the backend is given up.
        """
        if self.phase is Phase.BROKEN:
            raise broken(PROCESS_DIED)
        job.read_on()
        self._count += 1
        if not job.aside:
            self.error, self.notice = None, ""
        self.jobs = [*(other for other in self.jobs if other.holds_results or (job.aside and not other.aside)), job]
        self.start()
        return job

    def next_name(self) -> str:
        """A name for the next job, new in this session."""
        return f"job-{self._count + 1}"

    def start(self) -> None:
        """Start the backend if it is not running."""
        if self.phase is Phase.STOPPED:
            self.phase = Phase.STARTING
            self._started_at, self._greeted_at = time.monotonic(), 0.0
            self._process = BackendProcess(self.extension, self.user_folder, self.options())

    def cancel(self, job: Job) -> None:
        """End a job and drop its results, also those that the scene did not take."""
        self._call_back(job)
        for ended in (job, *parts_of(job, self.jobs)):
            if ended.holds_results:
                ended.drop()

    def stop(self, job: Job) -> None:
        """End a job with the results that are made already; one that only waits to bring them, without."""
        job.stopped = True
        if job.state not in (JobState.WAITING, JobState.RUNNING):
            self.cancel(job)
            return
        self._call_back(job)
        self._end(job)
        if not (job.results or parts_of(job, self.jobs)):
            job.drop()

    def _call_back(self, job: Job) -> None:
        """Let the backend drop a job, if it has it."""
        if job.state is JobState.RUNNING and self._client:
            self._client.send(messages.Cancel(job.sent.job))

    def move(self, job: Job, places: int) -> None:
        """Let a job of the queue change places with another, see `order.move`."""
        order.move(self.jobs, job, places)

    def land_again(self, job: Job) -> None:
        """Offer the scene once more what it did not take; what its series has said of that is forgotten."""
        if job.state is JobState.KEPT:
            job.state, job.error = JobState.LANDING, None
            if job.part_of and self.error is job.part_of.error:
                self.error = None

    def unload(self) -> None:
        """Let the backend give memory back, after the job that runs now; `notice` or `error` is its answer.

        Callable from any thread.
        """
        client = self._client
        if client and self.phase is Phase.READY:
            self.notice, self.freeing, self.holds_memory = "", True, False
            client.send(messages.Unload())

    def ask_status(self) -> None:
        """Let the backend say what it holds; `cached_bytes` is its answer."""
        if self._client and self.phase is Phase.READY and self._pulse.ask():
            self._client.send(messages.GetStatus())

    def try_again(self) -> None:
        """Close the circuit breaker."""
        if self.phase is Phase.BROKEN:
            self.phase, self.deaths, self.error = Phase.STOPPED, 0, None

    def restart(self) -> None:
        """End the backend at once and start another. The job that it was working on begins again there."""
        if job := self.running:
            job.state, job.progress = JobState.WAITING, None
            job.results.clear()
        if self.phase is not Phase.BROKEN:
            self._drop_backend(kill=True)
            self.phase = Phase.STOPPED
            self.start()

    def close(self) -> None:
        """Cancel every job that goes on and end the backend; kept results stay.

        An error about memory that the backend holds is forgotten: its memory is free now.
        """
        for job in self.jobs:
            if job.live:
                self.cancel(job)
        self.jobs = [job for job in self.jobs if job.holds_results]
        if self.phase is not Phase.BROKEN:
            self.phase = Phase.STOPPED
        if self.holds_memory:
            self.error = None
        self._drop_backend()

    def tick(self) -> bool:
        """Take in what has happened and do what is due; never waits. Returns whether there is something new to show."""
        before = self._shown()
        self._hear_process()
        self._hear_backend()
        self._feel_pulse()
        for job, error in read_on(self.jobs):
            self._end(job, error)
        self._send()
        self._land()
        return self._shown() != before

    def _shown(self) -> tuple[object, ...]:
        jobs = tuple(job.shown for job in self.jobs)
        told = (self.error, self.notice, self.hindrance, self.pause)
        return (self.phase, self.capabilities, self.freeing, self.silent_seconds, self.cached_bytes, told, jobs)

    def _hear_process(self) -> None:
        if self._process is None:
            return
        try:
            event = self._process.events.get_nowait()
        except queue.Empty:
            event = None
        if isinstance(event, Started):
            self._client, self._greeted_at = event.client, time.monotonic()
        elif isinstance(event, NotStarted):
            self._died(event.error or not_started("The backend could not be started."), counts=event.error is None)

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
        if self.phase is Phase.STARTING:
            now = time.monotonic()
            if self._greeted_at and now - self._greeted_at > GREETING_SECONDS:
                self._died(not_started("The backend started, and did not answer."))
            elif not self._greeted_at and now - self._started_at > STARTING_SECONDS:
                self._died(not_started("The backend did not start in time."))

    def _feel_pulse(self) -> None:
        if self.phase is Phase.READY and self._client and (self.running or self.freeing):
            if self._pulse.is_due(time.monotonic()):
                self._client.send(messages.GetStatus())
        else:
            self._pulse.heard()

    def _hear(self, message: messages.ToClient) -> None:
        self._pulse.heard()
        if isinstance(message, Capabilities):
            self.capabilities = message
            self.phase = Phase.READY
            self.learned(message)
            return
        job = self.running
        if isinstance(message, Status) or (isinstance(message, Failure) and not message.job):
            self._hear_of_no_job(message)
        elif job is None or getattr(message, "job", "") != job.sent.job:
            return  # about a job that was cancelled
        elif isinstance(message, Progress):
            job.progress = message
        elif isinstance(message, Preview):
            job.previews.pop(message.product, None)  # the latest one comes last
            job.previews[message.product] = message
        elif isinstance(message, Failure):
            self.deaths = 0
            in_log = message.code in LOGGED_FAILURES
            self._end(job, AddonError(message.sentence, message.advice, in_log=in_log, code=message.code))
        elif isinstance(message, Result):
            job.results.append(message)
            self.deaths = 0
            if message.last:
                self._end(job)

    def _end(self, job: Job, error: AddonError | None = None) -> None:
        """Of a job nothing more is made, of a series of one picture: what there is lands, although the rest failed."""
        if part := job.end(error):
            self.jobs.insert(self.jobs.index(job), part)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        """Let the panel show why a job failed, but in the place of nothing worse: that the backend is given up."""
        if job.error and not job.aside and self.phase is not Phase.BROKEN:
            self.error, self.holds_memory = job.error, False

    def _hear_of_no_job(self, message: Status | Failure) -> None:
        if isinstance(message, Status):
            self.cached_bytes = message.cached_bytes
            if self._pulse.owed:  # those come at once, so that with the last one all memory has been given back
                self._pulse.owed -= 1
            elif self.freeing:
                self.freeing, self.notice = False, FREED
                self._let_go_of_pytorch()
            return
        log.warning("the backend: %s %s", message.sentence, message.advice)
        if message.code == "unload-failed":
            self.freeing, self.holds_memory = False, True
            self.error = AddonError(message.sentence, message.advice, in_log=True)

    def _let_go_of_pytorch(self) -> None:
        """Start a fresh backend: what PyTorch holds, of the graphics card too, ends with the process alone."""
        if self._process and self._process.in_environment and self.running is None:
            self._drop_backend()
            self.phase = Phase.STOPPED
            self.start()

    def _land(self) -> None:
        landing = [job for job in self.jobs if job.state is JobState.LANDING]
        self.hindrance = self.occupied_until() if any(not job.aside for job in landing) else ""
        for job in landing:
            if not (parts_of(job, self.jobs) if isinstance(job, Series) else self.hindrance and not job.aside):
                job.bring()
            if job.state is JobState.FAILED:
                self._tell(job)
            if join(job):
                self.jobs.remove(job)

    def _send(self) -> None:
        waiting = order.next_of(self.jobs)
        given_up = say("you press Try Again") if self.phase is Phase.BROKEN else ""
        self.pause = given_up or (self.paused_until() if self.queue else "")
        if waiting and are_too_many(parts_of(waiting, self.jobs)):
            self.pause = self.pause or self.hindrance
        if waiting is None or waiting.is_reading or self.running is not None or (self.pause and not waiting.aside):
            return
        if self._process and self._process.options.computer != self.options().computer:
            self._drop_backend()
            self.phase, self.capabilities = Phase.STOPPED, None
        self.start()
        if self.phase is Phase.READY and self._client is not None:
            if (error := waiting.begin()) or waiting.results:  # what was made before only lands
                self._end(waiting, error)
            elif not waiting.is_reading:
                waiting.state = JobState.RUNNING
                self._client.send(waiting.sent)

    def _lost(self, reason: str) -> None:
        """The connection is gone: the backend has died, or ended by itself because it had nothing to do."""
        job, self._client = self.running, None
        if job is None and self.phase is Phase.READY:
            log.info("the backend has ended: %s", reason)
            self.phase = Phase.STOPPED
            self._drop_backend()
            return
        computer = self._process.options.computer if self._process else ""
        self._died(ended_in_work(computer) if job else not_started("The backend could not be started."))

    def _died(self, error: AddonError, *, counts: bool = True) -> None:
        self.deaths += counts
        self.phase = Phase.STOPPED
        if self.deaths >= MAX_DEATHS:
            self.phase = Phase.BROKEN
            error = broken(error.code)
        job = self.running or order.next_of(self.jobs)
        if not (job and job.aside) or self.phase is Phase.BROKEN:
            self.error = error
        if job and not (isinstance(job, Series) and job is not self.running and counts):  # no picture is to blame
            self._end(job, error)
        self._drop_backend()

    def _drop_backend(self, *, kill: bool = False) -> None:
        client, process = self._client, self._process
        self._client = self._process = None
        self._pulse, self.cached_bytes = Pulse(), 0
        self.freeing = self.holds_memory = False
        if client:
            client.close()
        if process:
            process.end(0.0 if kill else END_SECONDS)
