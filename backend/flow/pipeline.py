# SPDX-License-Identifier: GPL-3.0-or-later
"""From a picture to a mesh: an engine's stages in order, with their cache, their progress and their cancellation.

A stage's result is kept under the hash of everything it depends on: the keys of the results it takes and the settings
it uses. So a new seed starts at the first stage that uses the seed, an edited normal map at the first stage after
the normals, and no rule says so anywhere else. Several seeds are several lanes: they part where their keys do.
"""

import hashlib
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from ..errors import UserError
from ..normals.image import from_picture
from ..version import VERSION
from .cache import ResultCache
from .engine import Engine, Stage
from .products import Cutout, Mesh, NormalMap, Picture, Report

SET_UP = (
    "Set it up in the extension's preferences, or by `python -m backend install` and then "
    "`python -m backend weights download`."
)

Settings = Mapping[str, bool | int | float | str]

CACHE_BYTES = 512 << 20
OWN_NORMALS = Stage("normals", "Reading your normal map", ("foreground", "normal_map"), (), from_picture)


@dataclass(frozen=True)
class Request:
    """What a mesh is made from.

    picture: uint8 (H, W, 4). seed: [0, 2**31). normal_map: uint8 (H, W, 4), the artist's own in place of the
    estimated one, showing the same view as the picture.
    """

    picture: Picture
    engine: str = "draft"
    seed: int = 0
    settings: Settings = field(default_factory=dict[str, bool | int | float | str])
    normal_map: Picture | None = None


@dataclass(frozen=True)
class Moment:
    """How far a job is: step `step` of `of` in `stage`, which is number `index` (from 0) of `count`.

    A stage that is walked once for every seed counts as often.
    """

    stage: Stage
    index: int
    count: int
    step: int
    of: int
    eta_seconds: float | None


class Watcher(Protocol):
    """Whoever follows a job. Both methods may raise `Cancelled`, which ends it."""

    def moment(self, moment: Moment) -> None:
        """Called between the steps of every stage."""
        ...

    def made(self, stage: str, result: object) -> None:
        """Called once with every result of a stage, also where it came from the cache."""
        ...


@dataclass(frozen=True)
class Outcome:
    """Everything a request led to, for one seed.

    `seconds` holds the stages that ran, `recipe` what is needed to do it again. With several seeds, what was done for
    all is in the first one's seconds, and what was done in one go is shared out in equal parts.
    """

    cutout: Cutout
    normal_map: NormalMap
    mesh: Mesh
    seconds: Mapping[str, float]
    recipe: Mapping[str, Any]


