# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark measures what it says it measures."""

import re
from pathlib import Path

import benchmark
import numpy as np
import pytest

pytest.importorskip("PIL", reason="reads pictures: pip install pillow")


def write_sphere(folder: Path, name: str) -> None:
    """A sphere seen by a pinhole camera, as DiLiGenT gives its objects; its depth in millimetres."""
    from PIL import Image

    focal, size, far, radius = 900.0, 160, 1000.0, 80.0
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    ray = np.stack([column / focal, -row / focal, -np.ones((size, size))], axis=-1)
    # |t ray - centre|^2 = radius^2 for the nearer t, which is the depth, as the ray's z is -1.
    square, along = (ray**2).sum(axis=-1), far * np.ones((size, size))
    inside = along**2 - square * (far**2 - radius**2) > 0
    depth = np.where(
        inside, (along - np.sqrt(np.where(inside, along**2 - square * (far**2 - radius**2), 0))) / square, 0
    )
    normals = (depth[..., None] * ray - np.array([0, 0, -far])) / radius
    pixels = np.where(inside[..., None], np.round((normals + 1) * 127.5), 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}_normal_map.png")
    Image.fromarray((inside * 255).astype(np.uint8)).save(folder / f"{name}_mask.png")
    np.savetxt(folder / f"{name}_K.txt", [[focal, 0, (size - 1) / 2], [0, focal, (size - 1) / 2], [0, 0, 1]])
    np.savez(folder / f"{name}_depth_gt.npz", depth=depth)


def test_a_spheres_depth_is_found_to_a_fraction_of_a_millimetre(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sphere(tmp_path, "ball")
    errors = benchmark.integration(tmp_path)
    assert errors["ball"] < 0.4
    assert "ball" in capsys.readouterr().out


def test_bodies_of_a_folder_are_timed_and_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[20:60, 30:50] = 255
    Image.fromarray(rgba).save(tmp_path / "box.png")
    Image.fromarray(rgba * 0).save(tmp_path / "nothing.png")
    meshes = benchmark.body(tmp_path, 128, 2000)
    assert list(meshes) == ["box"]
    assert len(meshes["box"].triangles) <= 2000
    assert benchmark.soundness(meshes["box"]) == "yes"
    printed = capsys.readouterr().out
    assert "transparent" in printed


def test_cut_outs_of_a_folder_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    rgba = np.full((80, 90, 4), 255, np.uint8)
    rgba[20:60, 30:50, :3] = (160, 40, 30)
    Image.fromarray(rgba).save(tmp_path / "box.png")
    (tmp_path / "broken.png").write_text("this is no picture")
    benchmark.cutouts(tmp_path, 64)
    _, box, broken = capsys.readouterr().out.splitlines()
    assert "90 x 80" in box
    assert "broken.png" in broken


def test_a_folder_without_anything_to_measure_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="normal_map"):
        benchmark.integration(tmp_path)
    with pytest.raises(SystemExit, match="no picture"):
        benchmark.body(tmp_path, 64, 100)


@pytest.mark.slow
def test_light_that_is_taken_out_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("numba", reason="makes pictures up: the extra training has it")
    import benchmark_light

    benchmark_light.main(["--count", "4", "--seed", "3"])
    before, after = map(float, re.findall(r"(?:photographed|light) ([0-9.]+)", capsys.readouterr().out))
    assert after < before


@pytest.mark.slow
def test_upscaling_a_ball_before_its_normals_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cv2", reason="finds the edges of true normals: the extra evaluation has it")
    import benchmark_upscale
    from PIL import Image

    rows, columns = (np.mgrid[:96, :96] - 47.5) / 40
    inside = rows**2 + columns**2 < 1
    z = np.sqrt(np.clip(1 - rows**2 - columns**2, 0, 1))
    stored = np.rint(np.dstack([columns, -rows, z]) * 127.5 + 127.5).clip(0, 255)
    for part, pixels in (("images", 40 + 200 * z), ("mask", 255 * inside), ("normals", stored)):
        (tmp_path / part).mkdir()
        image = np.broadcast_to(pixels[..., None], (96, 96, 3)) if pixels.ndim == 2 else pixels
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / part / "ball.png")
    benchmark_upscale.main([str(tmp_path), "--sizes", "24"])
    _, small, whole = capsys.readouterr().out.splitlines()
    without, upscaled, best = (float(number) for number in re.findall(r"\d+\.\d+", small)[:2] + whole.split()[1:2])
    assert "of  1" in small
    assert 0 < best < 25
    assert without != upscaled
    assert abs(without - upscaled) < 5


def test_the_detail_of_a_coarse_ball_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="makes surfaces of voxels: the extra hi3dgen has it")
    import benchmark_detail

    from tests.backend.training.geometry.known_objects import write_ball

    middles = ((np.arange(128) + 0.5) / 128 - 0.5) * 1.5
    x, y, z = np.meshgrid(middles, middles, middles, indexing="ij")
    write_ball(tmp_path, occupancy128=np.packbits(x**2 + y**2 + z**2 < 0.25))
    write_ball(tmp_path, "unsure", occupancy_reliable=np.False_)
    benchmark_detail.main([str(tmp_path)])
    name, before, after, *rest = capsys.readouterr().out.splitlines()[1].split()
    assert name == "ball"
    assert 0 < float(after) < 0.8 * float(before)
    assert float(rest[2]) == pytest.approx(float(rest[3]), abs=1)


