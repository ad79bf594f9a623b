# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: a request to the backend, from the click to what comes of it."""

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from ...backend.wire.limits import MAX_SEED
from ...backend.wire.messages import Preview, Progress, Request, Result
from ..errors import AddonError
from ..language.words import say

log = logging.getLogger(__name__)


class JobState(Enum):
    """How far a job is."""

    WAITING = auto()
    RUNNING = auto()
    LANDING = auto()  # its results are here and wait until the scene can take them
    KEPT = auto()  # the scene did not take some of its results; they are kept for another try
    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()


VIEWS = ("views", "normal_views")  # fields of a request, uint8 (N, H, W, 4); all else that is read is an input

LIVE = (JobState.WAITING, JobState.RUNNING, JobState.LANDING)


Refused = list[tuple[Result, AddonError]]  # the results that the scene did not take, and why
Reading = Generator[None, None, Mapping[str, NDArray[np.uint8]]]
Land = Callable[[list[Result]], Refused]


@dataclass(eq=False)
class Job:
    """A request to the backend, from the click to what comes of it: meshes, or a cut-out to look at.

    land: puts results into the scene, or gives them to whoever asked; it holds numbers, never bpy data. previews: the
    thumbnails of what it has made on its way, by product, the latest one last. error: why it failed, or why the scene
    did not take all of its results. landed: the session UIDs of the objects that came of them. aside: nothing in the
    scene changes by it. It goes before meshes that wait and lands in any mode, and whoever asked shows how far it is
    and its error. reading: the steps in which pictures are read that the request has not got yet, until they are; it
    gives them. part_of: the series that it is a picture of, see `Series`, which shows how far it is as long as it is
    live. stopped: the artist wants no more of it than there is. called: its name, if it makes nothing from seeds.
    """

    title: str
    request: Request
    land: Land
    state: JobState = JobState.WAITING
    progress: Progress | None = None
    previews: dict[str, Preview] = field(default_factory=dict[str, Preview])
    results: list[Result] = field(default_factory=list[Result])
    error: AddonError | None = None
    landed: list[int] = field(default_factory=list[int])
    aside: bool = False
    reading: Reading | None = None
    part_of: "Job | None" = None
    stopped: bool = False
    called: str = ""

    @property
    def name(self) -> str:
        """What is made of which picture, for the artist."""
        if self.called:
            return self.called
        if self.request.gives:
            return f"{self.title}, {', '.join(say(name.replace('_', ' ')) for name in self.request.gives)}"
        last = (self.request.seed + self.request.count - 1) % (MAX_SEED + 1)
        if self.request.count == 1:
            return say("{picture}, seed {seed}", picture=self.title, seed=last)
        return say("{picture}, seeds {first} to {last}", picture=self.title, first=self.request.seed, last=last)

    @property
    def preview(self) -> Preview | None:
        """The latest of its thumbnails."""
        return next(reversed(self.previews.values()), None)

    @property
    def is_reading(self) -> bool:
        """Whether it waits for pictures that are being read."""
        return self.reading is not None

    def read_on(self) -> None:
        """Do the next step of reading the request's pictures. Raises `AddonError` if one cannot be read."""
        if self.reading:
            try:
                next(self.reading)
            except StopIteration as end:
                views = {name: end.value[name] for name in VIEWS if name in end.value}
                read = {name: picture for name, picture in end.value.items() if name not in views}
                inputs = {**self.request.inputs, **read}
                self.request, self.reading = replace(self.request, inputs=inputs, **views), None
            except AddonError:
                raise
            except Exception as error:
                log.exception("a picture could not be read")
                sentence = f"The picture of “{self.title}” could not be read."
                raise AddonError(sentence, "Look at Blender's console, and report what it says.") from error

    @property
    def sent(self) -> Request:
        """The request that the backend gets."""
        return self.request

    @property
    def done(self) -> float:
        """How much of it is made, in [0, 1]."""
        return self.progress.done if self.progress else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes about; None while nobody knows."""
        return self.progress.eta_seconds if self.progress else None

    @property
    def live(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in LIVE

    def begin(self) -> AddonError | None:
        """Get ready to be sent; returns why that cannot be."""
        return None

    def end(self, error: AddonError | None = None) -> "Job | None":
        """Nothing more is made of it: land what there is. Returns another job that is to land, if there is one.

        error: why that is not all.
        """
        self.state, self.error = JobState.FAILED if error and not self.results else JobState.LANDING, error
        self.reading = None

    def drop(self) -> None:
        """Let go of it: of what it has made, and of what it has read on its way."""
        self.state, self.reading = JobState.CANCELLED, None
        self.results.clear()

    def bring(self) -> None:
        """Offer the scene what there is, and keep what it refuses."""
        refused = self.land(self.results)
        self.results = [result for result, _ in refused]
        if refused:
            self.state, self.error = JobState.KEPT, not_landed(refused)
        else:
            self.state = JobState.FAILED if self.error else JobState.DONE

    @property
    def needs_no_backend(self) -> bool:
        """Whether its next step is one of Blender's."""
        return self.state is JobState.LANDING or (self.live and self.is_reading)

    @property
    def shown(self) -> tuple[object, ...]:
        """What an artist may see of it: the panels are drawn again if it is another."""
        return (id(self), self.state, self.progress, id(self.preview), len(self.results), self.is_reading)

    @property
    def holds_results(self) -> bool:
        """Whether it has results that are not in the scene, so that it must not be forgotten."""
        return self.live or self.state is JobState.KEPT

    @property
    def is_finished(self) -> bool:
        """Whether all that will be made of it is made, and some of that is not in the scene."""
        return self.state in (JobState.LANDING, JobState.KEPT) and bool(self.results)

    @property
    def is_shown(self) -> bool:
        """Whether the panel has a box or a line for it."""
        is_shown_for_it = self.part_of and self.part_of.live and self.live
        return self.holds_results and not self.aside and not is_shown_for_it


def not_landed(refused: Refused) -> AddonError:
    """Of which seeds the results are not in the scene, and why; the first reason stands for all."""
    seeds = ", ".join(str(result.seed) for result, _ in refused)
    first = refused[0][1]
    if len(refused) == 1:
        sentence = f"The result of the seed {seeds} could not be put into the scene. {first.sentence}"
    else:
        sentence = f"The results of the seeds {seeds} could not be put into the scene. {first.sentence}"
    return AddonError(sentence, first.advice)


def read_on(jobs: Iterable[Job]) -> list[tuple[Job, AddonError]]:
    """Go on with the pictures of jobs that wait, and return those that cannot be read, with the reason.

    All go on, since a picture is meant as it is at the click.
    """
    failed: list[tuple[Job, AddonError]] = []
    for job in jobs:
        if job.state is JobState.WAITING:
            try:
                job.read_on()
            except AddonError as error:
                failed.append((job, error.anew()))
    return failed
