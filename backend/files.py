# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and meshes as files, outside Blender: Pillow and trimesh know the formats.

Files are written beside their place and then renamed, so that a failure leaves the earlier file as it was.
"""

import importlib
import os
import struct
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .errors import UserError
from .flow.products import Mesh, Picture
from .wire.limits import MAX_PIXELS, MAX_SIDE

MESH_SUFFIXES = (".glb", ".obj", ".stl", ".ply")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
Y_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)  # row vectors: (x, y, z) -> (x, z, -y)
Y_UP_SUFFIXES = (".glb", ".obj")  # glTF demands it, and OBJ files are read so by nearly every program
MAX_TEXTURE = 4096
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    EOFError,
    struct.error,
)  # what decoders raise of broken files


def read_picture(path: Path) -> Picture:
    """A picture's pixels, uint8 (H, W, 4), upright, sRGB, straight alpha. Raises `UserError`."""
    image_module = _library("PIL.Image", "Pillow", "read pictures")
    image_ops = _library("PIL.ImageOps", "Pillow", "read pictures")
    too_large = f"Use at most {MAX_SIDE} pixels a side and 67 megapixels."
    try:
        # Not by its path: Pillow maps raw TIFF files into memory then, and scrambles those that lie on their side.
        with warnings.catch_warnings(action="ignore"), path.open("rb") as file, image_module.open(file) as image:
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                sentence = f"“{path.name}” is {image.width} x {image.height} pixels large."
                raise UserError("bad-picture", sentence, too_large)
            return np.array(_eight_bit(image_ops.exif_transpose(image)).convert("RGBA"))
    except FileNotFoundError as error:
        raise UserError("no-picture", f"There is no file “{path}”.", "Check the path.") from error
    except PermissionError as error:
        sentence = f"You have no permission to read “{path}”."
        raise UserError("no-permission", sentence, "Change the file's permissions, or copy it elsewhere.") from error
    except image_module.DecompressionBombError as error:
        raise UserError("bad-picture", f"“{path.name}” is far too large.", too_large) from error
    except DAMAGED as error:
        sentence = f"“{path.name}” cannot be read as a picture."
        raise UserError("bad-picture", sentence, "Save it again as PNG or JPEG.") from error


def write_picture(path: Path, pixels: Picture) -> None:
    """Write uint8 (H, W, 3 or 4) in the format of the path's suffix. Raises `UserError`."""
    image_module = _library("PIL.Image", "Pillow", "write pictures")
    image = image_module.fromarray(pixels)
    _write(path, image.save)


def write_mesh(path: Path, mesh: Mesh, picture: Picture) -> None:
    """Write a mesh in the format of the path's suffix, with the picture as its texture where the format holds one.

    glb and obj are written y up, stl and ply z up, all in metres. Colours of the vertices, sRGB, are written to ply as
    its own, and to glb as the attribute _COLOUR: its own would be multiplied with the texture. Raises `UserError`.
    """
    trimesh = _library("trimesh", "trimesh", "write meshes")
    suffix = path.suffix.lower()
    vertices = mesh.vertices @ Y_UP if suffix in Y_UP_SUFFIXES else mesh.vertices
    visual = _texture(mesh, picture, path) if suffix in Y_UP_SUFFIXES else None
    made = trimesh.Trimesh(vertices, mesh.triangles, process=False, visual=visual)
    if mesh.colours is not None and suffix == ".ply":
        made.visual.vertex_colors = np.rint(mesh.colours * 255.0).astype(np.uint8)
    elif mesh.colours is not None and suffix == ".glb":
        made.vertex_attributes["_COLOUR"] = mesh.colours
    if suffix == ".obj":
        _write_obj(path, made)
    else:
        _write(path, lambda beside: made.export(beside, file_type=suffix[1:]))


def check_mesh_path(path: Path) -> None:
    """Refuse, before any work is done, what `write_mesh` could not write. Raises `UserError`."""
    _library("trimesh", "trimesh", "write meshes")
    _check_path(path, MESH_SUFFIXES, "mesh")


