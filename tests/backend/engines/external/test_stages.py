# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a program's mesh: its image stays or goes, its faces are reduced, the picture finds its place."""

import numpy as np
import pytest

from backend.engines.external.exchange import Brought
from backend.engines.external.stages import reduce_mesh, take_mesh, unless_textured
from backend.flow.products import Mesh, Noted, Report, Texture
from backend.flow.stage import Stage

BALL = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
IMAGE = Texture(np.full((4, 4, 4), 255, np.uint8))


def mesh_of(*, textured: bool) -> Mesh:
    """A fan of triangles over one edge."""
    triangles = np.array([(0, 1, at) for at in range(2, 60)], np.int32)
    uv = np.zeros((58, 3, 2), np.float32) if textured else np.zeros((60, 2), np.float32)
    return Mesh(BALL, triangles, uv, texture=IMAGE if textured else None)


def silent(_step: int, _of: int) -> None:
    pass


def test_own_colours_decide_whether_the_image_stays() -> None:
    brought = Brought(mesh=mesh_of(textured=True), notes=("Said so.",))
    kept, dropped = (take_mesh(brought, own_colours=own, report=silent) for own in (True, False))
    assert isinstance(kept, Noted)
    assert isinstance(dropped, Noted)
    assert kept.notes[0] == dropped.notes[0] == "Said so."
    assert kept.product.texture is IMAGE
    assert dropped.product.texture is None
    assert dropped.product.uv.shape == (60, 2)


def test_a_mesh_with_an_image_keeps_its_faces_and_says_so() -> None:
    reduced = reduce_mesh(mesh_of(textured=True), faces=10, report=silent)
    assert isinstance(reduced, Noted)
    assert len(reduced.product.triangles) == 58
    assert "keeps its 58 triangles" in reduced.notes[0]
    assert reduce_mesh(mesh_of(textured=True), faces=58, report=silent).texture is IMAGE  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(("textured", "own", "coloured"), [(True, True, 0), (True, False, 1), (False, True, 1)])
def test_only_a_mesh_that_keeps_its_image_is_not_coloured(*, textured: bool, own: bool, coloured: int) -> None:
    calls: list[int] = []

    def colour(mesh: Mesh, cutout: str, *, size: int, report: Report) -> Mesh:
        calls.append(size)
        assert cutout == "cutout"
        return mesh

    stage = unless_textured(Stage("colour", "Colouring", "mesh", ("mesh", "cutout"), ("size",), colour))
    mesh = mesh_of(textured=textured)
    assert stage.run(mesh, "cutout", Brought(mesh=mesh), size=5, own_colours=own, report=silent) is mesh
    assert calls == [5] * coloured
