# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a run: the request that a program gets, and the result that it leaves.

docs/external_engines.md specifies both. Of the result only files within the output folder are read.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from ...files.coloured import vertex_colours
from ...files.encoded import picture_of
from ...files.glb import read_glb
from ...files.scenes import READ_SUFFIXES, read_scene
from ...files.views import CAMERAS, read_views
from ...flow.products import Cutout, Mesh, NormalMap, Picture, Report, Views
from ...foreground.mask import mask_of
from ...mesh.given import read_mesh
from ...mesh.rows import used
from ...normals.image import to_picture
from ...raster import png
from ...safe_files import SMALL, read_json, read_small, write_json
from ...texture.winding import welded
from ...wire.limits import Scalar
from .description import MESH, OTHER_SIDES, Description

PROTOCOL = 1
REQUEST, RESULT, OUTPUT = "request.json", "result.json", "output"
MAX_BYTES = 1 << 30  # of a mesh's file
MAX_PICTURE = 256 << 20  # bytes of a view's file
_NOTES, _NOTE = 8, 300
_REFERRING = (".gltf",)  # what such a file refers to may lie anywhere


@dataclass(frozen=True)
class Brought:
    """What a program has made: a mesh, z up and welded, or views; and what it says about it."""

    mesh: Mesh | None = None
    views: Views | None = None
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def scratch_folder(description: Description) -> Generator[Path]:
    """A new folder of this user's alone for the files of a run; it is deleted. Raises UserError "not-written"."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="hi3dgen-"))
    except OSError as error:
        raise _not_written(description, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_request(
    folder: Path,
    description: Description,
    cutout: Cutout,
    seed: int,
    settings: Mapping[str, Scalar],
    *,
    normal_map: NormalMap | None = None,
    whole: Picture | None = None,
    sides: Mapping[str, Cutout] | None = None,
) -> Path:
    """Write a request and its pictures into a folder, and return the request's path.

    whole: the picture that the cut-out was made of. sides: cut-outs of more pictures of the object, by the side that
    they show; None if the program does not want them. Raises UserError "not-written".
    """
    output = folder / OUTPUT
    pictures = {"picture": cutout.rgba}
    if normal_map is not None:
        pictures["normal_map"] = to_picture(replace(normal_map, crop=None))  # in the cut-out's frame
    if whole is not None:
        mask = mask_of(cutout, max(whole.shape[:2]))
        pictures["whole_picture"] = np.dstack([whole[..., :3], mask])
    pictures |= {side: its.rgba for side, its in (sides or {}).items()}
    paths = {name: folder / f"{name}.png" for name in pictures}
    request: dict[str, Any] = {
        "protocol": PROTOCOL,
        "engine": description.name,
        "gives": description.gives,
        **{name: str(path) for name, path in paths.items() if name not in (sides or {})},
        **({} if sides is None else {OTHER_SIDES: {side: str(paths[side]) for side in sides}}),
        "output": str(output),
        "seed": seed,
        "settings": dict(settings),
        "device": os.environ.get("HI3DGEN_DEVICE", ""),
    }
    try:
        output.mkdir()
        for name, path in paths.items():
            path.write_bytes(png.encode(np.ascontiguousarray(pictures[name])))
        write_json(folder / REQUEST, request, private=True)
    except OSError as error:
        raise _not_written(description, error) from error
    return folder / REQUEST


def read_result(folder: Path, description: Description, report: Report) -> Brought:
    """Read what a program has left in the output folder of a run.

    Raises UserError "external-result" if there is no whole result, and what the readers of meshes and views raise.
    """
    output = folder / OUTPUT
    try:
        document = read_json(_within(output, RESULT))
    except (OSError, ValueError) as error:
        raise _unusable(description, f"its {RESULT} cannot be read: {_reason(error)}") from error
    if not isinstance(document, dict) or document.get("protocol") != PROTOCOL:
        raise _unusable(description, f"its {RESULT} is not of the protocol {PROTOCOL}")
    notes = _notes(document.get("notes", []))
    try:
        path = _within(output, document.get(description.gives))
        if description.gives == MESH:
            _check_size(path, MAX_BYTES)
            mesh, own = _mesh(path, report)
            return Brought(mesh=mesh, notes=(*own, *notes))
        _check_size(_within(output, str(path.relative_to(output.resolve()) / CAMERAS)), SMALL)
        return Brought(views=read_views(path, lambda place: _picture(output, place)), notes=notes)
    except (OSError, ValueError) as error:
        raise _unusable(description, f"the {description.gives} of its {RESULT}: {_reason(error)}") from error


def _mesh(path: Path, report: Report) -> tuple[Mesh, tuple[str, ...]]:
    """A file's mesh, with one vertex for each place, and sentences on it. Raises `UserError`."""
    report(0, 1)
    suffix = path.suffix.lower()
    if suffix not in READ_SUFFIXES or suffix in _REFERRING:
        raise ValueError(f"“{path.name}” is of no kind that is read")
    mesh, notes = read_glb(path) if suffix == ".glb" else (_of_scene(path), ())
    textured = mesh.texture is not None
    mesh = read_mesh(mesh, report=report)
    vertices, triangles = used(welded(mesh.vertices, mesh.triangles), len(mesh.vertices))
    mesh = Mesh(
        mesh.vertices[vertices],
        triangles.astype(np.int32),
        mesh.uv if textured else np.zeros((len(vertices), 2), np.float32),
        None if mesh.colours is None else mesh.colours[vertices],
        texture=mesh.texture,
    )
    return _without_slivers(mesh), notes


