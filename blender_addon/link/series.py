# SPDX-License-Identifier: GPL-3.0-or-later
"""Many pictures as one job. They are read and made one after the other, and what is made of each lands by itself.

Each picture has its turn: it is read, and a job for it alone, which no queue sees, says what the backend gets. When the
turn has ended that job, a part of the series, brings the results into the scene as any other would: it waits until
the scene takes them, and keeps what the scene refuses. The series goes on meanwhile. A picture that fails is left out.

What is made is kept on the disk as well, see `saved_jobs`: a series that is paused ends, and so does one whose Blender
ends, and another one goes on with it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...backend.wire.limits import seeds_from
from ...backend.wire.messages import Request, Result
from ..errors import AddonError
from ..language.words import say
from .job import Job, JobState
from .saved_jobs import SavedJob

AHEAD_BYTES = 1 << 30  # of pictures whose results wait for the scene; the next one is not begun before some have landed
NAMED = 8  # so many pictures that failed are named
LOOK = "Look at these pictures."
MACHINE = ("engine-missing", "unknown-engine", "library-missing")  # codes that say nothing of a picture, as in batches


@dataclass(eq=False)
class Series(Job):
    """See the module. It has the request that all pictures share, without a picture.

    names: what the artist knows the pictures by, in order. read: called with a picture's place in them when its turn
    comes, returns the job for it alone, which may still have to read it. Of those that had their turn: at: how many
    they are; made: how many have all results; failed: why others lack some; seconds: how long they took. turn: what
    `read` returned for the picture that is being made. kept: the parts that the scene has refused.

    before: how many other pictures of the same job are in the scene already. saved: the job on the disk, in which
    `numbers` are those of the pictures. paused: the artist wants it to end with the picture that is being made. halted:
    why none can be made at all now, as when an engine is missing: then it has ended, and no picture has failed by that.
    """

    names: Sequence[str] = ()
    read: Callable[[int], Job] | None = None
    at: int = 0
    made: int = 0
    failed: list[tuple[str, AddonError]] = field(default_factory=list[tuple[str, AddonError]])
    seconds: float = 0.0
    turn: Job | None = None
    kept: list[Job] = field(default_factory=list[Job])
    before: int = 0
    saved: SavedJob | None = None
    numbers: Sequence[int] = ()
    paused: bool = False
    halted: AddonError | None = None

    @property
    def name(self) -> str:
        """Which picture it is at, or how many it has before the first and after the last."""
        if self.live and (self.turn or (self.at and self.goes_on)):
            place = say("{done} of {of}", done=self.before + self.at + 1, of=self.whole)
            return f"{place}: {self.names[self.at]}"
        return f"{self.title}, {counted(self.whole)}"

    @property
    def whole(self) -> int:
        """How many pictures there are, with those that are in the scene already."""
        return self.before + len(self.names)

    @property
    def sent(self) -> Request:
        """The request for the picture whose turn it is."""
        return self.turn.request if self.turn else self.request

    @property
    def done(self) -> float:
        """How much of all pictures is made, in [0, 1]."""
        return (self.before + self.at + super().done) / self.whole

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes about, if each picture takes as long as those before; None while nobody knows."""
        left = super().seconds_left
        if left is None or not (self.made or self.at + 1 == len(self.names)):
            return None
        return left + (len(self.names) - self.at - 1) * self.seconds / max(self.at, 1)

    @property
    def goes_on(self) -> bool:
        """Whether a picture waits for its turn."""
        return self.at < len(self.names) and not self.stopped and not self.paused

    @property
    def shown(self) -> tuple[object, ...]:
        """What an artist may see of it."""
        return (*super().shown, self.at, self.paused)

    @property
    def is_reading(self) -> bool:
        """Whether the picture whose turn it is is being read."""
        return self.turn is not None and self.turn.is_reading

    def read_on(self) -> None:
        """Do the next step of reading that picture. Raises `AddonError` if it cannot be read."""
        if self.turn:
            self.turn.read_on()

    def begin(self) -> AddonError | None:
        """Let the next picture have its turn, if none has it; returns why it cannot be made.

        `results` are there then if the picture was made before.
        """
        try:
            if self.turn is None and self.read:
                self.turn = self.read(self.at)
                self.read_on()
        except AddonError as error:
            return error.anew()
        if self.saved and self.turn and not self.turn.is_reading:
            self.results = self._made_before(self.saved, self.turn.request)
        return None

    def _made_before(self, saved: SavedJob, request: Request) -> list[Result]:
        """What the disk has of the picture whose turn it is; [] if that is not all, or of another picture."""
        known = {result.seed: result for result in saved.results_of(self.numbers[self.at])}
        seeds = seeds_from(request.seed, request.count)
        results = [known[seed] for seed in seeds if seed in known]
        if len(results) < len(seeds):
            return []
        content = hashlib.sha256(np.ascontiguousarray(request.inputs["picture"])).hexdigest()
        recipes = (result.recipe.get("inputs", {}) for result in results)
        return [] if any(inputs.get("picture", content) != content for inputs in recipes) else results

    def end(self, error: AddonError | None = None) -> Job | None:
        """Go on to the next picture, or come to the end. Returns the part that is to land, if there are results.

        An error before a picture has its turn, or one that says nothing of it, halts the series.
        """
        part, results = self.turn, self.results
        if error and (part is None or error.code in MACHINE):  # every other picture would fail as well
            self.halted = error
            self.results, self.previews, self.progress = [], {}, None
            self._rest()
            return None
        if error:
            self.failed.append((self.names[self.at], error))
        if self.saved and error:  # also if some of its results are there: Go On makes the others
            self.saved.fail(self.numbers[self.at], error)
        elif self.saved and self.state is JobState.RUNNING and results:
            self.saved.keep(self.numbers[self.at], results)
        self.at += 1
        self.made += bool(results and not error)
        self.seconds += sum(sum(result.seconds.values()) for result in results)
        if part and results:
            part.state, part.results, part.previews, part.part_of = JobState.LANDING, results, self.previews, self
        self.turn, self.results, self.previews, self.progress = None, [], {}, None
        self.state = JobState.WAITING
        if not self.goes_on:
            self._rest()
        return part if results else None

    def pause(self) -> None:
        """Come to the end with the picture that is being made, if one is."""
        self.paused = True
        if self.state is JobState.WAITING:
            self._rest()

    def _rest(self) -> None:
        """Come to the end, but for what has still to land."""
        self.state, self.turn, self.error = JobState.LANDING, None, _left_out(self)
        self._let_go()

    def _let_go(self) -> None:
        """Nothing more is made of it here: another Blender may go on with it, unless the artist wants no more."""
        if self.saved and self.stopped:
            self.saved.forget()
        elif self.saved:
            self.saved.release()

    def bring(self) -> None:
        """Come to the end when its parts have, and say what the scene has refused of them as well."""
        self.error = _left_out(self)
        super().bring()

    def drop(self) -> None:
        """Let go of it, and of the picture whose turn it is."""
        super().drop()
        self.turn = None
        self._let_go()


