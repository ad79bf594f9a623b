# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours of meshes that people bring, as files have them: images, single colours, and colours of vertices."""

from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Float32Array
from ..errors import UserError
from ..flow.products import Mesh, Picture, Texture
from ..raster.colour import linear_to_srgb, srgb_to_linear
from .scenes import Part, SceneFile, read_scene


def read_coloured(path: Path) -> list[Mesh]:
    """Read a mesh's file as `read_scene` does, a mesh for each of its nodes, in Blender's axes, with its colours.

    Each has its base colours as `texture`, else as `colours`, else neither. Raises `UserError`, and if no node has any
    colours.
    """
    meshes = read_parts(path)
    if all(mesh.texture is None and mesh.colours is None for mesh in meshes):
        sentence = f"“{path.name}” holds no colours."
        raise UserError("bad-mesh-file", sentence, "Use a file with an image, such as a GLB file.")
    return meshes


def vertex_colours(scene: SceneFile) -> Float32Array | None:
    """The colours of the vertices of a file's whole mesh, float32 (V, 3), sRGB in [0, 1]; None if a part has none."""
    parts: list[Float32Array] = []
    for part in scene.parts:
        if getattr(part.visual, "material", None) is not None:
            return None
        colours = _of(part.visual, len(part.vertices), linear=scene.graph is not None, mapped=False)[1]
        if colours is None:
            return None
        parts.append(colours)
    return np.concatenate(parts)


def read_parts(path: Path) -> list[Mesh]:
    """Read a mesh's file as `read_coloured` does, but also one without any colours. Raises `UserError`."""
    scene = read_scene(path)
    try:
        firsts = accumulate((len(part.vertices) for part in scene.parts), initial=0)
        return [_mesh(scene, part, first) for part, first in zip(scene.parts, firsts, strict=False)]
    except Exception as error:  # a damaged image can make a decoder raise anything
        sentence = f"The colours of “{path.name}” cannot be read."
        raise UserError("bad-mesh-file", sentence, "Export it again, as GLB if you can.") from error


def _mesh(scene: SceneFile, part: Part, first: int) -> Mesh:
    """One part's mesh; first: the number of its first vertex in the whole mesh."""
    rows = slice(first, first + len(part.vertices))
    vertices, normals = scene.mesh.vertices[rows], scene.mesh.normals
    uv = getattr(part.visual, "uv", None)
    mapped = uv is not None and len(uv) == len(vertices)
    image, colours = _of(part.visual, len(vertices), linear=scene.graph is not None, mapped=mapped)
    return Mesh(
        vertices,
        part.triangles,
        np.asarray(uv, np.float32) if mapped else np.zeros((len(vertices), 2), np.float32),
        colours=colours,
        normals=None if normals is None else normals[rows],
        texture=None if image is None else Texture(image),
    )


def _of(visual: Any, count: int, *, linear: bool, mapped: bool) -> tuple[Picture | None, Float32Array | None]:  # noqa: ANN401 - trimesh's own type
    """The image of a part's base colours, or the colours of its `count` vertices, sRGB in [0, 1], if it has either.

    linear: single colours of the file are linear light, as glTF has them.
    """
    material = getattr(visual, "material", None)
    if material is None:
        return None, _tones(visual.vertex_colors[:, :3], linear=linear) if visual.defined else None
    of_gltf = hasattr(material, "baseColorTexture")
    picture = material.baseColorTexture if of_gltf else material.image
    factor = material.baseColorFactor if of_gltf else material.diffuse
    if picture is None or not mapped:
        if factor is None:
            return None, None
        return None, np.repeat(_tones(np.asarray(factor)[None, :3], linear=of_gltf), count, axis=0)
    image = np.array(picture.convert("RGBA"))
    if of_gltf and factor is not None and (np.asarray(factor)[:3] < 255).any():  # of OBJ files no reader multiplies
        light = srgb_to_linear(image[..., :3] / np.float32(255)) * (np.asarray(factor)[:3] / np.float32(255))
        image[..., :3] = np.rint(linear_to_srgb(light) * 255)
    return image, None


def _tones(colours: Any, *, linear: bool) -> Float32Array:  # noqa: ANN401 - an array of trimesh's
    tones = np.asarray(colours, np.float32) / np.float32(255)
    return linear_to_srgb(tones) if linear else tones
