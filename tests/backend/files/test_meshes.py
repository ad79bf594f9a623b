# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as files: every reader finds what was meant, and what cannot be written is refused before the work."""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import UserError
from backend.files import meshes, pictures
from backend.flow.products import Mesh, Picture

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")
trimesh = pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")

RGBA: Picture = np.array(
    [[[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]], [[9, 8, 7, 128], [255, 255, 255, 1], [0, 0, 0, 0]]],
    np.uint8,
)
CHECKS = ((meshes.check_mesh_path, "a.glb"), (pictures.check_picture_path, "a.png"))
posix = pytest.mark.skipif(os.name != "posix", reason="names, links and files as POSIX has them")
only_for_mortals = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="this user may read and write everything"
)


def saved(path: Path, image: Any) -> Path:
    image.save(path)
    return path


def tetrahedron() -> Mesh:
    """A tetrahedron with its top where no other corner is, 1 m high, standing on z = 0."""
    vertices = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.25, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
    return Mesh(vertices, triangles, np.array([[0, 0], [1, 0], [0.5, 0.25], [0, 1]], np.float32))


def read_mesh(path: Path) -> Any:
    return trimesh.load(path, force="mesh", process=False)


# --- meshes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_y_is_up_if_readers_expect_it_and_the_picture_is_the_texture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my mesh{suffix}"
    meshes.write_mesh(path, tetrahedron(), RGBA)
    read = read_mesh(path)
    assert read.is_watertight
    assert read.volume == pytest.approx(0.5 * 0.25 / 6, rel=1e-4)
    np.testing.assert_allclose(read.bounds, [[0, 0, -0.25], [0.5, 1, 0]], atol=1e-6)
    top = read.vertices[:, 1].argmax()
    np.testing.assert_allclose(read.visual.uv[top], [0, 1], atol=1e-6)
    image = getattr(read.visual.material, "baseColorTexture", None) or read.visual.material.image
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), RGBA[..., :3])


@pytest.mark.parametrize("suffix", [".stl", ".ply"])
def test_z_is_up_elsewhere(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mesh{suffix}"
    meshes.write_mesh(path, tetrahedron(), RGBA)
    read = trimesh.load(path, force="mesh")
    unit = 1000 if suffix == ".stl" else 1  # a slicer reads millimetres
    assert read.is_watertight
    assert read.volume == pytest.approx(0.5 * 0.25 / 6 * unit**3, rel=1e-4)
    np.testing.assert_allclose(read.bounds, np.multiply([[0, 0, 0], [0.5, 0.25, 1]], unit), atol=1e-6)


@pytest.mark.parametrize("by_corner", [False, True])
@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_the_surface_is_smooth_across_the_seams_of_its_texture(
    tmp_path: Path,
    suffix: str,
    by_corner: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    vertices, triangles = ball.vertices.astype(np.float32), ball.faces.astype(np.int32)
    corners = np.random.default_rng(0).random((len(triangles), 3, 2), np.float32)
    mesh = Mesh(vertices, triangles, corners if by_corner else vertices[:, :2])
    path = tmp_path / f"v1.2 final{suffix}"
    meshes.write_mesh(path, mesh, RGBA)
    if suffix == ".glb":
        read = trimesh.load(path, process=False).geometry.popitem()[1]
        assert "vertex_normals" in read._cache.cache, "they are in the file"
        assert (read.vertices * read.vertex_normals).sum(axis=1).min() > 0.99
        np.testing.assert_allclose(np.linalg.norm(read.vertex_normals, axis=1), 1.0, atol=1e-5)
    else:
        lines = [line.split() for line in path.read_text().splitlines()]
        places, normals = (np.array([line[1:4] for line in lines if line[0:1] == [key]], float) for key in ("v", "vn"))
        assert len(places) == len(normals)
        assert (places * normals).sum(axis=1).min() > 0.99


def test_an_obj_leaves_the_picture_beside_it_alone(tmp_path: Path) -> None:
    """The picture of the same name is the usual neighbour, and the artist's only copy."""
    picture = saved(tmp_path / "vase.png", Image.fromarray(RGBA))
    before = picture.read_bytes()
    meshes.write_mesh(tmp_path / "vase.obj", tetrahedron(), RGBA)
    assert picture.read_bytes() == before


def test_an_obj_names_files_that_are_there_in_one_word(tmp_path: Path) -> None:
    meshes.write_mesh(tmp_path / "blåa  vas.obj", tetrahedron(), RGBA)
    names = {path.name for path in tmp_path.iterdir()}
    text = (tmp_path / "blåa  vas.obj").read_text(encoding="utf-8")
    library = next(line for line in text.splitlines() if line.startswith("mtllib")).split()
    assert len(library) == 2
    assert library[1] in names
    material = (tmp_path / library[1]).read_text(encoding="utf-8")
    texture = next(line for line in material.splitlines() if line.startswith("map_Kd")).split()
    assert len(texture) == 2
    assert texture[1] in names
    assert len(names) == 3


def test_a_large_texture_is_made_smaller(tmp_path: Path) -> None:
    meshes.write_mesh(tmp_path / "a.glb", tetrahedron(), np.full((10, 5000, 4), 255, np.uint8))
    assert max(read_mesh(tmp_path / "a.glb").visual.material.baseColorTexture.size) == 4096


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".stl", ".ply"])
def test_the_colours_of_the_vertices_are_kept_if_the_format_has_a_place(tmp_path: Path, suffix: str) -> None:
    colours = np.array([[0, 0, 0], [1, 0.2, 0.4], [0.6, 1, 0.8], [1, 1, 1]], np.float32)
    path = tmp_path / f"a{suffix}"
    meshes.write_mesh(path, replace(tetrahedron(), colours=colours), RGBA)
    made = read_mesh(path)
    assert len(made.faces) == 4
    if suffix == ".ply":
        np.testing.assert_array_equal(made.visual.vertex_colors[:, :3], np.rint(colours * 255))
    elif suffix == ".glb":
        np.testing.assert_array_equal(made.vertex_attributes["_COLOUR"], colours)
        assert made.visual.material.baseColorTexture is not None
        assert "color" not in made.visual.vertex_attributes, "it would tint the texture"


