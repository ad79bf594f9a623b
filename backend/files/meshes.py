# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as files; trimesh knows the formats."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..flow.products import Mesh, Picture
from .outputs import check_name, check_output, is_one_of, library, writing

MESH_SUFFIXES = (".glb", ".obj", ".stl", ".ply")
Y_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)  # row vectors: (x, y, z) -> (x, z, -y)
Y_UP_SUFFIXES = (".glb", ".obj")  # glTF demands it, and OBJ files are read so by nearly every program
MAX_TEXTURE = 4096


def check_mesh_path(path: Path, *kept: Path) -> None:
    """Refuse, before any work is done, a path that `write_mesh` could not write to. Raises `UserError`.

    kept: files that must not be written over by those that lie beside an OBJ file.
    """
    library("trimesh", "trimesh", "write meshes")
    check_output(path, MESH_SUFFIXES, "mesh")
    if path.suffix.lower() == ".obj":
        for beside in (_material_path(path), _texture_path(path)):
            check_name(beside)
            if is_one_of(beside, kept):
                sentence = f"“{path.name}” would write its own texture or material over “{beside.name}”."
                raise UserError("bad-output", sentence, "Give the mesh another name.")


def write_mesh(path: Path, mesh: Mesh, picture: Picture) -> None:
    """Write a mesh in the format of the path's suffix, with the picture as its texture if the format holds one.

    glb and obj are written y up, stl and ply z up, all in metres. Colours of the vertices, sRGB, are written to ply as
    its own, and to glb as the attribute _COLOUR: its own would be multiplied with the texture. Raises `UserError`.
    """
    trimesh = library("trimesh", "trimesh", "write meshes")
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
        with writing(path) as file:
            file.write(made.export(file_type=suffix[1:]))


def _texture(mesh: Mesh, picture: Picture, path: Path) -> Any:  # noqa: ANN401 - trimesh's own type
    image = library("PIL.Image", "Pillow", "write textures").fromarray(picture[..., :3])
    image.thumbnail((MAX_TEXTURE, MAX_TEXTURE))
    texture = library("trimesh.visual.texture", "trimesh", "write meshes")
    material = library("trimesh.visual.material", "trimesh", "write meshes")
    name = _texture_path(path).stem
    if path.suffix.lower() == ".obj":
        plain = material.SimpleMaterial(image=image, name=name, diffuse=[255, 255, 255], specular=[0, 0, 0])
    else:
        plain = material.PBRMaterial(name=name, baseColorTexture=image, metallicFactor=0.0, roughnessFactor=0.6)
    return texture.TextureVisuals(uv=mesh.uv, material=plain)


def _write_obj(path: Path, made: Any) -> None:  # noqa: ANN401 - a Trimesh
    """An OBJ file, with its material and texture beside it under its name."""
    obj = library("trimesh.exchange.obj", "trimesh", "write meshes")
    text, beside = obj.export_obj(made, return_texture=True, mtl_name=_material_path(path).name)
    for name, data in beside.items():
        with writing(path.with_name(name)) as file:
            file.write(data)
    with writing(path) as file:
        file.write(text.encode("utf-8"))


def _material_path(path: Path) -> Path:
    return path.with_name(f"{_word(path.stem)}.mtl")


def _texture_path(path: Path) -> Path:
    """Never the picture's own name: an OBJ's texture lies beside it."""
    return path.with_name(f"{_word(path.stem)}_texture.png")


def _word(name: str) -> str:
    """A name in UTF-8 without spaces, at which many readers of OBJ files end a file's name."""
    return "_".join(name.encode("utf-8", "replace").decode("utf-8").replace("?", "_").split())