def check_picture_path(path: Path, *read: Path) -> None:
    """Refuse, before any work is done, what `write_picture` could not write, or would write over a file that is read.

    Raises `UserError`.
    """
    _check_path(path, PICTURE_SUFFIXES, "picture")
    if path.resolve() in [other.resolve() for other in read]:
        sentence = f"“{path}” is read, so it is not written over."
        raise UserError("bad-output", sentence, "Give the normal map another name.")


def _check_path(path: Path, suffixes: tuple[str, ...], kind: str) -> None:
    if path.suffix.lower() not in suffixes:
        sentence = f"“{path.name}” does not end like a {kind} that can be written."
        raise UserError("bad-output", sentence, f"Use one of {', '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise UserError("bad-output", f"There is no folder “{path.parent}”.", "Make it first, or choose another.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):  # only trying tells: networks and Windows have their own rules
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        sentence = f"The folder “{path.parent}” cannot be written to: {reason}."
        raise UserError("bad-output", sentence, "Choose another folder.") from error


def _library(module: str, package: str, purpose: str) -> Any:  # noqa: ANN401 - a module
    try:
        return importlib.import_module(module)
    except ImportError as error:
        sentence = f"{package} is not installed, and it is needed to {purpose} here."
        raise UserError("library-missing", sentence, f"Install it with: pip install {package.lower()}") from error


def _eight_bit(image: Any) -> Any:  # noqa: ANN401 - a Pillow image
    """Pillow clips 16-bit grey, 32-bit to its older versions, to white where it converts; scale it instead.

    The one grey that a file calls transparent is looked up before: its neighbours become the same byte.
    """
    if image.mode == "I" or image.mode.startswith("I;16"):
        module = _library("PIL.Image", "Pillow", "read pictures")
        deep = np.array(image)
        grey = np.rint(np.clip(deep / 257.0, 0, 255)).astype(np.uint8)
        alpha = np.where(deep == image.info.get("transparency", -1), 0, 255).astype(np.uint8)
        return module.fromarray(np.stack([grey, alpha], axis=-1))
    return image


def _texture(mesh: Mesh, picture: Picture, path: Path) -> Any:  # noqa: ANN401 - trimesh's own type
    image = _library("PIL.Image", "Pillow", "write textures").fromarray(picture[..., :3])
    image.thumbnail((MAX_TEXTURE, MAX_TEXTURE))
    texture = _library("trimesh.visual.texture", "trimesh", "write meshes")
    material = _library("trimesh.visual.material", "trimesh", "write meshes")
    name = f"{_word(path.stem)}_texture"  # never the picture's own name: an OBJ's texture lies beside it
    if path.suffix.lower() == ".obj":
        plain = material.SimpleMaterial(image=image, name=name, diffuse=[255, 255, 255], specular=[0, 0, 0])
    else:
        plain = material.PBRMaterial(name=name, baseColorTexture=image, metallicFactor=0.0, roughnessFactor=0.6)
    return texture.TextureVisuals(uv=mesh.uv, material=plain)


def _write_obj(path: Path, made: Any) -> None:  # noqa: ANN401 - a Trimesh
    """An OBJ file, with its material and texture beside it under its name."""
    obj = _library("trimesh.exchange.obj", "trimesh", "write meshes")
    text, beside = obj.export_obj(made, return_texture=True, mtl_name=f"{_word(path.stem)}.mtl")
    for name, data in beside.items():
        _write(path.with_name(name), lambda file, data=data: file.write_bytes(data))
    _write(path, lambda file: file.write_text(text, encoding="utf-8"))


def _word(name: str) -> str:
    """A name without spaces, at which many readers of OBJ files end a file's name."""
    return "_".join(name.split())


def _write(path: Path, write: Callable[[Path], object]) -> None:
    beside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        write(beside)
        beside.replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError("not-written", f"“{path}” could not be written: {reason}.", "Choose another place.") from error
    finally:
        beside.unlink(missing_ok=True)
