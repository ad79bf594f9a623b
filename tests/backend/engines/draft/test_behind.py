# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft's back takes the relief that a picture from behind shows, where it shows it."""

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.engines.draft.geometry import build
from backend.flow.products import Mesh, NormalMap, Noted
from backend.mesh import check
from tests.backend.engines.draft.test_geometry import ignore

SIZE = 128
DENT = (-16.0, 14.0)  # right and down of the middle, as the front's viewer sees it through the body


def egg() -> tuple[Float64Array, Float64Array, Float64Array]:
    """An outline that looks like no other from anywhere: column, row and the height of a body over it, 0 outside."""
    row, column = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    angle = np.arctan2(row, column)
    radius = 44 * (1 + 0.2 * np.cos(angle) + 0.12 * np.sin(2 * angle))
    return column, row, 30 * np.sqrt(np.maximum(1 - (np.hypot(row, column) / radius) ** 2, 0))


def normals_of(height: Float64Array) -> NormalMap:
    down, right = np.gradient(height)
    normals = np.dstack([-right, down, np.ones_like(height)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return NormalMap(normals.astype(np.float32), (height > 0).astype(np.float32))


def dented() -> NormalMap:
    """The same body from behind, mirrored so, with a deep dent."""
    column, row, height = egg()
    dent = 10 * np.exp(-((column - DENT[0]) ** 2 + (row - DENT[1]) ** 2) / (2 * 6**2))
    return normals_of((np.where(height > 0, np.maximum(height - dent, 0.1), 0))[:, ::-1])


def built(behind: NormalMap | None = None) -> tuple[Mesh, tuple[str, ...]]:
    made = build(normals_of(egg()[2]), 0, ignore, upright=False, back_normal_map=behind)
    return (made.product, made.notes) if isinstance(made, Noted) else (made, ())


def depth_at(mesh: Mesh, right: float, down: float) -> float:
    """How far behind the viewer's plane the back lies at a place, in pixels."""
    places = mesh.vertices.astype(np.float64) * SIZE
    near = np.hypot(places[:, 0] - right, -places[:, 2] - down) < 3
    return float(places[near, 1].max())


def test_a_dent_of_the_back_is_where_its_picture_shows_it() -> None:
    (plain, _), (mesh, notes) = built(), built(dented())
    assert notes == ()
    assert check.is_closed(mesh.triangles)
    assert check.signed_volume(mesh.vertices, mesh.triangles) > 0
    moved = [depth_at(plain, *place) - depth_at(mesh, *place) for place in (DENT, (-DENT[0], -DENT[1]), (22.0, -2.0))]
    assert moved[0] > 2
    assert moved[0] > 3 * max(moved[1:])


def test_the_front_stays_as_it_is() -> None:
    (plain, _), (mesh, _) = built(), built(dented())
    for place in (DENT, (0.0, 0.0), (20.0, 10.0)):
        fronts = []
        for each in (plain, mesh):
            places = each.vertices.astype(np.float64) * SIZE
            near = np.hypot(places[:, 0] - place[0], -places[:, 2] - place[1]) < 3
            fronts.append(places[near, 1].min())
        assert fronts[1] == pytest.approx(fronts[0], abs=0.3)
