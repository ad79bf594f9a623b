# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of a smooth surface."""

import numpy as np

from backend.mesh.smooth import smooth_normals


def test_a_cubes_corner_looks_along_its_diagonal_however_its_faces_are_cut() -> None:
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], np.float32)
    triangles = np.array([[0, 2, 4], [0, 4, 1], [0, 1, 3], [0, 3, 2]], np.int32)
    np.testing.assert_allclose(smooth_normals(corner, triangles)[0], -np.ones(3) / np.sqrt(3), atol=1e-6)


def test_what_has_no_area_has_a_unit_normal_all_the_same() -> None:
    vertices = np.zeros((4, 3), np.float32)
    vertices[1, 0] = 1.0
    normals = smooth_normals(vertices, np.array([[0, 1, 2], [0, 0, 1]], np.int32))
    np.testing.assert_array_equal(normals, np.tile((0, 0, 1), (4, 1)))
