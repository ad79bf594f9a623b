# SPDX-License-Identifier: GPL-3.0-or-later
"""An external engine: the cut-out is that of another engine, then a program of the user's own makes the mesh, or views.

What a program makes is kept as that of every stage is, by all that it depends on: the file that describes it and the
scripts that its command names, too.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...around.colours import PAINT_SIDES
from ...around.stages import SIDES, cutout_of, normal_map_of
from ...errors import UserError
from ...flow.engine import PICTURE, Engine
from ...flow.products import Cutout, Mesh, NormalMap, Views
from ...flow.settings import Setting
from ...flow.stage import Stage
from ...safe_files import SMALL, read_small
from ...texture.stages import COLOURED, LIT
from .description import A_PROGRAM, NORMAL_MAP, OTHER_SIDES, VIEWS, WHOLE_PICTURE, Description
from .program import executable
from .settings import SETTINGS
from .stages import find_picture, reduce_mesh, run_for, take_mesh, take_views, unless_textured

SET_UP = "It is a program of your own: docs/external_engines.md says how to set it up."
RUNNING = "Running the program"
_RESOLUTION = 1024  # pixels a side of the cut-out, if nothing else is chosen: more than most programs use
_PRODUCTS = {NORMAL_MAP: "normal_map", WHOLE_PICTURE: PICTURE}


def external(description: Description, base: Engine, make_room: Callable[[], None]) -> Engine:
    """The engine of a description. base: the engine whose cut-out and normal map it takes.

    make_room: lets other engines give back the memory that they hold; called before a program that uses the GPU.
    """
    views = description.gives == VIEWS
    needed = "normal_map" if not views or NORMAL_MAP in description.wants else "cutout"
    last = max(number for number, stage in enumerate(base.stages) if stage.makes == needed)
    front = base.stages[: last + 1]
    sides = OTHER_SIDES in description.wants
    if sides:  # whose normals are for the colours of meshes alone
        front += tuple(
            stage
            for stage in base.stages
            if stage.when in SIDES and not (views and stage.makes == normal_map_of(stage.when))
        )
    taken = {name for stage in front for name in stage.takes}
    used = {name for stage in front for name in stage.settings}
    run = Stage(
        "program",
        RUNNING,
        "brought",
        ("cutout", *(_PRODUCTS[name] for name in description.wants if name in _PRODUCTS)),
        (*(["seed"] if description.uses_seed else []), *(setting.name for setting in description.settings)),
        run_for(description, make_room),
        also=tuple(map(cutout_of, SIDES)) if sides else (),
    )
    return Engine(
        name=description.name,
        label=description.label,
        description=description.description,
        needs_gpu=description.needs_gpu,
        missing=lambda: _missing(description),
        settings=(*description.settings, *house_settings(base, used, views=views)),
        inputs=tuple(name for name in base.inputs if name in taken),
        gives={"views": Views} if views else {"normal_map": NormalMap, "mesh": Mesh},
        on_request={"cutout": Cutout},
        stages=(*front, run, *(OF_VIEWS if views else of_meshes(sides=sides))),
        place=lambda: f"by its own program, {description.command[0]}",
        versions=lambda: {**base.versions(), "external": _digest(description)},
        set_up=SET_UP,
        terms=description.terms,
        terms_url=description.licence_url,
        external=True,
    )


def broken(path: Path, error: UserError) -> Engine:
    """An engine in place of one whose file describes none: it says why it cannot run, and nothing else."""

    def missing() -> str:
        raise error

    return Engine(
        name=path.stem,
        label=path.stem,
        description=A_PROGRAM,
        needs_gpu=False,
        missing=missing,
        settings=(),
        stages=(Stage("program", RUNNING, "mesh", (PICTURE,), (), lambda *_, **__: None),),
        gives={"mesh": Mesh},
        set_up=SET_UP,
        external=True,
    )


def house_settings(base: Engine, used: set[str], *, views: bool) -> tuple[Setting, ...]:
    """The settings of every external engine: those of its first stages, finer, behind those of meshes."""
    first = tuple(
        replace(setting, default=min(_RESOLUTION, int(setting.maximum)), advanced=True)
        if setting.name == "resolution"
        else setting
        for setting in base.settings
        if setting.name in used
    )
    return first if views else (*SETTINGS, *first)


def reserved(base: Engine) -> frozenset[str]:
    """Names that no setting of a description can have."""
    return frozenset(setting.name for setting in (*SETTINGS, *base.settings))


OF_VIEWS = (Stage("views", "Reading the views", "views", ("brought",), (), take_views),)
"""The stages behind a program that gives views."""


def of_meshes(*, sides: bool) -> tuple[Stage, ...]:
    """The stages behind a program that gives a mesh. sides: whether more pictures of the object may come with it."""
    coloured = (*COLOURED, *([PAINT_SIDES] if sides else []))
    return (
        Stage("clean", "Cleaning up", "mesh", ("brought",), ("own_colours",), take_mesh),
        Stage("reduce", "Reducing", "mesh", ("mesh",), ("faces",), reduce_mesh),
        Stage("fit", "Finding the camera", "mesh", ("mesh", "cutout", "normal_map"), (), find_picture),
        *(stage if stage.name == "place" else unless_textured(stage) for stage in coloured),
        *(stage if stage.name == "project" else unless_textured(stage) for stage in LIT),
    )


def _missing(description: Description) -> str:
    executable(description)
    return ""


def _digest(description: Description) -> str:
    """What tells one state of the program from another: its file, and whatever small files its command names."""
    found = hashlib.sha256(description.digest.encode())
    for argument in description.command:
        try:
            found.update(read_small(description.folder / argument, SMALL))
        except (OSError, ValueError):  # it is no file, or a large program
            continue
    return found.hexdigest()[:16]
