# SPDX-License-Identifier: GPL-3.0-or-later
"""A placed mesh stands centred on the floor and is one metre long."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Int32Array
from backend.errors import UserError
from backend.mesh.place import place
from tests.backend.mesh.solids import CORNERS, FACES, ignore, mesh_of


@given(scale=st.tuples(*[st.floats(0.01, 10)] * 3), shift=st.tuples(*[st.floats(-5, 5)] * 3))
def test_it_stands_centred_on_the_floor_and_is_one_metre_long(
    *, scale: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    placed = place(mesh_of(CORNERS * scale + shift), report=ignore)
    low, high = placed.vertices.min(axis=0), placed.vertices.max(axis=0)
    assert (high - low).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(low[:2], -high[:2], atol=1e-5)
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert placed.vertices.dtype == np.float32


def test_unused_vertices_do_not_count() -> None:
    placed = place(mesh_of(np.concatenate([[[9, 9, 9]], CORNERS]), FACES + 1), report=ignore)
    np.testing.assert_allclose(placed.vertices[1:], CORNERS - [0.5, 0.5, 0], atol=1e-6)


@pytest.mark.parametrize("triangles", [np.zeros((0, 3), np.int32), np.zeros((1, 3), np.int32)])
def test_a_mesh_without_extent_is_an_error(triangles: Int32Array) -> None:
    with pytest.raises(UserError) as caught:
        place(mesh_of(CORNERS, triangles), report=ignore)
    assert caught.value.code == "empty-mesh"
