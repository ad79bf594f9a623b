# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces are the published code's, triangle by triangle."""

from pathlib import Path

import numpy as np
import pytest

from tests.parity import golden, meshes

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.engines.hi3dgen.to_mesh import to_mesh
from backend.flow.products import Crop, Cutout
from backend.surface.surface import Surface, extract_surface, feature_channels, vertex_normals

CORNERS = torch.tensor([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)])


def assert_same_surface(surface: Surface, fixture: golden.Fixture, attributes: str) -> None:
    """The fixture's mesh, with its normals and, if it has them, colours."""
    match = meshes.assert_same_mesh(
        (surface.vertices.numpy(), surface.triangles.numpy()),
        (fixture.output("vertices").numpy(), fixture.output("faces").numpy()),
    )
    normals = vertex_normals(surface.vertices, surface.triangles)
    # Rounding turns the normal at a vertex if all triangles there are slivers.
    golden.assert_close(normals, fixture.output("vertex_normal")[match], absolute=1e-4)
    if fixture.has_output(attributes):
        assert surface.colours is not None
        golden.assert_close(surface.colours, fixture.output(attributes)[match])


@golden.each("features2mesh")
def test_from_features(path: Path) -> None:
    fixture = golden.read(path)
    resolution = fixture.facts["res"]
    coords, features = fixture.input("coords")[:, -3:], fixture.input("feats")
    features[:, :8] += fixture.facts.get("sdf_bias", -1 / resolution) + 1 / resolution
    before = features.clone()
    surface = extract_surface(coords, features, resolution)
    assert_same_surface(surface, fixture, "vertex_attrs")
    assert torch.equal(features, before)


def from_dense_grid(fixture: golden.Fixture) -> Surface:
    """Voxels everywhere, each with the grid's values at its corners."""
    resolution = fixture.facts["res"]

    def at_corners(values: Tensor) -> Tensor:
        grid = values.reshape(resolution + 1, resolution + 1, resolution + 1, -1)
        places = coords[:, None] + CORNERS
        return grid[places[..., 0], places[..., 1], places[..., 2]].flatten(1)

    coords = torch.cartesian_prod(*[torch.arange(resolution)] * 3)
    coloured = fixture.has_input("colors")
    features = torch.zeros(len(coords), feature_channels(colours=coloured))
    features[:, :8] = at_corners(fixture.input("sdf") + 1 / resolution)
    features[:, 8:32] = at_corners(fixture.input("deform"))
    if coloured:
        features[:, 53:] = at_corners(fixture.input("colors"))
    return extract_surface(coords.int(), features, resolution)


@golden.each("surface")
def test_from_a_dense_grid(path: Path) -> None:
    fixture = golden.read(path)
    assert_same_surface(from_dense_grid(fixture), fixture, "vertex_attrs")


@golden.each("surface")
def test_the_mesh_of_the_engine(path: Path) -> None:
    """Ours is z up as the decoder's is; turned to y up it is what the published code exports."""
    fixture = golden.read(path)
    surface = from_dense_grid(fixture)
    nothing_seen = Cutout(np.zeros((4, 4, 4), np.uint8), Crop(0, 0, 4, 4, 4))
    mesh = to_mesh(surface, nothing_seen)
    pose = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    for vertices, name in ((mesh.vertices, "trimesh"), (mesh.vertices @ pose, "trimesh_posed")):
        match = meshes.assert_same_mesh(
            (vertices, mesh.triangles.astype(np.int64)),
            (fixture.output(f"{name}.vertices").float().numpy(), fixture.output(f"{name}.faces").numpy()),
        )
    posed = vertex_normals(surface.vertices, surface.triangles).numpy() @ pose
    theirs = fixture.output("trimesh_posed.vertex_normals")[match]
    golden.assert_close(torch.from_numpy(posed), theirs, absolute=1e-4)
    if not fixture.has_output("vertex_attrs"):
        return
    attributes = fixture.output("vertex_attrs")[match]
    assert mesh.colours is not None
    golden.assert_close(torch.from_numpy(mesh.colours), attributes[:, :3])
    assert mesh.normals is not None
    decoded = 2 * attributes[:, 3:] - 1
    clear = torch.linalg.vector_norm(decoded, dim=1) > 0.11
    assert bool(clear.any())
    unit = torch.nn.functional.normalize(decoded, dim=1)
    golden.assert_close(torch.from_numpy(mesh.normals)[clear], unit[clear], absolute=1e-4)