def counted(pictures: int) -> str:
    """A number of pictures in words."""
    return say("1 picture") if pictures == 1 else say("{count} pictures", count=pictures)


def parts_of(series: Job, jobs: Sequence[Job]) -> list[Job]:
    """The jobs that are on their way into the scene as parts of a series."""
    return [job for job in jobs if job.part_of is series and job.live]


def is_on_disk(job: Job) -> bool:
    """Whether what a job has made is kept on the disk, as a part of a series."""
    return isinstance(job.part_of, Series) and job.part_of.saved is not None


def join(part: Job) -> bool:
    """Tell a series what has become of a part of it; returns whether the part may go, since it holds a picture."""
    series = part.part_of
    if not isinstance(series, Series) or part.live:
        return False
    series.kept = [other for other in series.kept if other is not part]
    if part.holds_results:
        series.kept.append(part)
        return False
    series.landed += part.landed
    return True


def are_too_many(parts: Sequence[Job]) -> bool:
    """Whether so much waits for the scene already that the memory may not bear more."""
    return sum(picture.nbytes for part in parts for picture in part.request.inputs.values()) > AHEAD_BYTES


def _left_out(series: Series) -> AddonError | None:
    """Which pictures are not in the scene, and why: those with the same reason together, as far as one would read it.

    None if all are there that are wanted, and while the job is paused. Of those that are left out one more is named, or
    several are counted. If the job was halted, the reason for that is enough.
    """
    if series.halted:
        return series.halted
    if series.paused and series.at < len(series.names):
        return None
    failed = [*series.failed, *((part.title, part.error) for part in series.kept if part.error)]
    if not failed:
        return None
    named = failed if len(failed) == NAMED + 1 else failed[:NAMED]
    reasons: dict[str, list[str]] = {}
    for name, error in named:
        reasons.setdefault(error.sentence, []).append(name)
    told = [f"{', '.join(f'“{name}”' for name in names)} failed: {reason}" for reason, names in reasons.items()]
    if len(failed) > len(named):
        told.append(f"{len(failed) - len(named)} more were left out.")
    advices = {error.advice for _, error in failed}
    made = series.before + series.made - len(series.kept)
    sentence = f"{made} of {series.whole} pictures are made. {' '.join(told)}"
    if series.whole == 1:
        sentence = f"The picture was left out. {' '.join(told)}"
    in_log = any(error.in_log for _, error in failed)
    return AddonError(sentence, advices.pop() if len(advices) == 1 else LOOK, in_log=in_log)
