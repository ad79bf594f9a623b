# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes without any model."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

from backend.arrays import Float32Array
from backend.detailverse.sculptures import sculpture, surface
from backend.mesh.check import is_closed, pinched_vertices, signed_volume
from backend.training.shapes.field import distances
from backend.training.shapes.sculptures import THINGS, draw_shape, draw_thing
from backend.training.shapes.solids import Shape


def test_a_sculpture_is_closed_coloured_standing_and_within_its_budget() -> None:
    kinds = {kind.__name__ for kind, _ in THINGS}
    made = [sculpture(5, number, 48, 1500) for number in range(2)]
    for kind, mesh in made:
        assert kind in kinds
        assert is_closed(mesh.triangles)
        assert pinched_vertices(mesh.triangles) == 0
        assert 100 < len(mesh.triangles) <= 1500
        assert signed_volume(mesh.vertices, mesh.triangles) > 0
        assert np.ptp(mesh.vertices, axis=0).max() == pytest.approx(1)
        assert mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-6)
        assert mesh.colours is not None
        assert mesh.colours.min() >= 0
        assert mesh.colours.max() <= 1
    first = made[0][1].vertices
    assert np.array_equal(sculpture(5, 0, 48, 1500)[1].vertices, first)
    assert not np.array_equal(sculpture(6, 0, 48, 1500)[1].vertices, first)


def test_the_surface_is_where_the_distances_are_zero() -> None:
    shape = draw_shape(np.random.default_rng(4))
    mesh = surface(shape, 64)
    cell = 2 * 1.02 * shape.radius / 64
    off = distances(np.ascontiguousarray(mesh.vertices.T, np.float64), shape, 1, cell)
    assert np.abs(off).mean() < 0.1 * cell
    assert np.abs(off).max() < cell


def test_a_things_word_changes_nothing_of_its_shape() -> None:
    word, shape = draw_thing(np.random.default_rng(9))
    assert word.isidentifier()
    assert np.array_equal(shape.rows, draw_shape(np.random.default_rng(9)).rows)


def test_a_shape_that_reaches_the_border_is_closed_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.detailverse import sculptures

    def full(_shape: Shape, cells: int, _pixel: float) -> tuple[Float32Array, float]:
        return np.full((cells + 1,) * 3, -1.0, np.float32), 1.0

    monkeypatch.setattr(sculptures, "volume", full)
    mesh = surface(draw_shape(np.random.default_rng(4)), 8)
    assert is_closed(mesh.triangles)
    assert len(mesh.triangles) > 0