def _of_scene(path: Path) -> Mesh:
    """The mesh of a file of another format, with its vertices' colours if it has some. Raises `UserError`."""
    scene = read_scene(path)
    return replace(scene.mesh, colours=vertex_colours(scene))


def _without_slivers(mesh: Mesh) -> Mesh:
    """The mesh without triangles of which welding has made lines."""
    a, b, c = mesh.triangles.T
    kept = (a != b) & (b != c) & (c != a)
    uv = mesh.uv[kept] if mesh.texture is not None else mesh.uv
    return mesh if kept.all() else replace(mesh, triangles=mesh.triangles[kept], uv=uv)


def _within(output: Path, name: object) -> Path:
    """The path of a file or folder within the output folder. Raises OSError and ValueError."""
    if not isinstance(name, str) or not name or "\0" in name:
        raise ValueError("it names no file")
    path = (output / name).resolve(strict=True)
    if not path.is_relative_to(output.resolve(strict=True)):
        raise ValueError(f"“{name}” lies outside of the output folder")
    return path


def _check_size(path: Path, most: int) -> None:
    """Raises ValueError for a file of more than `most` bytes."""
    if path.stat().st_size > most:
        raise ValueError(f"“{path.name}” has more than {most} bytes")


def _picture(output: Path, path: Path) -> Picture:
    """A view's picture. Raises UserError "bad-picture", and ValueError for one outside."""
    place = _within(output, str(path.relative_to(output.resolve())))
    try:
        return picture_of(read_small(place, MAX_PICTURE))
    except ValueError as error:
        sentence = f"“{path.name}” cannot be read as a picture: {error}."
        raise UserError("bad-picture", sentence, "Let the program write PNG files.") from error


def _notes(values: object) -> tuple[str, ...]:
    """What the program says about its result, as lines."""
    lines = (
        [" ".join(each.split())[:_NOTE] for each in values if isinstance(each, str)] if isinstance(values, list) else []
    )
    return tuple(filter(None, lines[:_NOTES]))


def _not_written(description: Description, error: OSError) -> UserError:
    sentence = f"The files for {description.label} could not be written: {_reason(error)}."
    return UserError("not-written", sentence, "Make room in the folder for temporary files.")


def _unusable(description: Description, reason: str) -> UserError:
    sentence = f"{description.label} left no result that can be used: {reason}."
    return UserError(
        "external-result", sentence, "Mend its program; docs/external_engines.md says what it has to leave."
    )


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
