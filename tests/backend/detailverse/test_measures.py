# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured and seen of a mesh, and which rules it breaks."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.batch.running import Task
from backend.detailverse.drawing import SIDE, look, views_of_sheet
from backend.detailverse.geometry import Geometry, measured, sharp_edges
from backend.detailverse.measures import make, read_mesh
from backend.detailverse.rules import reasons
from backend.detailverse.statistics import PUBLISHED, as_csv, as_markdown, table
from backend.errors import UserError
from backend.flow.products import Mesh


def mesh_of(made: trimesh.Trimesh) -> Mesh:
    vertices = made.vertices.astype(np.float32)
    return Mesh(vertices, made.faces.astype(np.int32), np.zeros((len(vertices), 2), np.float32))


def geometry(made: trimesh.Trimesh) -> Geometry:
    found = measured(mesh_of(made))
    assert found is not None
    return found


def test_a_cube_has_twelve_sharp_edges() -> None:
    cube = geometry(trimesh.creation.box((1, 1, 1)))
    assert (cube.vertices, cube.faces, cube.closed, cube.wound, cube.bodies) == (8, 12, True, True, 1)
    assert cube.volume == pytest.approx(1)
    assert geometry(trimesh.creation.box((3, 2, 1))).thin == pytest.approx(1 / 3)
    assert [sharp_edges(cube.dihedral, angle) for angle in (0, 30, 89, 91)] == [18, 12, 12, 0]


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 40), st.integers(1, 179))
def test_the_sharp_edges_of_a_prism_are_those_of_its_angles(sides: int, angle: int) -> None:
    """It has 2 n edges of 90 degrees and n of 360 / n; those of the very angle may count or not."""
    prism = geometry(trimesh.creation.cylinder(1.0, 1.0, sections=sides))
    if abs(360 / sides - angle) > 1 and angle != 90:
        expected = 2 * sides * (angle < 90) + sides * (angle < 360 / sides)
        assert sharp_edges(prism.dihedral, angle) == expected


def test_sharp_edges_are_those_that_blender_selects() -> None:
    """A rough surface with a hole, an edge of three faces, and a face that is wound the other way round."""
    bpy = pytest.importorskip("bpy", reason="Blender as a module is not installed here")
    rough = trimesh.creation.icosphere(3)
    shifts = np.random.default_rng(1).normal(0, 0.02, (len(rough.vertices), 1))
    vertices = np.vstack([rough.vertices * (1 + shifts), [[0, 0, 2]]])
    faces = np.vstack([rough.faces[3:-1], rough.faces[-1:, ::-1], [[*rough.faces[20, :2], len(vertices) - 1]]])
    made = trimesh.Trimesh(vertices, faces, process=False)
    dihedral = geometry(made).dihedral
    bpy.ops.wm.read_homefile(use_empty=True)
    data = bpy.data.meshes.new("rough")
    data.from_pydata(vertices.tolist(), [], faces.tolist())
    thing = bpy.data.objects.new("rough", data)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_mode(type="EDGE")
    for angle in (5, 15, 30, 60):
        bpy.ops.mesh.select_all(action="DESELECT")
        bpy.ops.mesh.edges_select_sharp(sharpness=np.radians(angle))
        assert sharp_edges(dihedral, angle) == data.count_selected_items()[1] > 0
    bpy.ops.object.mode_set(mode="OBJECT")


def test_vertices_at_one_place_count_as_one() -> None:
    cube = trimesh.creation.box((1, 1, 1))
    apart = trimesh.Trimesh(cube.vertices[cube.faces].reshape(-1, 3), np.arange(36).reshape(-1, 3), process=False)
    assert geometry(apart) == replace(geometry(cube), dihedral=geometry(apart).dihedral)
    assert sharp_edges(geometry(apart).dihedral, 30) == 12


@pytest.mark.parametrize("change", ["open", "wound", "parts", "flat", "degenerate", "hollow", "small", "plain"])
def test_what_breaks_a_rule_is_left_out_for_it(change: str) -> None:
    sphere = trimesh.creation.icosphere(3)
    good = {**asdict(geometry(sphere)), "coverage": 0.4, "entropy": 8.0, "dihedral": [0] * 45 + [400] + [0] * 134}
    assert reasons(good) == []
    made = {
        "open": lambda: trimesh.Trimesh(sphere.vertices, sphere.faces[1:], process=False),
        "wound": lambda: trimesh.Trimesh(sphere.vertices, [sphere.faces[0][::-1], *sphere.faces[1:]], process=False),
        "parts": lambda: trimesh.util.concatenate([sphere, sphere.copy().apply_translation((3, 0, 0))]),
        "flat": lambda: trimesh.creation.box((1, 1, 0.01)),
        "hollow": lambda: trimesh.Trimesh(sphere.vertices, sphere.faces[:, ::-1], process=False),
    }
    numbers = {"degenerate": {"empty": 0.5}, "small": {"coverage": 0.01}, "plain": {"entropy": 1.0}}
    bad = {**good, **numbers[change]} if change in numbers else {**asdict(geometry(made[change]())), "coverage": 0.4}
    assert change in reasons({"entropy": 8.0, **bad, "dihedral": good["dihedral"]})


