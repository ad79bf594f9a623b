# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures tell closed manifolds from other meshes."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.mesh import check
from tests.backend.mesh.solids import CORNERS, FACES


def test_a_tetrahedron_is_closed_manifold_and_has_its_volume() -> None:
    assert check.is_closed(FACES)
    assert check.pinched_vertices(FACES) == 0
    assert check.signed_volume(CORNERS, FACES) == pytest.approx(1 / 6)
    assert check.signed_volume(CORNERS + 100, FACES) == pytest.approx(1 / 6, rel=1e-3)
    assert check.signed_volume(CORNERS, FACES[:, ::-1]) == pytest.approx(-1 / 6)


@pytest.mark.parametrize(
    "broken",
    [
        FACES[1:],  # a hole
        np.concatenate([FACES, FACES[:1]]),  # a face twice
        np.concatenate([FACES[:1, ::-1], FACES[1:]]),  # a face turned over
        np.concatenate([FACES, [[1, 1, 2]]]),  # a face without area
    ],
)
def test_a_mesh_that_is_not_closed_is_found(broken: NDArray[Any]) -> None:
    assert not check.is_closed(broken)


def test_two_solids_that_touch_in_a_vertex_are_pinched_there() -> None:
    second = np.where(FACES == 0, 0, FACES + 3)
    both = np.concatenate([FACES, second])
    assert check.is_closed(both)
    assert check.pinched_vertices(both) == 1
    assert len(np.unique(check.vertex_components(both, 7))) == 1


def test_components_are_labelled_by_their_smallest_vertex() -> None:
    both = np.concatenate([FACES, FACES + 4])
    np.testing.assert_array_equal(check.vertex_components(both, 9), [0, 0, 0, 0, 4, 4, 4, 4, 8])


def test_no_triangles_are_a_closed_mesh_without_volume() -> None:
    nothing = np.zeros((0, 3), np.int32)
    assert check.is_closed(nothing)
    assert check.pinched_vertices(nothing) == 0
    assert check.signed_volume(np.zeros((0, 3)), nothing) == 0
