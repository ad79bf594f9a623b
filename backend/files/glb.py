# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB files (glTF 2.0, Khronos Group 2017) as one mesh with one material, with numpy and the standard library alone.

It reads what other programs export of one object: triangles of all nodes, normals left out, with UVs, colours of
vertices, and the images of a material. Compressed meshes are refused with their extension's name.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32Array, Float64Array, Int32Array, UInt8Array
from ..errors import UserError
from ..flow.products import Mesh, Picture, Texture
from ..raster.colour import linear_to_srgb, srgb_to_linear
from ..safe_files import read_small
from .encoded import picture_of
from .meshes import Y_UP

MAX_BYTES = 1 << 30
_MAGIC, _JSON, _BINARY = b"glTF", 0x4E4F534A, 0x004E4942
_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES = 4
_MAX_DEPTH = 64  # of nodes below each other
_HARMLESS = {"KHR_materials_unlit"}  # what a file may require that changes nothing that is read

Document = Mapping[str, Any]


@dataclass(frozen=True)
class _Part:
    """A node's triangles of one material, in Blender's axes.

    vertices: float32 (V, 3). triangles: int32 (T, 3). uv: float32 (V, 2) with v upward, or None. colours: float32
    (V, 3), sRGB, or None. material: its number, if it has an image of its base colour, else None.
    """

    vertices: Float32Array
    triangles: Int32Array
    uv: Float32Array | None
    colours: Float32Array | None
    material: int | None


def read_glb(path: Path) -> tuple[Mesh, tuple[str, ...]]:
    """Read all triangles of a file, z up, and sentences on what of it could not be used.

    The mesh has its UVs by corner and a texture if all of it has one image; else its uv is zeros, (V, 2). Its colours
    are those of its vertices, if all have some. Raises UserError "bad-mesh-file".
    """
    try:
        document, binary = _pieces(read_small(path, MAX_BYTES))
        parts = [*_parts(document, binary)]
        if not parts:
            raise ValueError("it holds no triangles")  # noqa: TRY301 - said below, as all that a file can be
        return _joined(parts, document, binary)
    except OSError as error:
        sentence = f"“{path.name}” cannot be opened: {error.strerror or type(error).__name__}."
        raise UserError("bad-mesh-file", sentence, "Check the path and its permissions.") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, struct.error) as error:
        reason = str(error) if type(error) is ValueError else "it is damaged"
        sentence = f"“{path.name}” cannot be read as a GLB file: {reason}."
        raise UserError("bad-mesh-file", sentence, "Export it again, without compression.") from error


def _pieces(data: bytes) -> tuple[Document, bytes]:
    """The JSON and the binary chunk."""
    if data[:4] != _MAGIC or len(data) < 20:
        raise ValueError("it is none")
    version, _ = struct.unpack("<II", data[4:12])
    if version != 2:
        raise ValueError(f"it is of version {version}, and 2 is read")
    at, found = 12, dict[int, bytes]()
    while at + 8 <= len(data):
        length, kind = struct.unpack("<II", data[at : at + 8])
        if at + 8 + length > len(data):
            raise ValueError("it ends in the middle")
        found.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length
    document = json.loads(found[_JSON])
    needed = sorted({*document.get("extensionsRequired", ())} - _HARMLESS)
    if needed:
        raise ValueError(f"it needs {', '.join(map(str, needed))}")
    return document, found.get(_BINARY, b"")


def _parts(document: Document, binary: bytes) -> Iterator[_Part]:
    for mesh, matrix in _placed(document):
        for primitive in document["meshes"][mesh]["primitives"]:
            if primitive.get("mode", _TRIANGLES) == _TRIANGLES:
                yield _part(document, binary, primitive, matrix)


def _placed(document: Document) -> Iterator[tuple[int, Float64Array]]:
    """The meshes of a file's scene, by number, each with the matrix of its node, float64 (4, 4)."""
    nodes = document.get("nodes", [])
    scenes = document.get("scenes", [])
    children = {child for node in nodes for child in node.get("children", ())}
    roots = [number for number in range(len(nodes)) if number not in children]
    if scenes:
        roots = scenes[document.get("scene", 0)].get("nodes", [])
    waiting = [(number, np.eye(4), 0) for number in roots]
    seen: set[int] = set()
    while waiting:
        number, above, depth = waiting.pop(0)
        if number in seen or depth > _MAX_DEPTH:
            raise ValueError("its nodes are no tree")
        seen.add(number)
        matrix = above @ _matrix(nodes[number])
        waiting += [(child, matrix, depth + 1) for child in nodes[number].get("children", ())]
        if "mesh" in nodes[number]:
            yield nodes[number]["mesh"], matrix


