# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes that people bring come through as they were, but for UVs and an image."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import UserError
from backend.files.scenes import check_scene_path, read_scene, write_scene
from backend.flow.products import Mesh, Texture

trimesh = pytest.importorskip("trimesh")
IMAGE = np.full((8, 8, 4), 255, np.uint8)
GREY = np.full((4, 4, 4), 128, np.uint8)


def two_nodes() -> Any:
    """A box and, moved, turned and half as large, the same box once more."""
    box = trimesh.creation.box((1, 2, 3))
    scene = trimesh.Scene()
    scene.add_geometry(box, node_name="still", geom_name="box")
    turn = trimesh.transformations.rotation_matrix(0.7, (0, 1, 0)) @ np.diag([0.5, 0.5, 0.5, 1])
    turn[:3, 3] = (5, 6, 7)
    scene.graph.update(frame_to="moved", matrix=turn, geometry="box")
    return scene


def painted(mesh: Mesh) -> Mesh:
    """With a cell of the image for every corner's triangle."""
    corners = np.random.default_rng(0).random((len(mesh.triangles), 3, 2)).astype(np.float32)
    return Mesh(mesh.vertices, mesh.triangles, corners, texture=Texture(base_colour=IMAGE), normals=mesh.normals)


def triangles_of(scene: Any) -> np.ndarray[Any, Any]:
    """All triangles in the scene's own axes, float64 (T, 3, 3)."""
    parts = []
    for node in sorted(scene.graph.nodes_geometry):
        matrix, name = scene.graph[node]
        shape = scene.geometry[name]
        parts.append(trimesh.transformations.transform_points(shape.vertices, matrix)[shape.faces])
    return np.concatenate(parts)


def test_a_gltf_file_keeps_its_nodes_transforms_and_triangles(tmp_path: Path) -> None:
    two_nodes().export(tmp_path / "in.glb")
    source = read_scene(tmp_path / "in.glb")
    assert len(source.mesh.triangles) == 24
    write_scene(tmp_path / "out.glb", source, painted(source.mesh), GREY)
    before, after = (trimesh.load(tmp_path / name, force="scene", process=False) for name in ("in.glb", "out.glb"))
    assert {*after.graph.nodes_geometry} == {*before.graph.nodes_geometry} == {"still", "moved"}
    for node in ("still", "moved"):
        np.testing.assert_allclose(after.graph[node][0], before.graph[node][0], atol=1e-9)
    np.testing.assert_array_equal(triangles_of(after), triangles_of(before))
    written = (tmp_path / "out.glb").read_bytes()
    document = json.loads(written[20 : 20 + struct.unpack("<I", written[12:16])[0]])
    assert len(document["images"]) == len(document["materials"]) == 1
    uv = np.concatenate([after.geometry[after.graph[n][1]].visual.uv[after.geometry[after.graph[n][1]].faces]
                         for n in after.graph.nodes_geometry])  # fmt: skip
    np.testing.assert_allclose(np.sort(uv.reshape(-1)), np.sort(painted(source.mesh).uv.reshape(-1)), atol=1e-6)


def test_what_is_up_in_a_file_is_up(tmp_path: Path) -> None:
    tall = trimesh.creation.box((1, 2, 3))
    for suffix, height in ((".glb", 2), (".obj", 2), (".ply", 3), (".stl", 3)):
        tall.export(tmp_path / f"box{suffix}")
        vertices = read_scene(tmp_path / f"box{suffix}").mesh.vertices
        assert np.ptp(vertices[:, 2]) == pytest.approx(height), suffix


@pytest.mark.parametrize("suffix", [".ply", ".stl", ".obj"])
def test_other_files_become_gltf_and_obj(suffix: str, tmp_path: Path) -> None:
    trimesh.creation.box((1, 2, 3)).export(tmp_path / f"in{suffix}")
    source = read_scene(tmp_path / f"in{suffix}")
    for out in (tmp_path / "out.glb", tmp_path / "out.obj"):
        write_scene(out, source, painted(source.mesh), GREY)
        again = read_scene(out).mesh
        own, theirs = (np.sort(mesh.vertices[mesh.triangles].reshape(-1, 9), axis=0) for mesh in (source.mesh, again))
        np.testing.assert_allclose(own, theirs, atol=1e-6)
        assert again.uv.shape == (12, 3, 2)


def test_normals_stay_as_the_file_had_them(tmp_path: Path) -> None:
    box = trimesh.creation.box((1, 1, 1))
    trimesh.Trimesh(box.vertices, box.faces, process=False).export(tmp_path / "flat.glb", include_normals=False)
    box.export(tmp_path / "smooth.glb", include_normals=True)
    for name, there in (("flat.glb", False), ("smooth.glb", True)):
        source = read_scene(tmp_path / name)
        assert (source.mesh.normals is not None) == there
        write_scene(tmp_path / f"out_{name}", source, painted(source.mesh), GREY)
        assert (read_scene(tmp_path / f"out_{name}").mesh.normals is not None) == there


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("gone.glb", None, "no-mesh-file"),
        ("text.glb", b"this is no mesh", "bad-mesh-file"),
        ("short.stl", b"\0" * 90, "bad-mesh-file"),
        ("empty.obj", b"", "bad-mesh-file"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\n", "bad-mesh-file"),
        ("mesh.blend", b"BLENDER", "bad-mesh-file"),
    ],
)
def test_what_is_no_mesh_is_said(name: str, data: bytes | None, code: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_scene(tmp_path / name)
    assert caught.value.code == code


def test_files_that_hold_no_image_and_those_that_are_read_are_not_written(tmp_path: Path) -> None:
    for path in (tmp_path / "out.stl", tmp_path / "in.glb"):
        with pytest.raises(UserError) as caught:
            check_scene_path(path, tmp_path / "in.glb")
        assert caught.value.code == "bad-output"