class Pipeline:
    """Runs requests one at a time and remembers their stages' results and durations."""

    def __init__(self, engines: Mapping[str, Engine], cache_bytes: int = CACHE_BYTES) -> None:
        self.engines = engines
        self._cache = ResultCache(cache_bytes)
        self._durations: dict[_Kind, float] = {}

    @property
    def cached_bytes(self) -> int:
        """The memory of cached results."""
        return self._cache.nbytes

    def unload(self) -> None:
        """Forget cached results, and let every engine give back the memory that it holds."""
        self._cache.clear()
        for engine in self.engines.values():
            engine.unload()

    def run(self, request: Request, watcher: Watcher) -> Outcome:
        """Make the mesh of the request's own seed. Raises `UserError`, and whatever `watcher` raises."""
        return next(self.run_seeds(request, [request.seed], watcher))

    def run_seeds(self, request: Request, seeds: Sequence[int], watcher: Watcher) -> Iterator[Outcome]:
        """Make a mesh of each of `seeds`, in this order, and yield it as soon as it is there.

        What no seed changes is done once. Stages that can do several seeds in one go do so; behind the last of these
        the first seed's mesh is finished, then the second's. Every mesh is the one that `run` makes of its seed alone,
        as far as the engine's `run_many` does what its `run` does. Raises as `run` does.
        """
        engine, request = self._prepare(request)
        for seed, results, seconds in self._walk(engine, _stages(engine, request), request, seeds, watcher):
            yield Outcome(
                cutout=results["foreground"],
                normal_map=results["normals"],
                mesh=results["finish"],
                seconds=seconds,
                recipe=_recipe(request, seed),
            )

    def normals(self, request: Request, watcher: Watcher) -> tuple[Cutout, NormalMap]:
        """Go no further than the normal map. Raises as `run` does."""
        engine, request = self._prepare(request)
        stages = _stages(engine, request)
        last = [stage.name for stage in stages].index("normals")
        _, results, _ = next(self._walk(engine, stages[: last + 1], request, [request.seed], watcher))
        return results["foreground"], results["normals"]

    def _prepare(self, request: Request) -> tuple[Engine, Request]:
        """The engine, and the request with all of the engine's settings."""
        engine = self.engines.get(request.engine)
        if engine is None:
            known = ", ".join(self.engines)
            raise UserError("unknown-engine", f"There is no engine “{request.engine:.60}”.", f"Choose one of: {known}.")
        if missing := engine.missing():
            raise UserError("engine-missing", f"The engine “{engine.label}” cannot run here. {missing}", SET_UP)
        return engine, replace(request, settings=engine.checked(request.settings))

    def _walk(
        self, engine: Engine, stages: tuple[Stage, ...], request: Request, seeds: Sequence[int], watcher: Watcher
    ) -> Iterator[tuple[int, dict[str, Any], dict[str, float]]]:
        """Every seed with its stages' results, and the seconds of those that ran and were not told of before."""
        pictures = {"picture": request.picture, "normal_map": request.normal_map}
        given = {name: pixels for name, pixels in pictures.items() if pixels is not None}
        names = {name: f"{pixels.shape} {picture_hash(pixels)}" for name, pixels in given.items()}
        lanes = [_lane(engine, stages, names, {**request.settings, "seed": seed}) for seed in seeds]
        results: dict[str, Any] = {names[name]: pixels for name, pixels in given.items()}
        results |= self._cached(lanes)
        tasks = _tasks(stages, lanes, results.keys())
        kinds = _kinds(engine, stages, request.settings)
        clock = _Clock(self._durations, kinds, tasks, self._guesses(engine, kinds, request.settings, tasks))
        seconds: dict[str, float] = {}
        told: set[str] = set()
        waiting = deque(lanes)
        for index, task in enumerate(tasks):
            if task.todo:
                clock.begin()
                made = _run(task, results, _reporter(watcher, clock, tasks, index))
                took = clock.end(index)
                for lane, result in zip(task.todo, made, strict=True):
                    key = lane.keys[task.stage.name]
                    results[key], seconds[key] = result, took
                    self._cache.put(key, result)
            for lane in task.lanes:
                told.add(lane.keys[task.stage.name])
                watcher.made(task.stage.name, results[lane.keys[task.stage.name]])
            while waiting and waiting[0].keys[stages[-1].name] in told:
                lane = waiting.popleft()
                own = {name: seconds.pop(key) for name, key in lane.keys.items() if key in seconds}
                yield lane.seed, {name: results[key] for name, key in lane.keys.items() if key in results}, own
                kept = {key for other in waiting for key in other.keys.values()}
                results = {key: result for key, result in results.items() if key in kept}

    def _guesses(
        self, engine: Engine, kinds: Mapping[str, "_Kind"], settings: Settings, tasks: list["_Task"]
    ) -> dict["_Kind", float]:
        """The engine's own guess for each stage that has never run."""
        new = {task.stage.name for task in tasks if task.todo and kinds[task.stage.name] not in self._durations}
        guesses = {kinds[name]: engine.seconds(name, settings) for name in new}
        return {kind: seconds for kind, seconds in guesses.items() if seconds is not None}

    def _cached(self, lanes: list["_Lane"]) -> dict[str, Any]:
        keys = dict.fromkeys(key for lane in lanes for key in lane.keys.values())
        return {key: result for key in keys if (result := self._cache.get(key)) is not None}


@dataclass(frozen=True)
class _Lane:
    """One seed's way through the stages: what they may use, and the key of every result and picture by its name."""

    inputs: Settings
    keys: Mapping[str, str]

    @property
    def seed(self) -> int:
        return int(self.inputs["seed"])


@dataclass(frozen=True)
class _Task:
    """A stage, and whose result it is, one lane a result; `todo` are the lanes whose result is not there yet."""

    stage: Stage
    lanes: list[_Lane]
    todo: list[_Lane]


def _lane(engine: Engine, stages: tuple[Stage, ...], pictures: Mapping[str, str], inputs: Settings) -> _Lane:
    keys = dict(pictures)
    for stage in stages:
        used = {name: inputs[name] for name in stage.uses}
        keys[stage.name] = _key(engine.name, stage.name, [keys[name] for name in stage.takes], used)
    return _Lane(inputs, keys)


def _tasks(stages: tuple[Stage, ...], lanes: list[_Lane], there: Collection[str]) -> list[_Task]:
    """What is to be done, in order: stage by stage up to the last that does several lanes in one go, then by lanes."""
    joint = 0
    if len(lanes) > 1:
        joint = max((number for number, stage in enumerate(stages, 1) if stage.run_many), default=0)
    plan = [
        (stage, some) for stage in stages[:joint] for some in ([lanes] if stage.run_many else [[one] for one in lanes])
    ]
    plan += [(stage, [lane]) for lane in lanes for stage in stages[joint:]]
    wanted = {key for lane in lanes for key in _wanted(stages, lane, there)}
    tasks: list[_Task] = []
    for stage, some in plan:
        own: list[_Lane] = []
        for lane in some:
            if lane.keys[stage.name] in wanted:
                wanted.remove(lane.keys[stage.name])  # the first lane stands for all that share the result
                own.append(lane)
        if own:
            tasks.append(_Task(stage, own, [lane for lane in own if lane.keys[stage.name] not in there]))
    return tasks


