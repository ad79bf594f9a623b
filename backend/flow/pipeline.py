# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to its products: an engine's stages in order, with their cache, their progress and their cancellation.

A stage's product is kept under the hash of everything it depends on: the keys of what it takes and the settings it
uses. So a new seed starts at the first stage that uses the seed, an edited normal map at the first stage behind the
normals, and no rule says so anywhere else. Several seeds are several lanes: they part as soon as their keys do.

No stage and no product is known here by name.
"""

import contextlib
import dataclasses
import hashlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from ..errors import UserError
from ..version import VERSION
from .aside import Aside
from .cache import ResultCache
from .clock import Clock, Kind
from .engine import Engine, why_missing
from .products import Picture, Report, unwrapped
from .request import Request
from .settings import Settings, checked, versions_used
from .stage import Stage

CACHE_BYTES = 512 << 20


@dataclass(frozen=True)
class Progress:
    """How far a job is: step `step` of `of` in `stage`, which is number `index` (from 0) of `count`.

    A stage that runs once for every seed counts as often. eta_seconds: what is left of the whole job.
    """

    stage: Stage
    index: int
    count: int
    step: int
    of: int
    eta_seconds: float | None

    @property
    def done(self) -> float:
        """How much of the job is done, in [0, 1]."""
        return (self.index + self.step / max(self.of, 1)) / max(self.count, 1)


class Watcher(Protocol):
    """Whoever follows a job. Both methods may raise `Cancelled`, which ends it."""

    def progressed(self, progress: Progress) -> None:
        """Called between the steps of every stage."""
        ...

    def made(self, name: str, product: object) -> None:
        """Called once for every stage, with the product that it makes and its name, also if it came from the cache."""
        ...


@dataclass(frozen=True)
class Outcome:
    """Everything that a request led to for one seed.

    products: what the engine gives, by name, in the engine's order. notes: sentences for the artist on how they were
    made. seconds: by stage, of those that ran; with several seeds, what was done for all is in the first one's seconds,
    and what was done in one go is shared out in equal parts. recipe: what is needed to make the same again.
    """

    seed: int
    products: Mapping[str, Any]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    recipe: Mapping[str, Any]


class Pipeline:
    """Runs requests one at a time and remembers their products and how long their stages took."""

    def __init__(self, engines: Mapping[str, Engine], cache_bytes: int = CACHE_BYTES) -> None:
        self.engines = engines
        self._cache = ResultCache(cache_bytes)
        self._durations: dict[Kind, float] = {}

    @property
    def cached_bytes(self) -> int:
        """The memory of cached products."""
        return self._cache.nbytes

    def keep_at_most(self, cache_bytes: int) -> None:
        """Keep products of that many bytes at most, from the next one on."""
        self._cache.capacity = cache_bytes

    def unload(self) -> None:
        """Forget cached products, and let every engine give back the memory that it holds.

        Raises what an engine raises, after all have been asked.
        """
        self._cache.clear()
        with contextlib.ExitStack() as engines:
            for engine in self.engines.values():
                engines.callback(engine.unload)

    def run(self, request: Request, watcher: Watcher, gives: Collection[str] | None = None) -> Iterator[Outcome]:
        """Make the request's products for each of its seeds, in order, and yield each seed's as soon as they are there.

        gives: the names of the products that are wanted; those that the engine gives if None. Stages behind the last
        of them do not run. What no seed changes is done once. Stages that can do several seeds in one go do so; behind
        the last of these the first seed is finished, then the second. Every product is the one that its seed alone
        leads to, as far as the engine's `run_many` does what its `run` does.

        Raises `UserError`, and whatever `watcher` raises.
        """
        engine = self._engine(request.engine)
        request = replace(request, settings=checked(engine.label, engine.settings, request.settings))
        names = engine.chosen(gives)
        steps = _steps(engine.stages_for(request.given, request.settings), names, request.given)
        versions = versions_used(engine.versions(), request.settings)
        hashes = {name: input_hash(value) for name, value in request.given.items()}
        lanes = [_lane(engine.name, versions, steps, request, hashes, seed) for seed in request.seeds]
        for lane, made, seconds in self._run_lanes(engine, steps, lanes, request, watcher):
            products = {name: made[lane.last[name]].product for name in names if name in lane.last}
            for name, product in products.items():
                if not isinstance(product, engine.offers[name]):
                    raise TypeError(f"{engine.name} gave {type(product).__name__} as {name}")
            notes = [note for name in products for note in made[lane.last[name]].notes]
            recipe = {
                "inputs": hashes,
                "engine": engine.name,
                "versions": versions,
                "version": VERSION,
                "seed": lane.seed,
                "settings": dict(request.settings),
            }
            yield Outcome(lane.seed, products, tuple(dict.fromkeys(notes)), seconds, recipe)

    def _engine(self, name: str) -> Engine:
        engine = self.engines.get(name)
        if engine is None:
            known = ", ".join(self.engines)
            raise UserError("unknown-engine", f"There is no engine “{name:.60}”.", f"Choose one of: {known}.")
        if missing := why_missing(engine):
            raise UserError("engine-missing", f"The engine “{engine.label}” cannot run here. {missing}", engine.set_up)
        return engine

    def _run_lanes(
        self, engine: Engine, steps: "list[_Step]", lanes: "list[_Lane]", request: Request, watcher: Watcher
    ) -> Iterator[tuple["_Lane", dict[str, "_Made"], dict[str, float]]]:
        """Every lane with what was made for it, by key, and the seconds of the stages that ran for it first."""
        made = {lanes[0].keys[name]: _Made(value) for name, value in request.given.items()}
        made |= self._cached(lanes)
        tasks = _tasks(steps, lanes, made.keys())
        kinds = _kinds(engine, steps, request.settings)
        plan = [(kinds[task.step.stage.name], len(task.todo)) for task in tasks]
        new = {
            task.step.stage.name for task in tasks if task.todo and kinds[task.step.stage.name] not in self._durations
        }
        guesses = {kinds[name]: engine.seconds(name, request.settings, request.given) for name in new}
        clock = Clock(self._durations, plan, {kind: guess for kind, guess in guesses.items() if guess is not None})
        seconds: dict[str, float] = {}
        done: set[str] = set()
        waiting = deque(lanes)
        with Aside[list[_Made]]() as aside:
            for index, task in enumerate(tasks):
                stage = task.step.stage
                if task.todo:
                    clock.begin()
                    report = _reporter(watcher, clock, tasks, index)
                    report(0, 1)
                    for number in _ready(tasks, index + 1, made.keys()):
                        if number not in aside:
                            aside.begin(number, partial(_run, tasks[number], made))
                    results = aside.result(index, report) if index in aside else _run(task, made, report)
                    took = clock.end(index)
                    new_made = {lane.keys[stage.name]: each for lane, each in zip(task.todo, results, strict=True)}
                    made = {**made, **new_made}  # what runs aside reads the old one
                    seconds |= dict.fromkeys(new_made, took)
                    for key, result in new_made.items():
                        self._cache.put(key, result)
                for lane in task.lanes:
                    done.add(lane.keys[stage.name])
                    watcher.made(stage.makes, made[lane.keys[stage.name]].product)
                while waiting and done.issuperset(waiting[0].last.values()):
                    lane = waiting.popleft()
                    yield lane, made, {name: seconds.pop(key) for name, key in lane.keys.items() if key in seconds}
                    kept = {key for other in waiting for key in other.keys.values()}
                    made = {key: result for key, result in made.items() if key in kept}

    def _cached(self, lanes: "list[_Lane]") -> "dict[str, _Made]":
        keys = dict.fromkeys(key for lane in lanes for key in lane.keys.values())
        return {key: result for key in keys if (result := self._cache.get(key)) is not None}


@dataclass(frozen=True)
class _Made:
    """A product, or an input, and the notes on how it and what it was made from came about."""

    product: Any
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Step:
    """A stage, the names of the stages and inputs that make what it takes, and the products of which it is the last.

    sources: of all that it takes, what it takes by keyword last; those are the names in `also`.
    """

    stage: Stage
    sources: tuple[str, ...]
    gives: tuple[str, ...]
    also: tuple[str, ...]


@dataclass(frozen=True)
class _Lane:
    """One seed's way through the stages.

    inputs: the settings and the seed. keys: by the name of every stage and input. last: by the name of every product
    that is wanted, the key of the stage that makes it last.
    """

    inputs: Settings
    keys: Mapping[str, str]
    last: Mapping[str, str]

    @property
    def seed(self) -> int:
        return int(self.inputs["seed"])


@dataclass(frozen=True)
class _Task:
    """A step, and whose product it makes, one lane a product; `todo` are the lanes whose product is not there yet."""

    step: _Step
    lanes: list[_Lane]
    todo: list[_Lane]


def _steps(stages: tuple[Stage, ...], gives: list[str], inputs: Collection[str]) -> list[_Step]:
    """The stages up to the last that is wanted, each with where it takes its inputs and products from."""
    last = {stage.makes: stage.name for stage in stages}
    source: dict[str, str] = {}
    steps: list[_Step] = []
    for stage in stages:
        also = tuple(name for name in stage.also if name in source or name in inputs)
        sources = tuple(source.get(name, name) for name in (*stage.takes, *also))
        own = tuple(name for name in gives if last.get(name) == stage.name)
        steps.append(_Step(stage, sources, own, also))
        source[stage.makes] = stage.name
    while steps and not steps[-1].gives:
        steps.pop()
    return steps


def _lane(
    engine: str, versions: Mapping[str, str], steps: list[_Step], request: Request, hashes: Mapping[str, str], seed: int
) -> _Lane:
    inputs = {**request.settings, "seed": seed}
    keys = {name: f"{np.shape(value)} {hashes[name]}" for name, value in request.given.items()}
    for step in steps:
        used = sorted((name, inputs[name]) for name in step.stage.uses)
        depends = (
            VERSION,
            engine,
            sorted(versions.items()),
            step.stage.name,
            [keys[name] for name in step.sources],
            step.also,
            used,
        )
        keys[step.stage.name] = hashlib.sha256(repr(depends).encode()).hexdigest()
    return _Lane(inputs, keys, {name: keys[step.stage.name] for step in steps for name in step.gives})


def _tasks(steps: list[_Step], lanes: list[_Lane], there: Collection[str]) -> list[_Task]:
    """What is to be done, in order: step by step up to the last that does several lanes in one go, then by lanes."""
    joint = 0
    if len(lanes) > 1:
        joint = max((number for number, step in enumerate(steps, 1) if step.stage.run_many), default=0)
    order = [
        (step, some)
        for step in steps[:joint]
        for some in ([lanes] if step.stage.run_many else [[lane] for lane in lanes])
    ]
    order += [(step, [lane]) for lane in lanes for step in steps[joint:]]
    wanted = {key for lane in lanes for key in _wanted(steps, lane, there)}
    tasks: list[_Task] = []
    for step, some in order:
        own: list[_Lane] = []
        for lane in some:
            if lane.keys[step.stage.name] in wanted:
                wanted.remove(lane.keys[step.stage.name])  # the first lane stands for all that share the product
                own.append(lane)
        if own:
            tasks.append(_Task(step, own, [lane for lane in own if lane.keys[step.stage.name] not in there]))
    return tasks


def _ready(tasks: list[_Task], first: int, there: Collection[str]) -> list[int]:
    """The numbers of tasks, from `first` on, that may run beside others and for which all that they take is there."""
    return [
        number
        for number, task in enumerate(tasks[first:], first)
        if task.step.stage.beside
        and task.todo
        and all(lane.keys[name] in there for lane in task.todo for name in task.step.sources)
    ]


def _wanted(steps: list[_Step], lane: _Lane, there: Collection[str]) -> set[str]:
    """The keys of what the lane is to lead to and of what is needed for it, and of what is there already."""
    names = {step.stage.name for step in steps if step.gives}
    for step in reversed(steps):
        if step.stage.name in names and lane.keys[step.stage.name] not in there:
            names.update(step.sources)
    return {
        lane.keys[step.stage.name] for step in steps if step.stage.name in names or lane.keys[step.stage.name] in there
    }


def _kinds(engine: Engine, steps: list[_Step], settings: Settings) -> dict[str, Kind]:
    """By stage, what decides how long it takes: the settings that it depends on, through whatever other stage."""
    kinds: dict[str, Kind] = {}
    reach: dict[str, set[str]] = {}
    for step in steps:
        name = step.stage.name
        reach[name] = {*step.stage.uses}.union(*(reach.get(source, set()) for source in step.sources)) - {"seed"}
        values = [settings[used] for used in sorted(reach[name])]
        kinds[name] = (engine.name, step.stage.label, repr((values, step.also) if step.also else values))
    return kinds


def input_hash(value: Any) -> str:  # noqa: ANN401 - a picture, or a mesh or a camera
    """SHA-256 of an input, as 64 hexadecimal digits: a picture's pixels, or the fields of anything else."""
    if isinstance(value, np.ndarray):
        return picture_hash(value)
    digest = hashlib.sha256()
    for item in dataclasses.fields(value):
        part = getattr(value, item.name)
        digest.update(repr((item.name, np.shape(part) if isinstance(part, np.ndarray) else part)).encode())
        if isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def picture_hash(pixels: Picture) -> str:
    """SHA-256 over a picture's pixels in C order, as 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def _reporter(watcher: Watcher, clock: Clock, tasks: list[_Task], index: int) -> Report:
    def report(step: int, of: int) -> None:
        eta = clock.remaining(index, step, of)
        watcher.progressed(Progress(tasks[index].step.stage, index, len(tasks), step, of, eta))

    return report


def _run(task: _Task, made: Mapping[str, _Made], report: Report) -> list[_Made]:
    """A product for each lane that has none."""
    stage, lanes = task.step.stage, task.todo
    sources = [[made[lane.keys[name]] for name in task.step.sources] for lane in lanes]
    taken = [[source.product for source in each] for each in zip(*sources, strict=True)]
    first_also = len(stage.takes)
    also = dict(zip(task.step.also, taken[first_also:], strict=True))
    taken = taken[:first_also]
    used: dict[str, Any] = {name: lanes[0].inputs[name] for name in stage.uses}
    try:
        if stage.run_many is None or len(lanes) == 1:
            used |= {name: each for name, (each,) in also.items()}
            results = [stage.run(*(each for (each,) in taken), **used, report=report)]
        else:
            if "seed" in used:
                del used["seed"]
                used["seeds"] = [lane.seed for lane in lanes]
            results = stage.run_many(*taken, **used, **also, report=report)
    except MemoryError as error:
        sentence = f"The memory was not enough while {stage.label.lower()}."
        raise UserError("out-of-memory", sentence, "Close other programs, or choose a lower resolution.") from error
    return [_noted(result, each) for result, each in zip(results, sources, strict=True)]


def _noted(result: object, sources: list[_Made]) -> _Made:
    """What a stage has returned, with its notes behind those of what it took."""
    product, own = unwrapped(result)
    return _Made(product, tuple(dict.fromkeys([*(note for source in sources for note in source.notes), *own])))
