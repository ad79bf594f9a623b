# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours of a mesh's file come through, in whichever way the file has them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import UserError
from backend.files.coloured import read_coloured
from backend.flow.products import Mesh
from tests.backend.training.views.coloured_box import box, palette, write_box

trimesh = pytest.importorskip("trimesh")
Image = pytest.importorskip("PIL.Image")


def image_of(mesh: Mesh) -> Any:
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    return mesh.texture.base_colour


def write(path: Path, material: Any) -> None:
    mesh = box()
    visual = trimesh.visual.TextureVisuals(uv=mesh.uv, material=material)
    trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False, visual=visual).export(path)


@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_an_image_comes_back_with_its_place_on_the_surface(suffix: str, tmp_path: Path) -> None:
    write_box(tmp_path / f"box{suffix}", box())
    (found,) = read_coloured(tmp_path / f"box{suffix}")
    assert np.array_equal(image_of(found), palette())
    key = [tuple(np.round([*place, *uv], 4)) for place, uv in zip(found.vertices, found.uv, strict=True)]
    mesh = box()
    assert {*key} == {tuple(np.round([*place, *uv], 4)) for place, uv in zip(mesh.vertices, mesh.uv, strict=True)}


def test_the_factor_of_a_gltf_material_multiplies_light(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((2, 2, 3), 188, np.uint8))  # half of the light
    write(tmp_path / "in.glb", trimesh.visual.material.PBRMaterial(baseColorTexture=image, baseColorFactor=[1, 0, 0.5]))
    (found,) = read_coloured(tmp_path / "in.glb")
    np.testing.assert_allclose(image_of(found)[0, 0], [188, 0, 137, 255], atol=1)


def test_single_colours_are_those_of_all_vertices(tmp_path: Path) -> None:
    write(tmp_path / "in.glb", trimesh.visual.material.PBRMaterial(baseColorFactor=[128, 255, 0, 255]))
    (found,) = read_coloured(tmp_path / "in.glb")
    assert found.texture is None
    assert found.colours is not None
    np.testing.assert_allclose(found.colours, np.tile([[188 / 255, 1, 0]], (24, 1)), atol=0.005)


def test_colours_of_vertices_are_tones_in_ply_and_light_in_gltf(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (24, 4), np.uint8)
    mesh = trimesh.Trimesh(box().vertices, box().triangles, process=False, vertex_colors=colours)
    for suffix in (".ply", ".glb"):
        mesh.export(tmp_path / f"in{suffix}")
    tones, light = (read_coloured(tmp_path / f"in{suffix}")[0].colours for suffix in (".ply", ".glb"))
    assert tones is not None
    assert light is not None
    np.testing.assert_allclose(tones, colours[:, :3] / 255, atol=1e-6)
    np.testing.assert_allclose(light, np.where(tones <= 0.0031308, 12.92 * tones, 1.055 * tones ** (1 / 2.4) - 0.055), atol=1e-6)  # fmt: skip  # noqa: E501


def test_each_node_has_its_own_colours_at_its_own_place(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    for number, tone in enumerate((50, 200)):
        material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.new("RGB", (2, 2), (tone, 0, 0)))
        mesh = box()
        visual = trimesh.visual.TextureVisuals(uv=mesh.uv, material=material)
        shape = trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False, visual=visual)
        scene.add_geometry(shape, transform=trimesh.transformations.translation_matrix((3 * number, 0, 0)))
    scene.export(tmp_path / "two.glb")
    found = {int(image_of(mesh)[0, 0, 0]): float(mesh.vertices[:, 0].mean()) for mesh in read_coloured(tmp_path / "two.glb")}  # fmt: skip  # noqa: E501
    assert found == pytest.approx({50: 0.0, 200: 3.0}, abs=1e-6)


def test_a_mesh_without_colours_is_refused(tmp_path: Path) -> None:
    trimesh.creation.box().export(tmp_path / "grey.stl")
    with pytest.raises(UserError, match=r"“grey\.stl” holds no colours"):
        read_coloured(tmp_path / "grey.stl")
