# SPDX-License-Identifier: GPL-3.0-or-later
"""Reducing keeps to the budget, with UVs, colours and normals."""

from dataclasses import replace

import numpy as np
import pytest

from backend.flow.products import Mesh
from backend.mesh import check
from backend.mesh.reduce import reduce
from tests.backend.mesh.solids import CORNERS, ball, ignore, mesh_of


def test_the_budget_is_kept_and_the_mesh_stays_closed() -> None:
    reduced = reduce(mesh_of(*ball()), faces=400, report=ignore)
    assert len(reduced.triangles) <= 400
    assert check.is_closed(reduced.triangles)
    assert (reduced.vertices.dtype, reduced.triangles.dtype, reduced.uv.dtype) == (np.float32, np.int32, np.float32)


@pytest.mark.parametrize("faces", [600, 1_000_000])
def test_uvs_colours_and_normals_fit_the_reduced_surface(faces: int) -> None:
    points, triangles = ball()
    given = replace(
        mesh_of(points, triangles),
        colours=(points / 2 + 0.5).astype(np.float32),
        normals=points.astype(np.float32),
    )
    reduced = reduce(given, faces=faces, report=ignore)
    assert len(reduced.triangles) <= min(faces, len(triangles))
    assert reduced.colours is not None
    assert reduced.normals is not None
    np.testing.assert_allclose(reduced.uv, reduced.vertices[:, [0, 2]] + 0.5, atol=0.05)
    np.testing.assert_allclose(reduced.colours, reduced.vertices / 2 + 0.5, atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(reduced.normals, axis=1), 1, atol=1e-5)
    outward = reduced.vertices / np.linalg.norm(reduced.vertices, axis=1, keepdims=True)
    assert (reduced.normals * outward).sum(axis=1).min() > 0.95


def test_unused_vertices_are_dropped() -> None:
    mesh = mesh_of(np.concatenate([[[9, 9, 9]], CORNERS]))
    reduced = reduce(replace(mesh, triangles=mesh.triangles + 1), faces=10, report=ignore)
    assert len(reduced.vertices) == len(reduced.uv) == 4


def test_uvs_by_corner_are_refused() -> None:
    mesh = mesh_of(CORNERS)
    with pytest.raises(ValueError, match="UVs by corner"):
        reduce(replace(mesh, uv=mesh.corner_uv), faces=10, report=ignore)


def test_nothing_stays_nothing() -> None:
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 2), np.float32))
    assert reduce(empty, faces=10, report=ignore).vertices.shape == (0, 3)
