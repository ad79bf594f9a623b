# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines: what each can do, and the stages it walks. A new engine is a new entry here.

The `draft` engine is numpy alone. Heavy libraries must not be imported on the way to this module: an engine
imports them inside its stages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import UserError
from .foreground.draft import cut_out
from .geometry.draft import build
from .mesh.finish import FACES, finish
from .mesh.rim import inset
from .normals.draft import estimate
from .stage_types import Cutout, Mesh, Picture, Report
from .wire.messages import EngineInfo, Setting

Number = int | float


@dataclass(frozen=True)
class Stage:
    """One stage of an engine, described by what it depends on.

    Its result is called `name`. `run` gets the results that `takes` names by position, then the settings that
    `uses` names ("seed" among them) and `report` by keyword. `label` says what it is doing: "Cutting out".
    """

    name: str
    label: str
    takes: tuple[str, ...]
    uses: tuple[str, ...]
    run: Callable[..., Any]


@dataclass(frozen=True)
class Engine:
    """An engine. Its stages make, among others, `foreground`, `normals`, `geometry` and `finish`, in this order.

    `missing` returns a sentence that says why the engine cannot run here, or an empty string.
    """

    name: str
    label: str
    description: str
    needs_gpu: bool
    missing: Callable[[], str]
    settings: tuple[Setting, ...]
    stages: tuple[Stage, ...]

    @property
    def info(self) -> EngineInfo:
        """What clients are told of it."""
        uses_seed = any("seed" in stage.uses for stage in self.stages)
        return EngineInfo(
            self.name, self.label, self.description, uses_seed, self.needs_gpu, self.missing(), self.settings
        )

    def checked(self, settings: Mapping[str, bool | Number | str]) -> dict[str, bool | Number | str]:
        """Every setting of this engine, defaults filled in. Raises `UserError` for a foreign name or a bad value."""
        known = {setting.name: setting for setting in self.settings}
        for name in settings:
            if name not in known:
                listed = ", ".join(known) or "none"
                advice = f"The settings of this engine are: {listed}."
                raise UserError("bad-setting", f"{self.label} has no setting “{name:.60}”.", advice)
        return {name: _checked(setting, settings.get(name, setting.default)) for name, setting in known.items()}


def _checked(setting: Setting, value: bool | Number | str) -> Number:  # noqa: FBT001 - whatever a client sent
    whole = isinstance(setting.default, int)
    number = "a whole number" if whole else "a number"
    advice = f"Choose {number} from {setting.minimum} to {setting.maximum}."
    fits = not isinstance(value, bool | str) and setting.minimum <= value <= setting.maximum
    if not fits or (whole and value != int(value)):
        raise UserError("bad-setting", f"{setting.label} cannot be {value!s:.60}.", advice)
    return int(value) if whole else float(value)


def _cut_out(picture: Picture, *, resolution: int, report: Report) -> Cutout:
    return cut_out(picture, resolution, report)


def _finish(mesh: Mesh, cutout: Cutout, *, faces: int, report: Report) -> Mesh:
    return finish(replace(mesh, uv=inset(mesh.uv, cutout.alpha)), cutout.crop, report, faces=faces)


def _always_there() -> str:
    return ""


DRAFT = Engine(
    name="draft",
    label="Draft",
    description="Inflates the outline to a closed body in seconds, on any computer, offline",
    needs_gpu=False,
    missing=_always_there,
    settings=(
        Setting(
            name="resolution",
            label="Resolution",
            description="Side of the square, in pixels, in which the object is worked out. Finer takes longer",
            default=512,
            minimum=64,
            maximum=1024,
        ),
        Setting(
            name="thickness",
            label="Thickness",
            description="How far the back reaches behind the outline, relative to what the seed draws",
            default=1.0,
            minimum=0.3,
            maximum=2.5,
        ),
        Setting(
            name="profile",
            label="Profile",
            description="How the back rounds off, relative to the seed's draw: lower is fuller, higher more pointed",
            default=1.0,
            minimum=0.6,
            maximum=1.4,
        ),
        Setting(
            name="faces",
            label="Faces",
            description="How many triangles the mesh may have at most. Edges and outline are kept",
            default=FACES,
            minimum=1_000,
            maximum=180_000,
        ),
    ),
    stages=(
        Stage("foreground", "Cutting out", ("picture",), ("resolution",), _cut_out),
        Stage("normals", "Estimating normals", ("foreground",), (), estimate),
        Stage("geometry", "Building the surface", ("normals",), ("seed", "thickness", "profile"), build),
        Stage("finish", "Finishing", ("geometry", "foreground"), ("faces",), _finish),
    ),
)

ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (DRAFT,)}
