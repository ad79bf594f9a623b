# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB files are read without any library, as trimesh reads them; what is none is a sentence."""

import contextlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import UserError
from backend.files.glb import read_glb
from backend.files.scenes import read_scene

trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
image_of = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it").fromarray
PIXELS = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)


def painted_box(**material: Any) -> Any:
    """A box whose triangles have corners of their own, with UVs and an image."""
    box = trimesh.creation.box((1, 2, 3))
    places = box.vertices[box.faces].reshape(-1, 3)
    uv = np.random.default_rng(1).random((len(places), 2))
    about = {"baseColorTexture": image_of(PIXELS), **material}
    visual = trimesh.visual.TextureVisuals(uv=uv, material=trimesh.visual.material.PBRMaterial(**about))
    return trimesh.Trimesh(places, np.arange(len(places)).reshape(-1, 3), process=False, visual=visual)


def moved(*meshes: Any) -> Any:
    """A scene with the meshes, each turned and moved farther."""
    scene = trimesh.Scene()
    for number, mesh in enumerate(meshes):
        turn = trimesh.transformations.rotation_matrix(0.7 * number, (1, 2, 3)) @ np.diag([2, 1, 1, 1])
        turn[:3, 3] = (number, 2, 3)
        scene.add_geometry(mesh, node_name=f"node {number}", transform=turn)
    return scene


def test_triangles_uvs_and_image_are_those_that_trimesh_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    moved(painted_box()).export(path)
    mesh, notes = read_glb(path)
    other = read_scene(path).mesh
    assert notes == ()
    assert np.array_equal(mesh.triangles, other.triangles)
    np.testing.assert_allclose(mesh.vertices, other.vertices, atol=1e-6)
    np.testing.assert_allclose(mesh.uv, other.uv, atol=1e-6)
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    assert np.array_equal(mesh.texture.base_colour[..., :3], PIXELS)


def test_the_images_of_roughness_and_metallic_come_with_their_factors(tmp_path: Path) -> None:
    both = image_of(np.full((4, 4, 3), (0, 200, 100), np.uint8))
    moved(painted_box(metallicRoughnessTexture=both, roughnessFactor=0.5, metallicFactor=1.0)).export(
        tmp_path / "a.glb"
    )
    texture = read_glb(tmp_path / "a.glb")[0].texture
    assert texture is not None
    assert texture.roughness is not None
    assert texture.metallic is not None
    assert (texture.roughness[0, 0], texture.metallic[0, 0]) == (100, 100)


def test_several_nodes_become_one_mesh_and_several_materials_none(tmp_path: Path) -> None:
    moved(painted_box(), painted_box(name="other")).export(tmp_path / "two.glb")
    mesh, notes = read_glb(tmp_path / "two.glb")
    assert len(mesh.triangles) == 24
    assert mesh.texture is None
    assert "several materials" in notes[0]


def test_colours_of_vertices_are_read(tmp_path: Path) -> None:
    box = trimesh.creation.box((1, 1, 1))
    box.visual.vertex_colors = np.full((8, 4), (255, 0, 55, 255), np.uint8)
    box.export(tmp_path / "a.glb")
    colours = read_glb(tmp_path / "a.glb")[0].colours
    assert colours is not None
    assert colours.shape == (8, 3)
    assert colours[0, :2].tolist() == pytest.approx([1.0, 0.0])


def test_a_jpeg_image_is_read_with_pillow_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = painted_box()
    file = io.BytesIO()
    image_of(np.full((8, 8, 3), 90, np.uint8)).save(file, "JPEG")
    box.visual.material.baseColorTexture = image_of(np.full((8, 8, 3), 90, np.uint8))
    document, binary = chunks(moved(box).export(file_type="glb"))
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    view |= {"byteOffset": len(binary), "byteLength": len(file.getvalue())}
    (tmp_path / "a.glb").write_bytes(glb(document, binary + file.getvalue()))
    texture = read_glb(tmp_path / "a.glb")[0].texture
    assert texture is not None
    assert texture.base_colour is not None
    assert abs(int(texture.base_colour[4, 4, 0]) - 90) <= 2
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    mesh, notes = read_glb(tmp_path / "a.glb")
    assert mesh.texture is None
    assert "Pillow is not installed here" in notes[0]


def chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary part of a GLB file."""
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def glb(document: dict[str, Any], binary: bytes) -> bytes:
    """A GLB file of a JSON and a binary part."""
    words = json.dumps(document).encode()
    words += b" " * (-len(words) % 4)
    parts = struct.pack("<II", len(words), 0x4E4F534A) + words + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(parts)) + parts


BOX = trimesh.creation.box((1, 1, 1)).export(file_type="glb")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "it needs KHR_draco_mesh_compression"),
        ({"nodes": [{"children": [0]}]}, "its nodes are no tree"),
        ({"meshes": []}, "it is damaged"),
        ({"scenes": [{"nodes": []}]}, "it holds no triangles"),
        ({"bufferViews": [{"buffer": 0, "byteLength": 4, "byteStride": 0}] * 2}, "its numbers lie outside of it"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    document, binary = chunks(BOX)
    (tmp_path / "a.glb").write_bytes(glb({**document, **change}, binary))
    with pytest.raises(UserError, match=f"“a.glb” cannot be read as a GLB file: {reason}"):
        read_glb(tmp_path / "a.glb")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(BOX)), st.binary(max_size=8))
def test_a_damaged_file_is_a_mesh_or_a_sentence(tmp_path: Path, place: int, damage: bytes) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(BOX[:place] + damage + BOX[place + len(damage) :])
    with contextlib.suppress(UserError):
        assert len(read_glb(path)[0].triangles)
