# SPDX-License-Identifier: GPL-3.0-or-later
"""`texture`: a mesh's file and a picture's become the mesh's file in the picture's colours."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..adapters import ADAPTERS, written
from ..errors import UserError
from ..files.meshes import mesh_files
from ..files.outputs import check_new, check_not_read, is_one_of
from ..files.pictures import read_picture
from ..files.scenes import READ_SUFFIXES, check_scene_path, read_scene, write_scene
from ..files.views import read_views
from ..flow.engine import Engine
from ..flow.pipeline import Outcome, Pipeline
from ..flow.products import Camera, Viewpoint
from ..flow.request import Request
from ..foreground.mask import OWN_CUTOUT
from ..normals.image import OWN_NORMAL_MAP
from ..wire.limits import Scalar, values_of
from .arguments import add_output, add_overwrite, add_settings, add_upscaler, place
from .terminal import Terminal

_MESH = "mesh"
_VIEW_CAMERAS = "view_cameras"
_ANGLES = ("azimuth", "elevation", "roll", "fov")


def configure(command: argparse.ArgumentParser, tool: Engine) -> None:
    """Add the command's arguments."""
    command.add_argument("mesh", type=Path, metavar="MESH", help=f"any mesh: {', '.join(READ_SUFFIXES)}")
    command.add_argument("picture", type=Path, metavar="PICTURE", help="a picture of it, such as PNG or JPEG")
    add_output(command, "the mesh in its colours: .glb or .obj")
    command.add_argument("--azimuth", type=float, metavar="DEGREES", help="from where the picture was taken, around")
    command.add_argument("--elevation", type=float, metavar="DEGREES", help="the same, above the horizon")
    command.add_argument("--roll", type=float, metavar="DEGREES", help="by how much the camera was held askew")
    command.add_argument("--fov", type=float, metavar="DEGREES", help="the angle across the picture's width")
    command.add_argument(
        "--camera", type=Path, metavar="FILE", help="the whole camera: a JSON file, as --save viewpoints=FILE writes it"
    )
    command.add_argument(
        "--cutout", type=Path, metavar="IN", help="your own mask of the object, white in it and black outside"
    )
    command.add_argument("--normals", type=Path, metavar="IN", help="your own normal map of the same view")
    command.add_argument(
        "--views",
        type=Path,
        metavar="FOLDER",
        help="views from around the object, as engines of views write them: they paint what the picture does not see",
    )
    command.add_argument(
        "--save",
        action="append",
        default=[],
        type=place,
        metavar="PRODUCT=PATH",
        help=f"write another product here: {', '.join(name for name in tool.offers if name != _MESH)}",
    )
    add_settings(command, [tool], "settings of {}")
    add_upscaler(command)
    add_overwrite(command, "write over files that are there already")
    command.add_argument("--json", action="store_true", help="print what was made as JSON")
    command.set_defaults(run=partial(run, tool=tool))


def run(options: argparse.Namespace, tool: Engine) -> int:
    """Find the camera, paint the mesh and write it, and what else is asked for. Raises `UserError`."""
    own = {OWN_CUTOUT: options.cutout, OWN_NORMAL_MAP: options.normals}
    pictures = {"picture": options.picture} | {name: path for name, path in own.items() if path}
    read = [options.mesh, *pictures.values(), *filter(None, [options.camera])]
    read += options.views.glob("*") if options.views else []
    saved = dict(options.save)
    _check(options, tool, saved, read)
    camera = read_camera(options.camera) if options.camera else None
    views = read_views(options.views) if options.views else None
    source = read_scene(options.mesh)
    inputs = {name: read_picture(path) for name, path in pictures.items()}
    settings = _settings(options, tool)
    request = Request(inputs, tool.name, settings=settings, mesh=source.mesh, camera=camera, views=views)
    with Terminal() as terminal:
        outcome = next(Pipeline({tool.name: tool}).run(request, terminal, gives=[*saved, "viewpoints", _MESH]))
    write_scene(options.output, source, outcome.products[_MESH], inputs["picture"])
    for name, path in saved.items():
        write = ADAPTERS[tool.offers[name]].write
        assert write is not None  # noqa: S101 - `written` has asked
        write(path, outcome.products[name], inputs["picture"])
    _print(options, outcome)
    return 0


