# SPDX-License-Identifier: GPL-3.0-or-later
"""The decoder's surface as a mesh: upright, with colours, unit normals and a place in the cut-out."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.engines.hi3dgen.to_mesh import to_mesh
from backend.errors import UserError
from backend.flow.products import Crop, Cutout
from backend.surface.surface import Surface, extract_surface, vertex_normals
from tests.backend.surface import shells

ALPHA = np.zeros((100, 100), np.uint8)
ALPHA[20:90, 30:60] = 255


def cutout_of(alpha: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Cutout:
    """A cut-out with an alpha."""
    return Cutout(np.repeat(alpha[..., None], 4, axis=2), Crop(0, 0, len(alpha), len(alpha), len(alpha)))


def ball(*, coloured: bool) -> Surface:
    """A ball, red to the right, whose decoded normals look up on its right half and say nothing on the left."""
    coords, features = shells.shell(shells.ball(0.4), 32)
    if coloured:
        corners = (coords[:, None] + shells.CORNERS) / 32 - 0.5
        values = torch.zeros(len(coords), 8, 6)
        values[..., 0] = 20 * corners[..., 0]
        values[..., 5] = torch.where(corners[..., 0] > 0, 4.0, 0.0)
        features = torch.cat([features, values.flatten(1)], dim=1)
    return extract_surface(coords, features, 32, solid=True)


def test_it_has_the_surfaces_vertices_colours_and_unit_normals() -> None:
    surface = ball(coloured=True)
    mesh = to_mesh(surface, cutout_of(ALPHA))
    np.testing.assert_array_equal(mesh.vertices, surface.vertices.numpy())
    np.testing.assert_array_equal(mesh.triangles, surface.triangles.numpy())
    assert (mesh.vertices.dtype, mesh.triangles.dtype, mesh.uv.dtype) == (np.float32, np.int32, np.float32)
    assert mesh.colours is not None
    assert mesh.normals is not None
    right, left = mesh.vertices[:, 0] > 0.1, mesh.vertices[:, 0] < -0.1
    assert mesh.colours[right, 0].min() > 0.85
    assert mesh.colours[left, 0].max() < 0.15
    np.testing.assert_allclose(mesh.normals[right], [[0, 0, 1]] * right.sum(), atol=1e-5)
    own = vertex_normals(surface.vertices, surface.triangles).numpy()
    np.testing.assert_allclose(mesh.normals[left], own[left], atol=1e-6)
    assert mesh.colours.dtype == mesh.normals.dtype == np.float32


def test_a_surface_without_colours_gives_a_mesh_without() -> None:
    mesh = to_mesh(ball(coloured=False), cutout_of(ALPHA))
    assert mesh.colours is None
    assert mesh.normals is None


def test_an_empty_surface_is_an_error_in_plain_words() -> None:
    nothing = extract_surface(torch.zeros(0, 3, dtype=torch.int32), torch.zeros(0, 53), 32)
    with pytest.raises(UserError) as caught:
        to_mesh(nothing, cutout_of(ALPHA))
    assert caught.value.code == "empty-mesh"