@pytest.mark.slow
def test_the_normal_texture_of_a_coarse_ball_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="makes surfaces of voxels: the extra hi3dgen has it")
    import benchmark_normal_texture

    from tests.backend.training.geometry.known_objects import write_ball

    middles = ((np.arange(128) + 0.5) / 128 - 0.5) * 1.5
    x, y, z = np.meshgrid(middles, middles, middles, indexing="ij")
    write_ball(tmp_path, occupancy128=np.packbits(x**2 + y**2 + z**2 < 0.25))
    benchmark_normal_texture.main([str(tmp_path), "--faces", "3000", "--plain"])
    name, before, after, *_ = capsys.readouterr().out.splitlines()[1].split()
    assert name == "ball"
    assert 0 < float(after) < 0.8 * float(before)


def test_colours_that_nobody_sees_are_measured_on_a_half_dark_ball(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="makes surfaces of voxels: the extra hi3dgen has it")
    import benchmark_colours

    from tests.backend.training.geometry.known_objects import write_ball

    middles = ((np.arange(128) + 0.5) / 128 - 0.5) * 1.5
    x, y, z = np.meshgrid(middles, middles, middles, indexing="ij")
    (tmp_path / "colours").mkdir()
    normals = np.random.default_rng(1).normal(size=(3000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    write_ball(tmp_path, occupancy128=np.packbits(x**2 + y**2 + z**2 < 0.25))
    dark = (normals[:, :1] > 0) & (normals[:, 2:] < 0)  # a quarter of the ball, which the picture does not see
    arrays = {"points": normals / 2, "normals": normals}
    arrays["colours"] = np.where(dark, 0, 150).repeat(3, axis=1).astype(np.uint8)
    np.savez(tmp_path / "colours" / "ball.npz", **arrays)
    benchmark_colours.main([str(tmp_path)])
    name, points, _, *numbers = capsys.readouterr().out.splitlines()[2].split()
    assert name == "ball"
    assert 1500 < int(points) < 2200  # of 3000, a half and what is seen at a grazing angle
    for error, tint, share in zip(numbers[:3], numbers[3:6], numbers[6:9], strict=True):
        assert 10 < float(error) < 30
        assert float(tint) < 0.5  # all is grey
        assert float(share) == pytest.approx(100 * dark.sum() / int(points), abs=10)


def test_plain_diffusion_gives_every_unknown_vertex_the_mean_of_its_neighbours() -> None:
    pytest.importorskip("torch", reason="its module makes surfaces of voxels: the extra hi3dgen has it")
    import benchmark_colours

    from tests.backend.training.geometry.known_objects import ball

    surface = ball(12, 8)
    used = np.unique(surface.faces)  # each pole is one vertex
    faces = np.searchsorted(used, surface.faces).astype(np.int32)
    count, height = len(used), surface.vertices[used, 1]
    apart = np.concatenate([faces, faces + count])  # nothing is known of the second ball
    known = np.concatenate([np.abs(height) > 0.3, np.zeros(count, bool)])
    found = benchmark_colours.harmonic(np.tile(height, 2)[:, None], known, apart)[:, 0]
    assert found[known] == pytest.approx(height[known[:count]])
    for vertex in np.flatnonzero(~known[:count]):
        around = np.setdiff1d(faces[(faces == vertex).any(axis=1)], vertex)
        assert found[vertex] == pytest.approx(found[around].mean(), abs=1e-4)
    assert found[count:] == pytest.approx(height[known[:count]].mean())


def test_a_layout_is_judged_by_its_charts_waste_and_stretch() -> None:
    import benchmark_atlas

    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float64)
    corners = np.concatenate([square[[[0, 1, 2], [0, 2, 3]]], square[[[0, 1, 2], [0, 2, 3]]] + (0, 0, 1)])
    uv = corners[..., :2] * (0.5, 0.25)
    uv[2:] += (0.0, 0.5)
    layout = benchmark_atlas.judge(corners, uv.astype(np.float32), 64)
    assert layout.charts == 2
    assert layout.waste == pytest.approx(0.75)
    assert layout.stretch == pytest.approx((2, 2), rel=1e-5)
    assert layout.scale == pytest.approx((1, 1), rel=1e-5)


def test_what_colouring_takes_is_told_by_part() -> None:
    import benchmark_atlas

    from backend.flow.products import Crop, Cutout, Mesh, NormalMap
    from tests.backend.training.geometry.known_objects import as_made, ball

    plain = as_made(ball(48, 24))
    uv = plain.vertices[:, [0, 2]] * np.float32(0.8) + np.float32((0.5, 0.1))
    mesh = benchmark_atlas.halved(Mesh(plain.vertices, plain.triangles, uv))
    assert len(mesh.triangles) == 4 * len(plain.triangles)
    assert len(np.unique(mesh.triangles)) == len(mesh.triangles) // 2 + 2  # Euler: it is closed as it was
    row, column = np.mgrid[:64, :64]
    disc = (row - 31.5) ** 2 + (column - 31.5) ** 2 < 25.6**2
    rgba = np.dstack([np.full((64, 64, 3), 200), 255 * disc]).astype(np.uint8)
    normals = np.zeros((64, 64, 3), np.float32) + np.float32((0, 0, 1))
    cutout = Cutout(rgba, Crop(0, 0, 64, 64, 64))
    subject = benchmark_atlas.Subject(mesh, cutout, NormalMap(normals, disc.astype(np.float32)), rgba)
    faces, side, charts, waste, stretch, *_ = benchmark_atlas.measure(subject, 256)
    assert (faces, side) == (len(mesh.triangles), 256)
    assert 6 <= charts < 20
    assert 0 < waste < 0.7
    assert 1 < stretch < 1.8
    assert (benchmark_atlas.measure(subject, 256, memory=True)[8:] > 0).all()