def read_camera(path: Path) -> Camera:
    """A camera's JSON file: `matrix` and `fov`, or `width` without one, or the first of several. Raises `UserError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin with a mark
        document = document.get("cameras", document) if isinstance(document, dict) else document
        first = document[0] if isinstance(document, list) else document
        matrix = np.array(first["matrix"], np.float64)
        camera = Camera(matrix.reshape(4, 4), float(first.get("fov", 0)), float(first.get("width", 0)))
        if not np.isfinite([*matrix.reshape(-1), camera.fov, camera.width]).all():
            raise ValueError("not finite")  # noqa: TRY301 - said below
    except OSError as error:
        sentence = f"“{path}” cannot be opened: {error.strerror or type(error).__name__}."
        raise UserError("bad-camera", sentence, "Check the path.") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        advice = "It is JSON with matrix, 4 x 4 numbers, and fov in degrees; --save viewpoints=FILE writes one."
        raise UserError("bad-camera", f"“{path.name}” holds no camera.", advice) from error
    return camera


def _check(options: argparse.Namespace, tool: Engine, saved: dict[str, Path], read: list[Path]) -> None:
    """Refuse, before any work is done, paths that cannot be written, are read, given twice or there already."""
    check_scene_path(options.output, *read)
    if _MESH in saved:
        raise UserError("bad-output", f"“{saved[_MESH]}” is given for the mesh beside --output.", "Give one of them.")
    written(tool, saved)
    if _VIEW_CAMERAS in saved and not options.views:
        raise UserError("bad-product", "Cameras of views are found if there are views.", "Add --views FOLDER.")
    files = [*mesh_files(options.output)]
    for name, path in saved.items():
        adapter = ADAPTERS[tool.offers[name]]
        for file in adapter.files(path):
            if is_one_of(file, files):
                raise UserError("bad-output", f"“{file}” is given for two products.", "Give each a name of its own.")
        if adapter.check_path is not None:
            adapter.check_path(path, *read)
        check_not_read(path, read)
        files += adapter.files(path)
    for file in files:
        check_new(file, overwrite=options.overwrite)


def _settings(options: argparse.Namespace, tool: Engine) -> dict[str, Scalar]:
    """The settings: with an azimuth or an elevation the camera is taken as given, unless `search` says otherwise."""
    angles = {name: value for name in _ANGLES if (value := getattr(options, name)) is not None}
    given: dict[str, Scalar] = {"search": "given"} if {"azimuth", "elevation"} & {*angles} else {}
    return {**given, **angles, **values_of(tool.settings, options.set)}


def _print(options: argparse.Namespace, outcome: Outcome) -> None:
    viewpoints = outcome.products["viewpoints"]
    if options.json:
        about: dict[str, Any] = {
            "mesh": str(options.output),
            "triangles": len(outcome.products[_MESH].triangles),
            **ADAPTERS[type(viewpoints)].about(viewpoints),
            **{name: str(path) for name, path in options.save},
            "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
            "notes": outcome.notes,
            "recipe": outcome.recipe,
        }
        print(json.dumps(about, indent=2))
        return
    seconds = sum(outcome.seconds.values())
    print(f"{options.output}: {_described(viewpoints.found[0])}; {seconds:.1f} s", *outcome.notes)


def _described(best: Viewpoint) -> str:
    place = f"azimuth {best.azimuth:.1f}, elevation {best.elevation:.1f}, roll {best.roll:.1f}"
    return (
        f"{place}, field of view {best.camera.fov:.1f} degrees; likeness {best.score:.2f}, outlines {best.outline:.2f}"
    )
