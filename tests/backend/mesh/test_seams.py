# SPDX-License-Identifier: GPL-3.0-or-later
"""Splitting at seams keeps the surface and every corner's UV, with as few vertices as possible."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.flow.products import Mesh, Texture
from backend.mesh.seams import split_at_seams


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    """Draw a mesh with UVs by corner, few different ones so that many corners agree."""
    vertex_count, triangle_count = draw(st.integers(1, 8)), draw(st.integers(0, 20))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tones = np.array(draw(st.lists(st.floats(width=32), min_size=1, max_size=3)), np.float32)
    return Mesh(
        random.normal(size=(vertex_count, 3)).astype(np.float32),
        random.integers(0, vertex_count, (triangle_count, 3)).astype(np.int32),
        random.choice(tones, (triangle_count, 3, 2)),
        random.random((vertex_count, 3), np.float32),
        random.random((vertex_count, 3), np.float32),
        Texture(np.zeros((2, 2, 4), np.uint8)),
    )


@given(meshes())
def test_every_corner_keeps_its_place_uv_colour_and_normal(mesh: Mesh) -> None:
    split = split_at_seams(mesh)
    assert (split.uv.dtype, split.triangles.dtype) == (np.float32, np.int32)
    assert split.uv.shape == (len(split.vertices), 2)
    np.testing.assert_array_equal(split.vertices[split.triangles], mesh.vertices[mesh.triangles])
    np.testing.assert_array_equal(split.corner_uv, mesh.corner_uv)
    assert mesh.colours is not None
    assert mesh.normals is not None
    assert split.colours is not None
    assert split.normals is not None
    np.testing.assert_array_equal(split.colours[split.triangles], mesh.colours[mesh.triangles])
    np.testing.assert_array_equal(split.normals[split.triangles], mesh.normals[mesh.triangles])
    assert split.texture is mesh.texture


@given(meshes())
def test_there_are_no_more_vertices_than_different_uvs(mesh: Mesh) -> None:
    corners = zip(mesh.triangles.ravel().tolist(), mesh.uv.reshape(-1, 2), strict=True)
    different = {(vertex, (uv + np.float32(0)).tobytes()) for vertex, uv in corners}
    assert len(split_at_seams(mesh).vertices) == len(different)


def test_a_mesh_with_uvs_by_vertex_is_returned_as_it_is() -> None:
    mesh = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32), np.zeros((3, 2), np.float32))
    assert split_at_seams(mesh) is mesh


def test_only_vertices_on_a_seam_are_duplicated() -> None:
    # A square of two triangles, and a seam along one of them.
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    flat = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    vertices = np.concatenate([flat, np.zeros((4, 1), np.float32)], axis=1)
    mesh = Mesh(vertices, triangles, flat[triangles])
    np.testing.assert_array_equal(split_at_seams(mesh).vertices, vertices)
    apart = flat[triangles] + np.array([[[0, 0]], [[2, 0]]], np.float32)
    split = split_at_seams(replace(mesh, uv=apart))
    np.testing.assert_array_equal(split.vertices, vertices[[0, 0, 1, 2, 2, 3]])
    np.testing.assert_array_equal(split.triangles, [[0, 2, 3], [1, 4, 5]])
