# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft's back takes the relief that a picture from behind shows, where it shows it."""

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.engines.draft.behind import Behind
from backend.engines.draft.geometry import build
from backend.engines.draft.pose import PARALLEL
from backend.flow.products import Mesh, NormalMap
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


def relief(behind: NormalMap) -> tuple[Float64Array, tuple[str, ...]]:
    """By how much a picture from behind moves the back of the plain body towards the viewer, and what is noted."""
    height, notes = egg()[2], list[str]()
    hold = (2 * np.pi / SIZE) ** 2
    made = Behind(behind, PARALLEL, notes).relief(height, -height, height > 0, hold, SIZE, lambda _: None)
    return made + height, tuple(notes)


def at(image: Float64Array, right: float, down: float) -> float:
    middle = (SIZE - 1) / 2
    return float(image[round(middle + down), round(middle + right)])


def test_a_dent_of_the_back_is_where_its_picture_shows_it() -> None:
    moved, notes = relief(dented())
    assert notes == ()
    assert at(moved, *DENT) > 4
    for other in ((-DENT[0], DENT[1]), (DENT[0], -DENT[1]), (-DENT[0], -DENT[1]), (0.0, 0.0)):
        assert abs(at(moved, *other)) < 2


def test_a_picture_of_something_else_moves_nothing_and_is_noted() -> None:
    bar = np.zeros((SIZE, SIZE))
    bar[10:118, 58:70] = 5
    moved, notes = relief(normals_of(bar))
    assert not moved[egg()[2] > 0].any()
    assert notes[0].startswith("The picture from behind: Its outline agrees with the body to ")


def test_the_body_stays_closed_and_its_front_as_it_is() -> None:
    plain, mesh = (
        build(normals_of(egg()[2]), 0, ignore, upright=False, back_normal_map=behind) for behind in (None, dented())
    )
    assert isinstance(plain, Mesh)
    assert isinstance(mesh, Mesh)
    assert check.is_closed(mesh.triangles)
    assert check.signed_volume(mesh.vertices, mesh.triangles) > 0
    for right, down in (DENT, (0.0, 0.0), (20.0, 10.0)):
        fronts: list[float] = []
        for places in (each.vertices.astype(np.float64) * SIZE for each in (plain, mesh)):
            near = np.hypot(places[:, 0] - right, -places[:, 2] - down) < 3
            fronts.append(float(places[near, 1].min()))
        assert fronts[1] == pytest.approx(fronts[0], abs=0.3)
