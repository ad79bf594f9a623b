# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces are the published code's, triangle by triangle."""

from pathlib import Path

import pytest

from tests.parity import fixtures, meshes

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.geometry.surface import Surface, extract_surface, feature_channels, vertex_normals

CORNERS = torch.tensor([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)])


def assert_same_surface(surface: Surface, fixture: fixtures.Fixture, attributes: str) -> None:
    """The fixture's mesh, with its normals and, where it has them, colours."""
    match = meshes.assert_same_mesh(
        (surface.vertices.numpy(), surface.triangles.numpy()),
        (fixture.output("vertices").numpy(), fixture.output("faces").numpy()),
    )
    normals = vertex_normals(surface.vertices, surface.triangles)
    # Where a normal is the sum of slivers, rounding turns it.
    fixtures.assert_close(normals, fixture.output("vertex_normal")[match], absolute=1e-4)
    if f"output.{attributes}" in fixture.tensors:
        assert surface.colours is not None
        fixtures.assert_close(surface.colours, fixture.output(attributes)[match])


@fixtures.each("features2mesh")
def test_from_features(path: Path) -> None:
    fixture = fixtures.read(path)
    coords, features = fixture.input("coords")[:, -3:], fixture.input("feats")
    before = features.clone()
    surface = extract_surface(coords, features, fixture.facts["res"])
    assert_same_surface(surface, fixture, "vertex_attrs")
    assert torch.equal(features, before)


@fixtures.each("surface")
def test_from_a_dense_grid(path: Path) -> None:
    """Voxels everywhere, each with the grid's values at its corners."""
    fixture = fixtures.read(path)
    resolution = fixture.facts["res"]

    def at_corners(values: Tensor) -> Tensor:
        grid = values.reshape(resolution + 1, resolution + 1, resolution + 1, -1)
        places = coords[:, None] + CORNERS
        return grid[places[..., 0], places[..., 1], places[..., 2]].flatten(1)

    coords = torch.cartesian_prod(*[torch.arange(resolution)] * 3)
    features = torch.zeros(len(coords), feature_channels(colours=True))
    features[:, :8] = at_corners(fixture.input("sdf") + 1 / resolution)
    features[:, 8:32] = at_corners(fixture.input("deform"))
    features[:, 53:] = at_corners(fixture.input("colors"))
    assert_same_surface(extract_surface(coords.int(), features, resolution), fixture, "vertex_attrs")
