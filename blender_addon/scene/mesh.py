# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh becomes an object, through arrays: a million triangles take a fifth of a second."""

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.wire.products import Mesh
from ..errors import AddonError
from . import material, normal_map, projection, texture
from .landing import Landing
from .material import COLOUR_ATTRIBUTE, Normals
from .projection import ATLAS, UV_MAP

NORMAL_ATTRIBUTE = "Hi3DGen Normal"


def land(landing: Landing, name: str, product: Mesh) -> None:
    """Add the object. Raises `AddonError` for a broken mesh."""
    landing.add(name, mesh_of(landing, name, product), landing.title)


def mesh_of(landing: Landing, name: str, product: Mesh) -> bpy.types.Mesh:
    """The mesh with its material: the images that it brings, else the picture. Raises `AddonError` if it is broken."""
    product = replace(product, vertices=landing.own(product.vertices))
    mesh = new_mesh(landing.title, product)
    if not landing.smooth:
        mesh.shade_flat()
    images = texture.images_of(landing, name, product)
    if product.textured and product.picture_uv is None:
        mesh.materials.append(material.textured_material(landing.title, images))
        return mesh
    made = material.projected_material(
        landing.title,
        landing.picture,
        _normals(landing, name, product),
        images,
        coloured=product.colours is not None,
    )
    mesh.materials.append(made)
    material.settle(made, mesh)
    return mesh


def _normals(landing: Landing, name: str, product: Mesh) -> Normals | None:
    """The result's normal map as the mesh shows it."""
    if landing.normal_map is None:
        return None
    corners = product.triangles.reshape(-1)
    some = projection.some_of(len(corners))
    seen = product.uv if product.picture_uv is None else product.picture_uv
    uv = product.corner_uv.reshape(-1, 2)[some] if seen is None else seen[corners[some]]
    axes = projection.axes_by(product.vertices[corners[some]], uv, landing.normal_map.size)
    return Normals(landing.normal_map, normal_map.as_colours(landing, name), axes)


def new_mesh(name: str, product: Mesh) -> bpy.types.Mesh:
    """A smooth mesh, with the colours and normals that came along as attributes.

    Raises `AddonError` if its arrays do not fit together or a vertex is non-finite.
    """
    vertices, triangles = product.vertices, product.triangles
    by_vertex = (product.uv, product.colours, product.vertex_normals, product.picture_uv)
    fits = all(len(array) == len(vertices) for array in by_vertex if array is not None)
    fits = fits and (product.corner_uv is None or len(product.corner_uv) == len(triangles))
    whole = len(triangles) > 0 and np.isfinite(vertices).all()
    if not (whole and fits and _within(triangles, len(vertices))):
        raise AddonError("The mesh that arrived is broken.", "Generate again; report it if it stays.")
    corners = np.ascontiguousarray(triangles).reshape(-1)
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.loops.add(len(corners))
    mesh.polygons.add(len(triangles))
    _fill(mesh.attributes["position"].data, "vector", vertices)
    _fill(mesh.attributes[".corner_vert"].data, "value", corners)
    _fill(mesh.polygons, "loop_start", np.arange(0, len(corners), 3, dtype=np.int32))
    # They are known to lie within: to clip them is three times as fast as to check them once more.
    uv = product.corner_uv if product.uv is None else product.uv.take(corners, axis=0, mode="clip")
    if uv is not None:
        name = UV_MAP if product.picture_uv is None else ATLAS  # which is the first one, see `switch`
        _fill(mesh.uv_layers.new(name=name, do_init=False).uv, "vector", uv)
    if product.picture_uv is not None:
        seen = product.picture_uv.take(corners, axis=0, mode="clip")
        _fill(mesh.uv_layers.new(name=UV_MAP, do_init=False).uv, "vector", seen)
    if product.colours is not None:
        colours = mesh.color_attributes.new(COLOUR_ATTRIBUTE, "FLOAT_COLOR", "POINT")
        _fill(colours.data, "color", _linear_rgba(product.colours))
        mesh.color_attributes.active_color = colours
    if product.vertex_normals is not None:
        normals = mesh.attributes.new(NORMAL_ATTRIBUTE, "FLOAT_VECTOR", "POINT")
        _fill(normals.data, "vector", product.vertex_normals)
    mesh.update(calc_edges=True)
    return mesh


def _within(triangles: NDArray[np.int32], count: int) -> bool:
    return int(triangles.min()) >= 0 and int(triangles.max()) < count


def _fill(target: Any, attribute: str, values: NDArray[Any]) -> None:  # noqa: ANN401 - any bpy collection
    target.foreach_set(attribute, np.ascontiguousarray(values).reshape(-1))


def _linear_rgba(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours, sRGB (V, 3) in [0, 1], as Blender keeps them: linear, with alpha (IEC 61966-2-1)."""
    colours = np.clip(colours, 0.0, 1.0)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.concatenate([linear, np.ones_like(linear[:, :1])], axis=1, dtype=np.float32)