def _matrix(node: Document) -> Float64Array:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # by columns
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _part(document: Document, binary: bytes, primitive: Document, matrix: Float64Array) -> _Part:
    attributes = primitive["attributes"]
    own = _values(document, binary, attributes["POSITION"]).astype(np.float64)
    places = (own @ matrix[:3, :3].T + matrix[:3, 3]) @ Y_UP.T.astype(np.float64)
    if not np.isfinite(places).all():
        raise ValueError("vertices have places that are no numbers")
    corners = (
        _values(document, binary, primitive["indices"]).reshape(-1)
        if "indices" in primitive
        else np.arange(len(own) - len(own) % 3)
    )
    triangles = corners[: len(corners) // 3 * 3].reshape(-1, 3).astype(np.int64)
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(own):
        raise ValueError("triangles name vertices that are not there")
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    number = primitive.get("material")
    coloured = {} if number is None else document["materials"][number].get("pbrMetallicRoughness", {})
    named = coloured.get("baseColorTexture")
    uv = attributes.get(f"TEXCOORD_{named.get('texCoord', 0)}") if named else None
    tones = attributes.get("COLOR_0")
    return _Part(
        places.astype(np.float32),
        triangles.astype(np.int32),
        None if uv is None else _flipped(_fitting(_values(document, binary, uv), own)),
        None if tones is None else _tones(_fitting(_values(document, binary, tones), own)),
        number if named else None,
    )


def _fitting(values: NDArray[Any], vertices: Float64Array) -> NDArray[Any]:
    if len(values) != len(vertices):
        raise ValueError("not every vertex has its UVs and colours")
    return values


def _flipped(uv: NDArray[Any]) -> Float32Array:
    """UVs with v upward: glTF counts it from the top."""
    return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1).astype(np.float32)


def _tones(linear: NDArray[Any]) -> Float32Array:
    return linear_to_srgb(np.clip(linear[:, :3], 0, 1).astype(np.float32))


def _values(document: Document, binary: bytes, number: int) -> NDArray[Any]:
    """An accessor's numbers, (N, C); those that are normalized as float32 in [-1, 1]."""
    accessor = document["accessors"][number]
    if "sparse" in accessor or "bufferView" not in accessor:
        raise ValueError("it has sparse accessors, which are not read")
    view = document["bufferViews"][accessor["bufferView"]]
    dtype, width = np.dtype(_TYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]]
    count, size = int(accessor["count"]), dtype.itemsize * width
    start = int(view.get("byteOffset", 0)) + int(accessor.get("byteOffset", 0))
    step = int(view.get("byteStride", size))
    lies_within = 0 <= start <= len(binary) - size - step * max(count - 1, 0)
    if document["buffers"][view["buffer"]].get("uri") or count < 0 or step < size or not lies_within:
        raise ValueError("its numbers lie outside of it")
    values = np.ndarray((count, width), dtype, binary, start, (step, dtype.itemsize))
    if accessor.get("normalized"):
        return np.maximum(values.astype(np.float32) / np.iinfo(dtype).max, -1)
    return values


def _joined(parts: Sequence[_Part], document: Document, binary: bytes) -> tuple[Mesh, tuple[str, ...]]:
    firsts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = np.concatenate([part.triangles + first for part, first in zip(parts, firsts, strict=False)])
    colours = [part.colours for part in parts if part.colours is not None]
    vertices = np.concatenate([part.vertices for part in parts])
    mesh = Mesh(
        vertices,
        triangles.astype(np.int32),
        np.zeros((len(vertices), 2), np.float32),
        colours=np.concatenate(colours) if len(colours) == len(parts) else None,
    )
    materials = {part.material for part in parts}
    if materials == {None}:
        return mesh, ()
    uvs = [part.uv[part.triangles] for part in parts if part.uv is not None]
    if len(materials) > 1 or len(uvs) < len(parts):
        return mesh, ("Its own colours were not used: it has several materials, and one with an image is read.",)
    try:
        texture = _texture(document, binary, document["materials"][materials.pop()])
    except ValueError as error:
        return mesh, (f"Its own colours were not used, because an image of it cannot be read: {error}.",)
    return replace(mesh, uv=np.concatenate(uvs), texture=texture), ()


def _texture(document: Document, binary: bytes, material: Document) -> Texture:
    """A material's images. Raises ValueError if one cannot be read."""
    surface = material["pbrMetallicRoughness"]
    base, both, normal = (
        _picture(document, binary, named)
        for named in (
            surface["baseColorTexture"],
            surface.get("metallicRoughnessTexture"),
            material.get("normalTexture"),
        )
    )
    tint = np.array(surface.get("baseColorFactor", (1, 1, 1)), np.float32)[:3]
    if base is not None and (tint < 1).any():
        light = srgb_to_linear(base[..., :3] / np.float32(255)) * np.clip(tint, 0, 1)
        base[..., :3] = np.rint(linear_to_srgb(light) * 255)
    return Texture(
        base,
        None if normal is None else normal[..., :3],
        None if both is None else _scaled(both[..., 1], surface.get("roughnessFactor", 1)),
        None if both is None else _scaled(both[..., 2], surface.get("metallicFactor", 1)),
    )


def _picture(document: Document, binary: bytes, named: Document | None) -> Picture | None:
    if named is None:
        return None
    source = document["textures"][named["index"]].get("source")
    image = {} if source is None else document["images"][source]
    if "bufferView" not in image:
        raise ValueError("it lies outside of the file, or is of a rare kind")
    view = document["bufferViews"][image["bufferView"]]
    start = int(view.get("byteOffset", 0))
    return picture_of(binary[start : start + int(view["byteLength"])])


def _scaled(channel: UInt8Array, factor: float) -> UInt8Array:
    """A channel, uint8 (H, W), times a factor of the material's."""
    return np.rint(channel * np.float32(min(max(factor, 0.0), 1.0))).astype(np.uint8)
