# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleaning turns a mesh outward, drops stray parts, and notes how many."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backend.flow.products import Mesh, Noted
from backend.mesh import check
from backend.mesh.clean import clean
from backend.mesh.parts import drop_floaters
from tests.backend.mesh.solids import CORNERS, FACES, ignore, mesh_of

PARTS = np.concatenate([CORNERS, CORNERS * 0.005 + 2, CORNERS * 0.004 - 1])
FACES_OF_PARTS = np.concatenate([FACES, FACES + 4, FACES + 8])


def notes(product: Mesh | Noted) -> tuple[str, ...]:
    return product.notes if isinstance(product, Noted) else ()


def product(cleaned: Mesh | Noted) -> Mesh:
    return cleaned.product if isinstance(cleaned, Noted) else cleaned


@pytest.mark.parametrize("stray", [None, drop_floaters])
def test_a_mesh_is_turned_outward_with_its_uvs(stray: Callable[[Mesh], tuple[Mesh, int]] | None) -> None:
    inward = mesh_of(CORNERS, FACES[:, ::-1])
    inward = replace(inward, uv=inward.corner_uv)
    cleaned = product(clean(inward, report=ignore, stray=stray))
    assert check.signed_volume(cleaned.vertices, cleaned.triangles) > 0
    np.testing.assert_array_equal(cleaned.corner_uv, (cleaned.vertices[:, [0, 2]] + 0.5)[cleaned.triangles])


def test_specks_are_dropped_and_small_parts_stay() -> None:
    parts = np.concatenate([CORNERS, CORNERS * 0.005 + 2, CORNERS * 0.1 - 1])
    cleaned = product(clean(mesh_of(parts, FACES_OF_PARTS), report=ignore))
    np.testing.assert_array_equal(cleaned.vertices, parts[[0, 1, 2, 3, 8, 9, 10, 11]].astype(np.float32))


def test_a_note_says_how_many_stray_parts_were_dropped() -> None:
    assert notes(clean(mesh_of(PARTS, FACES_OF_PARTS), report=ignore)) == ("2 stray parts were removed.",)
    assert notes(clean(mesh_of(PARTS[:8], FACES_OF_PARTS[:8]), report=ignore)) == ("1 stray part was removed.",)
    assert notes(clean(mesh_of(CORNERS), report=ignore)) == ()


def test_what_is_stray_can_be_chosen() -> None:
    flake = mesh_of(np.concatenate([CORNERS, CORNERS * [0.2, 0.2, 0.01] - 1]), FACES_OF_PARTS[:8])
    assert notes(clean(flake, report=ignore)) == ()
    assert notes(clean(flake, report=ignore, stray=drop_floaters)) == ("1 stray part was removed.",)
    every = product(clean(mesh_of(PARTS, FACES_OF_PARTS), report=ignore, stray=None))
    np.testing.assert_array_equal(every.triangles, FACES_OF_PARTS)
