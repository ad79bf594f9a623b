# SPDX-License-Identifier: GPL-3.0-or-later
"""Which meshes get a normal texture; that it is read right is shown in Blender, see tests/blender_addon."""

from dataclasses import replace

import numpy as np
import pytest

from backend.adapters.texture import images_of
from backend.flow.products import Mesh, Noted, Texture
from backend.texture.stages import LIT
from tests.backend.detail.test_correct import bumpy_map, mesh_of, nothing

(LIGHT,) = (each for each in LIT if each.name == "normal_texture")


def painted(rings: int) -> Mesh:
    """A ball with colours all round, in no order: a chart of half a picture for each half."""
    mesh = mesh_of(rings)
    colours = Texture(base_colour=np.full((64, 64, 4), 255, np.uint8))
    half = mesh.uv * (0.5, 1)
    behind = mesh.vertices[mesh.triangles].mean(axis=1)[:, 1] > 0
    uv = half[mesh.triangles] + behind[:, None, None] * (0.5, 0)
    return replace(mesh, uv=uv.astype(np.float32), picture_uv=mesh.uv, texture=colours)


def lit(mesh: Mesh, wanted: str) -> Mesh:
    """The mesh as the stage gives it."""
    made = LIGHT.run(mesh, bumpy_map(), normal_texture=wanted, report=nothing)
    assert isinstance(made, Mesh)
    return made


@pytest.mark.parametrize(
    ("rings", "wanted", "parts"),
    [
        (12, "coarse", {"base_colour", "normal"}),
        (100, "coarse", {"base_colour"}),
        (100, "always", {"base_colour", "normal"}),
        (12, "never", {"base_colour"}),
    ],
)
def test_it_is_for_few_faces_unless_told_otherwise(rings: int, wanted: str, parts: set[str]) -> None:
    images = images_of(lit(painted(rings), wanted).texture)
    assert images.keys() == parts
    if "normal" in parts:
        lengths = np.linalg.norm(images["normal"] / 127.5 - 1, axis=2)
        assert lengths.shape == (64, 64)
        assert np.abs(lengths - 1).max() < 0.02


def test_without_colours_all_round_there_is_none() -> None:
    mesh = mesh_of(12)
    assert lit(mesh, "always") is mesh


def test_a_map_that_no_camera_lays_on_the_mesh_is_said() -> None:
    mesh = painted(12)
    mesh = replace(mesh, picture_uv=np.random.default_rng(1).random((len(mesh.vertices), 2), np.float32))
    made = LIGHT.run(mesh, bumpy_map(), normal_texture="always", report=nothing)
    assert isinstance(made, Noted)
    assert made.product is mesh
    assert "no normal texture" in made.notes[0]


def test_what_fails_costs_the_normal_texture_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("backend.texture.normal_texture.fill", full)
    mesh = painted(12)
    made = LIGHT.run(mesh, bumpy_map(), normal_texture="always", report=nothing)
    assert isinstance(made, Noted)
    assert made.product is mesh
    assert "could not be made" in made.notes[0]