def test_the_views_hold_all_of_an_object_and_its_normals_from_above() -> None:
    made = trimesh.creation.box((1, 1, 1))
    seen = look(mesh_of(made))
    assert seen.lit.shape == (4, SIDE, SIDE, 3)
    hit = seen.normals.any(axis=3)
    assert np.array_equal(hit, (seen.lit < 255).any(axis=3))
    assert not hit[:, [0, -1]].any(), "all of it is in the picture"
    assert not hit[:, :, [0, -1]].any()
    lengths = np.linalg.norm(seen.normals[hit], axis=1)
    assert np.allclose(lengths, 1)
    top = np.array([0.0, np.cos(np.radians(25)), np.sin(np.radians(25))])  # from 25 degrees above
    ball = look(mesh_of(trimesh.creation.icosphere(4)))
    for normals in ball.normals:
        upper = normals[: SIDE // 2][normals[: SIDE // 2].any(axis=2)]
        assert (upper @ top).max() > 0.999
    assert np.array_equal(views_of_sheet(seen.sheet()), seen.lit)


def test_a_file_becomes_its_measures_and_its_views(tmp_path: Path) -> None:
    made = trimesh.creation.icosphere(3)
    made.visual.vertex_colors = np.tile([255, 0, 0, 255], (len(made.vertices), 1))
    made.export(tmp_path / "ball.ply")
    (tmp_path / "out").mkdir()
    task = Task("ball", "ball", {"mesh": str(tmp_path / "ball.ply")}, {}, str(tmp_path / "out"), "")
    drawn = make(task).drawn
    assert [picture.shape for picture in drawn] == [(SIDE, SIDE, 4)] * 2
    measures = json.loads((tmp_path / "out" / "ball.json").read_text("utf-8"))
    assert measures["faces"] == 1280
    assert measures["coverage"] == pytest.approx(np.pi / 4 / 1.04**2, rel=0.02)
    assert measures["entropy"] > 8
    with Image.open(tmp_path / "out" / "ball.jpg") as image:
        sheet = np.asarray(image)
    assert sheet.shape == (2 * SIDE, 4 * SIDE, 3)
    red, green, _ = sheet[SIDE // 2, SIDE // 2].astype(int)
    assert red > 100 > green + 50, "in its own colours"


def test_a_mesh_has_the_colours_of_its_image(tmp_path: Path) -> None:
    made = trimesh.creation.box((1, 1, 1))
    image = Image.fromarray(np.tile(np.uint8([10, 200, 30]), (4, 4, 1)))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
    made.visual = trimesh.visual.TextureVisuals(uv=np.full((len(made.vertices), 2), 0.5), material=material)
    made.export(tmp_path / "box.glb")
    mesh = read_mesh(tmp_path / "box.glb")
    assert mesh.colours is not None
    assert np.allclose(mesh.colours * 255, [10, 200, 30], atol=0.5)
    made.visual = trimesh.visual.ColorVisuals()
    made.export(tmp_path / "plain.stl")
    assert read_mesh(tmp_path / "plain.stl").colours is None


def test_a_mesh_without_extent_is_a_sentence(tmp_path: Path) -> None:
    trimesh.Trimesh(np.zeros((3, 3)), [[0, 1, 2]], process=False).export(tmp_path / "point.ply")
    with pytest.raises(UserError, match="has no extent"):
        make(Task("point", "point", {"mesh": str(tmp_path / "point.ply")}, {}, str(tmp_path), ""))


def test_the_table_has_means_and_medians_beside_the_published_ones() -> None:
    objects = [{"vertices": n, "faces": 2 * n, "dihedral": [0] * 30 + [n] + [0] * 149} for n in (10, 20, 90)]
    rows = table({"made": objects, "kept": []}, 30)
    assert rows[0] == {
        "set": "made",
        "objects": 3,
        "sharp_edges_mean": 40,
        "sharp_edges_median": 20,
        "vertices_mean": 40,
        "vertices_median": 20,
        "faces_mean": 80,
        "faces_median": 40,
    }
    assert rows[1:] == [*PUBLISHED]
    assert table({"made": objects}, 31)[0]["sharp_edges_mean"] == 0
    assert "| made | 3 | 40 | 20 | 40 | 20 | 80 | 40 |\n" in as_markdown(rows)
    assert as_csv(rows).splitlines()[1] == "made,3,40,20,40,20,80,40"