@posix
@pytest.mark.parametrize("suffix", [".glb", ".obj", ".stl", ".ply"])
def test_a_name_that_is_not_utf_8_works(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / os.fsdecode(b"gr\xfcn" + suffix.encode())
    meshes.check_mesh_path(path)
    meshes.write_mesh(path, tetrahedron(), RGBA)
    assert path in tmp_path.iterdir()
    data = path.read_bytes()
    for other in tmp_path.iterdir():
        assert other == path or other.stem.encode() in data  # what an OBJ file names is there
    assert len(trimesh.load(io.BytesIO(data), file_type=suffix[1:], force="mesh", process=False).faces) == 4


@pytest.mark.parametrize(("suffix", "longest"), [(".glb", 255), (".ply", 255), (".stl", 255), (".obj", 247)])
def test_the_longest_name_is_written_and_a_longer_one_refused(tmp_path: Path, suffix: str, longest: int) -> None:
    """An OBJ file's texture has a name that is eight bytes longer."""
    path = tmp_path / ("n" * (longest - len(suffix)) + suffix)
    meshes.check_mesh_path(path)
    meshes.write_mesh(path, tetrahedron(), RGBA)
    assert len(read_mesh(path).faces) == 4
    with pytest.raises(UserError) as caught:
        meshes.check_mesh_path(tmp_path / ("n" + path.name))
    assert caught.value.code == "bad-output"
    assert "long" in caught.value.sentence


# --- what is refused before the work ----------------------------------------------------------------------------------


def refusal(check: Callable[..., None], *paths: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        check(*paths)
    assert caught.value.code == "bad-output"
    return caught.value


@pytest.mark.parametrize("name", ["a", "a.fbx", "a.png.zip", ".glb"])
def test_a_suffix_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    for check, _ in CHECKS:
        refusal(check, tmp_path / name)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for check, name in CHECKS:
        check(tmp_path / name)
        refusal(check, tmp_path / "nowhere" / name)


@only_for_mortals
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    for mode, words in ((0o500, "locked"), (0o000, "nowhere")):
        locked.chmod(mode)
        for check, name in CHECKS:
            path = locked / name if mode else locked / "nowhere" / name
            assert words in refusal(check, path).sentence
    locked.chmod(0o700)


def test_the_name_of_a_folder_is_refused(tmp_path: Path) -> None:
    for check, name in CHECKS:
        (tmp_path / name).mkdir()
        assert "no file" in refusal(check, tmp_path / name).sentence


@posix
def test_a_link_to_itself_can_be_replaced_and_is_no_folder(tmp_path: Path) -> None:
    for check, name in CHECKS:
        (tmp_path / name).symlink_to(name)
        check(tmp_path / name)
        refusal(check, tmp_path / name / name)


def test_a_check_leaves_no_trace(tmp_path: Path) -> None:
    for check, name in CHECKS:
        check(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["vase_texture.png", "vase.mtl"])
def test_an_obj_that_would_write_its_texture_over_the_picture_is_refused(tmp_path: Path, name: str) -> None:
    picture = tmp_path / name
    picture.write_bytes(b"")
    assert name in refusal(meshes.check_mesh_path, tmp_path / "vase.obj", picture).sentence
    meshes.check_mesh_path(tmp_path / "vase.glb", picture)
    meshes.check_mesh_path(tmp_path / "other.obj", picture)
