# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as files; trimesh knows the formats."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Float32Array, UInt8Array
from ..errors import UserError
from ..flow.products import Mesh, Picture, Texture
from ..mesh.seams import split_at_seams
from ..mesh.smooth import smooth_normals
from .outputs import check_name, check_output, is_one_of, library, writing

MESH_SUFFIXES = (".glb", ".obj", ".stl", ".ply")
Y_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)  # row vectors: (x, y, z) -> (x, z, -y)
Y_UP_SUFFIXES = (".glb", ".obj")  # glTF demands it, and OBJ files are read so by nearly every program
MILLIMETRES = np.float32(1000.0)  # in a metre
MAX_TEXTURE = 4096


def check_mesh_path(path: Path, *kept: Path) -> None:
    """Refuse, before any work is done, a path that `write_mesh` could not write to. Raises `UserError`.

    kept: files that must not be written over by those that lie beside an OBJ file.
    """
    library("trimesh", "trimesh", "write meshes")
    check_output(path, MESH_SUFFIXES, "mesh")
    if path.suffix.lower() == ".obj":
        for beside in mesh_files(path)[1:]:
            check_name(beside)
            if is_one_of(beside, kept):
                sentence = f"“{path.name}” would write its own texture or material over “{beside.name}”."
                raise UserError("bad-output", sentence, "Give the mesh another name.")


def mesh_files(path: Path) -> tuple[Path, ...]:
    """The files that `write_mesh` makes: the path, and an OBJ file's material and texture."""
    return (path, _material_path(path), _texture_path(path)) if path.suffix.lower() == ".obj" else (path,)


def write_mesh(path: Path, mesh: Mesh, picture: Picture, *, smooth: bool = True) -> None:
    """Write a mesh in the format of the path's suffix, with its own images, else the picture, if the format holds any.

    obj holds the base colour alone. glb and obj are written y up, with smooth normals or, if not `smooth`, with those
    that the mesh has; stl and ply z up; stl in millimetres, which is what slicers take its numbers for, the others in
    metres. Colours of the vertices, sRGB, are written to ply as its own, and to glb as the attribute _COLOUR: its own
    would be multiplied with the texture. Raises `UserError`.
    """
    trimesh = library("trimesh", "trimesh", "write meshes")
    suffix = path.suffix.lower()
    if suffix in Y_UP_SUFFIXES:  # these hold one UV a vertex; the normals of its copies are the same
        normals = smooth_normals(mesh.vertices, mesh.triangles) if smooth else mesh.normals
        mesh = split_at_seams(replace(mesh, normals=normals))
        made = trimesh.Trimesh(
            mesh.vertices @ Y_UP,
            mesh.triangles,
            vertex_normals=None if mesh.normals is None else mesh.normals @ Y_UP,
            process=False,
            visual=textured(mesh.uv, material_of(mesh.texture, picture, path)),
        )
    else:
        scale = MILLIMETRES if suffix == ".stl" else np.float32(1.0)
        made = trimesh.Trimesh(mesh.vertices * scale, mesh.triangles, process=False)
    if mesh.colours is not None and suffix == ".ply":
        made.visual.vertex_colors = np.rint(mesh.colours * 255.0).astype(np.uint8)
    elif mesh.colours is not None and suffix == ".glb":
        made.vertex_attributes["_COLOUR"] = mesh.colours
    if suffix == ".obj":
        _write_obj(path, made)
    else:
        with writing(path) as file:
            file.write(made.export(file_type=suffix[1:]))


def textured(uv: Float32Array, material: object) -> Any:  # noqa: ANN401 - trimesh's own type
    """What trimesh calls the visual of a mesh: UVs, float32 (V, 2), and a material."""
    return library("trimesh.visual.texture", "trimesh", "write meshes").TextureVisuals(uv=uv, material=material)


def material_of(texture: Texture | None, picture: Picture | None, path: Path) -> Any:  # noqa: ANN401 - trimesh's own
    """The material, as trimesh has them, of images, or of the picture if there are none, for a file of this name."""
    own = texture or Texture()
    base_colour = None if texture and own.base_colour is None else _image(own.base_colour, picture)
    material = library("trimesh.visual.material", "trimesh", "write meshes")
    name = _texture_path(path).stem
    if path.suffix.lower() == ".obj":
        return material.SimpleMaterial(image=base_colour, name=name, diffuse=[255, 255, 255], specular=[0, 0, 0])
    surface = _roughness_and_metallic(own)
    return material.PBRMaterial(
        name=name,
        baseColorTexture=base_colour,
        normalTexture=None if own.normal is None else _image(own.normal),
        metallicRoughnessTexture=None if surface is None else _image(surface),
        metallicFactor=0.0 if own.metallic is None else 1.0,
        roughnessFactor=0.6 if own.roughness is None else 1.0,
    )


def _image(pixels: UInt8Array | None, otherwise: Picture | None = None) -> Any:  # noqa: ANN401 - a Pillow image
    shown = otherwise if pixels is None else pixels
    assert shown is not None  # noqa: S101 - one of them is given
    image = library("PIL.Image", "Pillow", "write textures").fromarray(np.ascontiguousarray(shown[..., :3]))
    image.thumbnail((MAX_TEXTURE, MAX_TEXTURE))
    return image


def _roughness_and_metallic(texture: Texture) -> UInt8Array | None:
    """Both as one image, uint8 (H, W, 3): glTF has the roughness in green, the metallic in blue; None if neither is."""
    parts = (texture.roughness, texture.metallic)
    there = [part for part in parts if part is not None]
    if not there:
        return None
    height, width = (max(part.shape[axis] for part in there) for axis in (0, 1))
    rows, columns = (np.arange(side) / side for side in (height, width))
    channels = [
        np.full((height, width), 255, np.uint8)
        if part is None
        else part[np.ix_((rows * part.shape[0]).astype(int), (columns * part.shape[1]).astype(int))]
        for part in parts
    ]
    return np.stack([np.zeros((height, width), np.uint8), *channels], axis=-1)


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
