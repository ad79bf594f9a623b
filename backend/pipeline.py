# SPDX-License-Identifier: GPL-3.0-or-later
"""From a picture to a mesh: an engine's stages in order, with their cache, their progress and their cancellation.

A stage's result is kept under the hash of everything it depends on: the keys of the results it takes and the settings
it uses. So a new seed starts at the first stage that uses the seed, an edited normal map at the first stage after
the normals, and no rule says so anywhere else.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .cache import ResultCache
from .engines import ENGINES, Engine, Stage
from .errors import UserError
from .normals.image import from_picture
from .stage_types import Cutout, Mesh, NormalMap, Picture
from .version import VERSION

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
    """How far a job is: step `step` of `of` in `stage`, which is number `index` (from 0) of `count`."""

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
        """Called with every stage's result, also where it came from the cache."""
        ...


@dataclass(frozen=True)
class Outcome:
    """Everything a request led to. `seconds` holds the stages that ran, `recipe` what is needed to do it again."""

    cutout: Cutout
    normal_map: NormalMap
    mesh: Mesh
    seconds: Mapping[str, float]
    recipe: Mapping[str, Any]


class Pipeline:
    """Runs requests one at a time and remembers their stages' results and durations."""

    def __init__(self, engines: Mapping[str, Engine] = ENGINES, cache_bytes: int = CACHE_BYTES) -> None:
        self.engines = engines
        self._cache = ResultCache(cache_bytes)
        self._durations: dict[tuple[str, str, str], float] = {}

    @property
    def cached_bytes(self) -> int:
        """The memory of cached results."""
        return self._cache.nbytes

    def unload(self) -> None:
        """Forget cached results."""
        self._cache.clear()

    def run(self, request: Request, watcher: Watcher) -> Outcome:
        """Make a mesh. Raises `UserError`, and whatever `watcher` raises."""
        engine, settings = self._prepare(request)
        results, seconds = self._walk(engine, _stages(engine, request), request, settings, watcher)
        return Outcome(
            cutout=results["foreground"],
            normal_map=results["normals"],
            mesh=results["finish"],
            seconds=seconds,
            recipe=_recipe(request, settings),
        )

    def normals(self, request: Request, watcher: Watcher) -> tuple[Cutout, NormalMap]:
        """Go no further than the normal map. Raises as `run` does."""
        engine, settings = self._prepare(request)
        stages = _stages(engine, request)
        last = [stage.name for stage in stages].index("normals")
        results, _ = self._walk(engine, stages[: last + 1], request, settings, watcher)
        return results["foreground"], results["normals"]

    def _prepare(self, request: Request) -> tuple[Engine, Settings]:
        engine = self.engines.get(request.engine)
        if engine is None:
            known = ", ".join(self.engines)
            raise UserError("unknown-engine", f"There is no engine “{request.engine:.60}”.", f"Choose one of: {known}.")
        if missing := engine.missing():
            raise UserError("engine-missing", f"The engine “{engine.label}” cannot run here.", missing)
        return engine, engine.checked(request.settings)

    def _walk(
        self, engine: Engine, stages: tuple[Stage, ...], request: Request, settings: Settings, watcher: Watcher
    ) -> tuple[dict[str, Any], dict[str, float]]:
        results: dict[str, Any] = {"picture": request.picture, "normal_map": request.normal_map}
        given = {name: pixels for name, pixels in results.items() if pixels is not None}
        keys = {name: f"{pixels.shape} {picture_hash(pixels)}" for name, pixels in given.items()}
        inputs = {**settings, "seed": request.seed}
        clock = _Clock(self._durations, [(engine.name, stage.name, repr(sorted(settings.items()))) for stage in stages])
        for index, stage in enumerate(stages):
            used = {name: inputs[name] for name in stage.uses}
            keys[stage.name] = _key(engine.name, stage.name, [keys[name] for name in stage.takes], used)
            result = self._cache.get(keys[stage.name])
            if result is None:

                def report(step: int, of: int, stage: Stage = stage, index: int = index) -> None:
                    eta = clock.remaining(index, step, of)
                    watcher.moment(Moment(stage, index, len(stages), step, of, eta))

                report(0, 1)
                clock.start(index)
                result = _run(stage, [results[name] for name in stage.takes], used, report)
                clock.stop(index)
                self._cache.put(keys[stage.name], result)
            results[stage.name] = result
            watcher.made(stage.name, result)
        return results, clock.measured


class _Clock:
    """Times the stages of one run and estimates, from what this machine measured before, what is left of it."""

    def __init__(self, durations: dict[tuple[str, str, str], float], stages: list[tuple[str, str, str]]) -> None:
        self._durations = durations
        self._stages = stages
        self._started = time.monotonic()
        self.measured: dict[str, float] = {}

    def start(self, index: int) -> None:
        self._started = time.monotonic()
        self.measured[self._stages[index][1]] = 0.0

    def stop(self, index: int) -> None:
        seconds = time.monotonic() - self._started
        self._durations[self._stages[index]] = self.measured[self._stages[index][1]] = seconds

    def remaining(self, index: int, step: int, of: int) -> float | None:
        """Seconds to the end of the last stage; None while a stage ahead was never measured."""
        ahead = [self._durations.get(stage) for stage in self._stages[index + 1 :]]
        whole = self._durations.get(self._stages[index])
        if None in ahead or (whole is None and step == 0):
            return None
        elapsed = time.monotonic() - self._started if self._stages[index][1] in self.measured else 0.0
        rest = elapsed * (of - step) / step if whole is None else max(whole - elapsed, 0.0)
        return rest + sum(seconds for seconds in ahead if seconds is not None)


def picture_hash(pixels: Picture) -> str:
    """SHA-256 over a picture's pixels in C order, as 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def _stages(engine: Engine, request: Request) -> tuple[Stage, ...]:
    if request.normal_map is None:
        return engine.stages
    return tuple(OWN_NORMALS if stage.name == "normals" else stage for stage in engine.stages)


def _key(engine: str, stage: str, taken: list[str], used: Settings) -> str:
    return hashlib.sha256(repr((VERSION, engine, stage, taken, sorted(used.items()))).encode()).hexdigest()


def _run(stage: Stage, taken: list[Any], used: Settings, report: Callable[[int, int], None]) -> Any:  # noqa: ANN401
    try:
        return stage.run(*taken, **used, report=report)
    except MemoryError as error:
        sentence = f"The memory was not enough while {stage.label.lower()}."
        raise UserError("out-of-memory", sentence, "Close other programs, or choose a lower resolution.") from error


def _recipe(request: Request, settings: Settings) -> Mapping[str, Any]:
    return {
        "picture_sha256": picture_hash(request.picture),
        "normal_map_sha256": "" if request.normal_map is None else picture_hash(request.normal_map),
        "engine": request.engine,
        "version": VERSION,
        "seed": request.seed,
        "settings": dict(settings),
    }
