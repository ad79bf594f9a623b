# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes that people bring, as files: read as one mesh, and written with new UVs and one image.

glTF files keep their nodes and transforms; of what the other formats hold the triangles come through.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Float32Array, Int32Array
from ..errors import UserError
from ..flow.products import Mesh, Picture
from ..mesh.seams import split_at_seams
from .meshes import Y_UP, material_of, mesh_files, textured, write_mesh
from .outputs import check_name, check_output, is_one_of, library, writing

READ_SUFFIXES = (".glb", ".gltf", ".obj", ".ply", ".stl")
WRITTEN_SUFFIXES = (".glb", ".obj")
"""Those that hold an image."""
_NODES = (".glb", ".gltf")
_Y_UP = (".glb", ".gltf", ".obj")


@dataclass(frozen=True)
class Part:
    """One node's triangles, in its own axes.

    vertices: float32 (V, 3). triangles: int32 (T, 3). normals: float32 (V, 3), those that the file had, or None. first:
    the number of its first triangle in the whole mesh. visual: its colours, as trimesh has them.
    """

    node: str
    vertices: Float32Array
    triangles: Int32Array
    normals: Float32Array | None
    first: int
    visual: Any


@dataclass(frozen=True)
class SceneFile:
    """A file's nodes, and all of their triangles as one mesh in Blender's axes, with its UVs by corner if it has some.

    graph: trimesh's, for files whose nodes and transforms are kept, else None.
    """

    mesh: Mesh
    parts: tuple[Part, ...]
    graph: Any


def read_scene(path: Path) -> SceneFile:
    """Read all triangles of a file of the formats `READ_SUFFIXES`. Raises `UserError`."""
    trimesh = library("trimesh", "trimesh", "read meshes")
    suffix = path.suffix.lower()
    if suffix not in READ_SUFFIXES:
        sentence = f"“{path.name}” does not end like a mesh that can be read."
        raise UserError("bad-mesh-file", sentence, f"Use one of {', '.join(READ_SUFFIXES)}.")
    _check_file(path)
    try:
        scene = trimesh.load(path, force="scene", process=False)
        return _read(scene, suffix)
    except UserError:
        raise
    except PermissionError as error:
        sentence = f"You have no permission to read “{path}”."
        raise UserError("no-permission", sentence, "Change the file's permissions, or copy it elsewhere.") from error
    except MemoryError as error:
        sentence = f"The memory was not enough to read “{path.name}”."
        raise UserError("out-of-memory", sentence, "Close other programs, or use a smaller mesh.") from error
    except Exception as error:  # a damaged file can make a reader raise anything
        sentence = f"“{path.name}” cannot be read as a mesh."
        raise UserError("bad-mesh-file", sentence, "Export it again, as GLB if you can.") from error


def check_scene_path(path: Path, *read: Path) -> None:
    """Refuse, before any work is done, a path that `write_scene` could not write to, or a file that is read.

    Raises `UserError`.
    """
    library("trimesh", "trimesh", "write meshes")
    check_output(path, WRITTEN_SUFFIXES, "mesh with an image")
    for file in mesh_files(path):
        check_name(file)
        if is_one_of(file, read):
            sentence = f"“{file}” is read, so it is not written over."
            raise UserError("bad-output", sentence, "Choose another name.")


def write_scene(path: Path, source: SceneFile, painted: Mesh, picture: Picture) -> None:
    """Write a file's triangles with the UVs by corner and the image of `painted`. Raises `UserError`.

    glTF that comes from glTF keeps its nodes and transforms; normals stay as the file had them, or are left out.
    """
    if source.graph is None or path.suffix.lower() != ".glb":
        write_mesh(path, painted, picture, smooth=False)
        return
    trimesh = library("trimesh", "trimesh", "write meshes")
    material = material_of(painted.texture, picture, path)
    scene = trimesh.Scene(base_frame=source.graph.base_frame)
    edges = {child: (parent, child, dict(about)) for parent, child, about in source.graph.to_edgelist()}
    for number, part in enumerate(source.parts):
        uv = painted.corner_uv[part.first : part.first + len(part.triangles)]
        split = split_at_seams(Mesh(part.vertices, part.triangles, uv, normals=part.normals))
        name = f"mesh_{number}"
        scene.geometry[name] = trimesh.Trimesh(
            split.vertices,
            split.triangles,
            vertex_normals=split.normals,
            process=False,
            visual=textured(split.uv, material),
        )
        edges[part.node][2]["geometry"] = name
    scene.graph.from_edgelist([*edges.values()])
    with writing(path) as file:
        file.write(scene.export(file_type="glb"))


def _read(scene: Any, suffix: str) -> SceneFile:  # noqa: ANN401 - trimesh's own type
    turn = Y_UP.T.astype(np.float64) if suffix in _Y_UP else np.eye(3)
    parts: list[Part] = []
    places: list[Float32Array] = []
    triangles: list[Int32Array] = []
    corners: list[Float32Array | None] = []
    normals: list[Float32Array | None] = []
    first = at = 0
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        shape = scene.geometry[name]
        faces = np.asarray(getattr(shape, "faces", ()), np.int32)
        if not len(faces):
            continue  # points and lines
        own = np.asarray(shape.vertices, np.float64)
        directions = _normals(shape)
        parts.append(Part(node, own.astype(np.float32), faces, directions, first, shape.visual))
        places.append(((own @ matrix[:3, :3].T + matrix[:3, 3]) @ turn).astype(np.float32))
        normals.append(None if directions is None else _turned(directions, matrix, turn))
        uv = getattr(shape.visual, "uv", None)
        corners.append(None if uv is None or len(uv) != len(own) else np.asarray(uv, np.float32)[faces])
        triangles.append(faces + at)
        first, at = first + len(faces), at + len(own)
    if not parts:
        raise UserError("bad-mesh-file", "The file holds no faces.", "Use a file with a mesh.")
    uvs = [each for each in corners if each is not None]
    shading = [each for each in normals if each is not None]
    mesh = Mesh(
        np.concatenate(places),
        np.concatenate(triangles),
        np.concatenate(uvs) if len(uvs) == len(parts) else np.zeros((at, 2), np.float32),
        normals=np.concatenate(shading) if len(shading) == len(parts) else None,
    )
    return SceneFile(mesh, tuple(parts), scene.graph if suffix in _NODES else None)


def _normals(shape: Any) -> Float32Array | None:  # noqa: ANN401 - trimesh's own type
    """The normals of vertices that the file brought, float32 (V, 3); None if trimesh would make them."""
    if "vertex_normals" not in shape._cache.cache:  # noqa: SLF001 - as trimesh's own writer of glTF asks
        return None
    return np.asarray(shape.vertex_normals, np.float32)


def _turned(normals: Float32Array, matrix: Any, turn: Any) -> Float32Array:  # noqa: ANN401 - float64 arrays
    """Normals in the scene's axes: by the inverse transpose of a node's transform, of length 1."""
    moved = normals @ np.linalg.pinv(matrix[:3, :3]) @ turn
    return (moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise UserError("no-mesh-file", f"There is no file “{path}”.", "Check the path.") from error
    if not stat.S_ISREG(mode):
        raise UserError("no-mesh-file", f"“{path}” is no file.", "Give the path of a mesh.")
