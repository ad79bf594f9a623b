# SPDX-License-Identifier: GPL-3.0-or-later
"""An object is saved as a mesh's file beside the .blend file, by Blender's own exporters, under a name that is free."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from glob import escape
from itertools import count
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ..errors import AddonError
from ..language.words import reported
from . import exporting
from .inspected import MILLIMETRES, metre, shown_images
from .rework import alone

FORMATS = (
    ("GLB", "GLB", "glTF: the mesh with its materials and images in one file, for games and the web"),
    ("OBJ", "OBJ", "The mesh, and its images beside it, for nearly every program"),
    ("STL", "STL", "The shape alone, in millimetres, for printing"),
    ("PLY", "PLY", "The shape, and the colours of its vertices"),
    ("USD", "USD", "USDZ: the mesh with its materials and images in one file, for film and AR"),
)
_SUFFIXES = {"GLB": ".glb", "OBJ": ".obj", "STL": ".stl", "PLY": ".ply", "USD": ".usdz"}


def save(context: bpy.types.Context, thing: bpy.types.Object, kind: str) -> Path:
    """Write an object with its modifiers beside the .blend file, and return where. kind: one of `FORMATS`.

    A file that is there is not written over: the next free number is. Raises `AddonError`.
    """
    if not bpy.data.filepath:
        sentence = f"“{thing.name}” was not saved: this file has no folder yet."
        raise AddonError(sentence, "Save the .blend file first: the mesh is saved beside it.")
    if not thing.visible_get():
        raise AddonError(f"“{thing.name}” was not saved: it is hidden.", "Show it first.")
    path = _free(Path(bpy.data.filepath).parent, file_name(thing.name), _SUFFIXES[kind])
    exporting.before()
    try:
        with alone(context, thing):
            _export(context.scene, thing, kind, path)
    except (RuntimeError, AttributeError, TypeError) as error:  # AttributeError: the exporter is disabled
        raise AddonError(f"“{path.name}” was not saved: {reported(error)}", "Use File > Export instead.") from error
    finally:
        exporting.after()
    if not path.is_file():
        raise AddonError(f"“{path.name}” was not saved.", "Look whether its folder can be written to.")
    return path


def file_name(name: str) -> str:
    """An object's name as that of a file, without a suffix: only what a system refuses becomes “_”.

    Windows takes neither those characters, nor a dot or a space at the end, nor the names of its devices.
    """
    kept = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", name)
    kept = re.sub(r"[. ]+$", "_", kept)
    return re.sub(r"^((?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)|\.)", r"_\1", kept, flags=re.IGNORECASE)


def _export(scene: bpy.types.Scene, thing: bpy.types.Object, kind: str, path: Path) -> None:
    if kind == "GLB":
        with _in_metres(scene, thing):  # which this exporter takes units for
            bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", use_selection=True, export_apply=True)
    elif kind == "OBJ":
        with _images_beside(thing, path):
            bpy.ops.wm.obj_export(
                filepath=str(path), export_selected_objects=True, path_mode="STRIP", global_scale=metre(scene)
            )
    elif kind == "STL":
        scale = metre(scene) * MILLIMETRES
        bpy.ops.wm.stl_export(filepath=str(path), export_selected_objects=True, global_scale=scale)
    elif kind == "PLY":
        bpy.ops.wm.ply_export(filepath=str(path), export_selected_objects=True, global_scale=metre(scene))
    else:
        known = bpy.ops.wm.usd_export.get_rna_type().properties  # pyright: ignore[reportCallIssue] - wrong stubs
        with (
            _in_metres(scene, thing) if "convert_scene_units" in known else nullcontext()
        ):  # Blender 4.2 writes how long a unit is
            bpy.ops.wm.usd_export(filepath=str(path), selected_objects_only=True)


@contextmanager
def _in_metres(scene: bpy.types.Scene, thing: bpy.types.Object) -> Generator[None]:
    """Within, an object is as large in Blender's units as it is in metres."""
    names = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")
    former = {name: tuple(getattr(thing, name)) for name in names}
    if metre(scene) != 1.0:
        thing.matrix_world = Matrix.Scale(metre(scene), 4) @ thing.matrix_world
    try:
        yield
    finally:
        for name, values in former.items():
            setattr(thing, name, values)


def _free(folder: Path, name: str, suffix: str) -> Path:
    """The first of NAME, NAME_001, NAME_002 and so on that writes over no file, nor does what OBJ brings."""
    for path in _numbered(folder, name, suffix):
        beside = (
            [path.with_suffix(".mtl"), *folder.glob(f"{escape(path.stem)}_texture*.png")] if suffix == ".obj" else []
        )
        if not any(each.exists() for each in (path, *beside)):
            return path
    raise AssertionError("there is always another number")


def _numbered(folder: Path, name: str, suffix: str) -> Iterator[Path]:
    yield folder / f"{name}{suffix}"
    yield from (folder / f"{name}_{number:03}{suffix}" for number in count(1))


@contextmanager
def _images_beside(thing: bpy.types.Object, path: Path) -> Generator[None]:
    """Within, the images of an object's materials are files beside a path, as OBJ files only name them."""
    former: list[tuple[bpy.types.Image, str]] = []
    try:
        images = [image for image in shown_images(thing) if image.source in {"FILE", "GENERATED"}]
        for number, image in enumerate(sorted(images, key=lambda image: image.name)):
            former.append((image, image.filepath_raw))
            beside = path.with_name(f"{path.stem}_texture{number or ''}.png")
            _write(image, beside)
            image.filepath_raw = str(beside)
        yield
    except BaseException:
        for number in range(len(former)):
            path.with_name(f"{path.stem}_texture{number or ''}.png").unlink(missing_ok=True)
        raise
    finally:
        for image, source in former:
            image.filepath_raw = source


def _write(image: bpy.types.Image, path: Path) -> None:
    """Write an image as a PNG file, by a copy: the image itself keeps its own file."""
    copy = image.copy()
    try:
        if image.is_dirty:  # a copy has what its source has, without what was painted
            values = np.empty(len(image.pixels), np.float32)
            image.pixels.foreach_get(values)
            copy.pixels.foreach_set(values)
        copy.file_format = "PNG"
        copy.save(filepath=str(path))
    finally:
        bpy.data.images.remove(copy)