def _wanted(stages: tuple[Stage, ...], lane: _Lane, there: Collection[str]) -> set[str]:
    """The keys of the lane's results, but for those that are gone and that nothing asks for any more."""
    names = {"foreground", "normals", stages[-1].name}
    for stage in reversed(stages):
        if stage.name in names and lane.keys[stage.name] not in there:
            names.update(stage.takes)
    return {lane.keys[stage.name] for stage in stages if stage.name in names or lane.keys[stage.name] in there}


_Kind = tuple[str, str, str]


class _Clock:
    """Times the tasks of one run and estimates, from what this machine measured before, what is left of it.

    Where nothing was measured the `guesses` stand.
    """

    def __init__(
        self,
        durations: dict[_Kind, float],
        kinds: Mapping[str, _Kind],
        tasks: list[_Task],
        guesses: Mapping[_Kind, float],
    ) -> None:
        self._durations = durations  # of one lane, in seconds
        self._guesses = guesses
        self._tasks = [(kinds[task.stage.name], len(task.todo)) for task in tasks]
        self._started = time.monotonic()

    def begin(self) -> None:
        self._started = time.monotonic()

    def end(self, index: int) -> float:
        """The seconds that every lane of the task has taken."""
        kind, lanes = self._tasks[index]
        self._durations[kind] = seconds = (time.monotonic() - self._started) / lanes
        return seconds

    def remaining(self, index: int, step: int, of: int) -> float | None:
        """Seconds to the end of the last task; None while nothing is known of a task ahead."""
        ahead = [lanes and self._lasts(kind, lanes) for kind, lanes in self._tasks[index + 1 :]]
        whole = self._lasts(*self._tasks[index])
        if None in ahead or (whole is None and step == 0):
            return None
        elapsed = time.monotonic() - self._started
        if step > 0 and self._tasks[index][0] not in self._durations:
            whole = elapsed * of / step  # what this run shows is worth more than a guess
        rest = max((whole or 0.0) - elapsed, 0.0)
        return rest + sum(seconds for seconds in ahead if seconds is not None)

    def _lasts(self, kind: _Kind, lanes: int) -> float | None:
        seconds = self._durations.get(kind, self._guesses.get(kind))
        return None if seconds is None else seconds * lanes


def _kinds(engine: Engine, stages: tuple[Stage, ...], settings: Settings) -> dict[str, _Kind]:
    """By stage, what decides how long it takes: the settings that it depends on, through whatever other stage."""
    kinds: dict[str, _Kind] = {}
    reach: dict[str, set[str]] = {}
    for stage in stages:
        reach[stage.name] = {*stage.uses}.union(*(reach.get(name, set()) for name in stage.takes)) - {"seed"}
        kinds[stage.name] = (engine.name, stage.label, repr([settings[name] for name in sorted(reach[stage.name])]))
    return kinds


def picture_hash(pixels: Picture) -> str:
    """SHA-256 over a picture's pixels in C order, as 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def _stages(engine: Engine, request: Request) -> tuple[Stage, ...]:
    if request.normal_map is None:
        return engine.stages
    return tuple(OWN_NORMALS if stage.name == "normals" else stage for stage in engine.stages)


def _key(engine: str, stage: str, taken: list[str], used: Settings) -> str:
    return hashlib.sha256(repr((VERSION, engine, stage, taken, sorted(used.items()))).encode()).hexdigest()


def _reporter(watcher: Watcher, clock: _Clock, tasks: list[_Task], index: int) -> Report:
    def report(step: int, of: int) -> None:
        eta = clock.remaining(index, step, of)
        watcher.moment(Moment(tasks[index].stage, index, len(tasks), step, of, eta))

    return report


def _run(task: _Task, results: Mapping[str, Any], report: Report) -> list[Any]:
    """A result for each lane that has none."""
    stage, lanes = task.stage, task.todo
    taken = [[results[lane.keys[name]] for lane in lanes] for name in stage.takes]
    used: dict[str, Any] = {name: lanes[0].inputs[name] for name in stage.uses}
    report(0, 1)
    try:
        if stage.run_many is None or len(lanes) == 1:
            return [stage.run(*(each for (each,) in taken), **used, report=report)]
        if "seed" in used:
            del used["seed"]
            used["seeds"] = [lane.seed for lane in lanes]
        return stage.run_many(*taken, **used, report=report)
    except MemoryError as error:
        sentence = f"The memory was not enough while {stage.label.lower()}."
        raise UserError("out-of-memory", sentence, "Close other programs, or choose a lower resolution.") from error


def _recipe(request: Request, seed: int) -> Mapping[str, Any]:
    return {
        "picture_sha256": picture_hash(request.picture),
        "normal_map_sha256": "" if request.normal_map is None else picture_hash(request.normal_map),
        "engine": request.engine,
        "version": VERSION,
        "seed": seed,
        "settings": dict(request.settings),
    }
