# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen`, called as Blender calls it: the arguments after the name, an exit code back."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import psutil
import pytest
import trimesh
from PIL import Image

from tests.blender_addon.support import MODULE, another_blender, states, visible


def test_every_picture_becomes_a_mesh_and_a_normal_map(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "more" / "apple.png"
    other.parent.mkdir()
    other.write_bytes(picture_file.read_bytes())
    output = tmp_path / "out"
    before = {*bpy.data.objects, *bpy.data.images, *bpy.data.meshes, *bpy.data.materials}
    arguments = [
        str(picture_file),
        str(other),
        "-o",
        str(output),
        "--seed",
        "4",
        "--set",
        "resolution=96",
        "--normal-maps",
    ]
    assert command(arguments) == 0
    assert {*bpy.data.objects, *bpy.data.images, *bpy.data.meshes, *bpy.data.materials} == before
    assert capsys.readouterr().out.split() == [str(output / "apple.glb"), str(output / "apple-2.glb")]
    made = {"apple.glb", "apple_normal_map.png", "apple-2.glb", "apple-2_normal_map.png"}
    assert visible(output) == {*made, "manifest.jsonl", "summary.jsonl"}
    mesh = trimesh.load(output / "apple.glb", force="mesh")
    assert mesh.extents.max() == pytest.approx(1.0, abs=1e-3)
    assert mesh.bounds[0][1] == pytest.approx(0.0, abs=1e-4), "glTF is y up"
    assert mesh.visual.material.baseColorTexture.size == (128, 128)  # the colours all round
    assert np.array(Image.open(output / "apple_normal_map.png"))[0, 0].tolist()[:3] == [255, 255, 255]


def test_several_seeds_are_several_files(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    arguments = [str(picture_file), "-o", str(output), "--seed", "9", "--count", "2", "--set", "resolution=96"]
    assert command([*arguments, "--normal-maps"]) == 0
    paths = [output / "apple_seed9.glb", output / "apple_seed10.glb"]
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    made = {*(path.name for path in paths), "apple_normal_map.png"}
    assert visible(output) == {*made, "manifest.jsonl", "summary.jsonl"}
    first, second = (trimesh.load(path, force="mesh") for path in paths)
    assert np.ptp(first.vertices, axis=0) != pytest.approx(np.ptp(second.vertices, axis=0), abs=1e-3)
    for mesh in (first, second):
        assert mesh.bounds.mean(axis=0)[0] == pytest.approx(0.0, abs=1e-3), "each stands where it would alone"


def test_meshes_that_were_made_before_a_failure_are_written(
    command: Callable[[list[str]], int],
    session: Any,
    picture_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def kill_after_the_first() -> None:
        while session.running is None or not session.running.results:
            time.sleep(0.002)
        psutil.Process(session.pid).kill()

    threading.Thread(target=kill_after_the_first, daemon=True).start()
    output = tmp_path / "out"
    assert command([str(picture_file), "-o", str(output), "--count", "16", "--set", "resolution=512"]) == 1
    said = capsys.readouterr()
    written = said.out.split()
    assert written[0] == str(output / "apple_seed0.glb")
    assert {Path(path).name for path in written} == {name for name in visible(output) if name.endswith(".glb")}
    assert "ended in the middle" in said.err


def test_one_bad_picture_does_not_keep_the_others(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    missing = tmp_path / "nowhere.png"
    assert command([str(missing), str(picture_file), "-o", str(output), "--set", "resolution=96"]) == 1
    assert (output / "apple.glb").exists()
    sentence = capsys.readouterr().err
    assert "nowhere.png" in sentence
    assert "Traceback" not in sentence


def test_the_same_command_twice_makes_nothing_and_another_setting_makes_it_again(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    arguments = [str(picture_file), "-o", str(output), "--set", "resolution=96"]
    assert command(arguments) == 0
    before = (output / "apple.glb").stat().st_mtime_ns
    assert capsys.readouterr().out.split() == [str(output / "apple.glb")]
    assert command(arguments) == 0
    assert capsys.readouterr().out == ""
    assert (output / "apple.glb").stat().st_mtime_ns == before
    assert command([*arguments, "--seed", "1"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    advice = "Give another folder, or add --overwrite."
    assert said.err == f"“{output / 'apple.glb'}” is there already, and would be written over. {advice}\n"
    assert (output / "apple.glb").stat().st_mtime_ns == before
    assert command([*arguments, "--seed", "1", "--overwrite"]) == 0
    assert capsys.readouterr().out.split() == [str(output / "apple.glb")]


def test_wildcards_are_expanded_where_the_shell_does_not(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("owl.png", "in/pear.png", "notes.md", "in/sky.exr", "moon.exr", "sun.gif"):
        (tmp_path / name).write_bytes(picture_file.read_bytes())
    output = tmp_path / "out"
    assert command([str(tmp_path / "*"), "-o", str(output), "--set", "resolution=64"]) == 0
    printed = capsys.readouterr()
    assert [Path(path).stem for path in printed.out.split()] == ["apple", "pear", "owl"]
    assert "Left out, as such files are not read from folders: 2 .exr, 1 .gif. Save them as PNG." in printed.err
    assert command([str(tmp_path / "*.webp"), "-o", str(output)]) == 1
    assert "No picture fits" in capsys.readouterr().err


def test_the_help_lists_the_settings_of_each_engine(
    command: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "settings of --engine draft " in shown
    assert "A whole number from 64 to 1024 (default 512)" in shown
    assert "settings of --engine hi3dgen " in shown
    assert "One of: preview, balanced, upstream (default upstream)" in shown
    assert "--overwrite" in shown


def test_a_blender_that_is_killed_loses_the_running_picture_alone(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, output = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for name in "abcd":
        (photos / f"{name}.png").write_bytes(picture_file.read_bytes())
    arguments = [str(photos), "-o", str(output), "--set", "resolution=512"]
    other = another_blender(tmp_path / "resources", arguments)
    assert other.stdout
    first = next(line for line in other.stdout if line.strip().endswith(b".glb")).decode().strip()
    other.kill()
    other.communicate()
    before = Path(first).stat().st_mtime_ns
    assert command(arguments) == 0
    made = capsys.readouterr().out.split()
    assert first == str(output / "a.glb")
    assert made[-3:] == [str(output / f"{name}.glb") for name in "bcd"][-len(made) :]
    assert Path(first).stat().st_mtime_ns == before
    assert states(output) == ["done"] * 4


def test_a_list_gives_each_picture_its_own_settings(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    lines = [
        {"picture": picture_file.name, "settings": {"resolution": 96}, "name": "small"},
        {"picture": picture_file.name, "settings": {"resolution": 64}},
        {"picture": picture_file.name, "seed": 9, "count": 2, "settings": {"resolution": 96}},
    ]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert command([str(tmp_path / "list.jsonl"), "-o", str(output)]) == 0
    names = [Path(path).name for path in capsys.readouterr().out.split()]
    assert names == ["small.glb", "apple.glb", "apple-2_seed9.glb", "apple-2_seed10.glb"]


def test_an_interrupt_ends_with_130_and_leaves_the_backend_alive(
    command: Callable[[list[str]], int], session: Any, picture_file: Path, tmp_path: Path
) -> None:
    def interrupt() -> None:
        while session.running is None or session.running.progress is None:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    assert command([str(picture_file), "-o", str(tmp_path / "out"), "--set", "resolution=1024"]) == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not (tmp_path / "out" / "apple.glb").exists()
    assert command([str(picture_file), "-o", str(tmp_path / "out"), "--set", "resolution=96"]) == 0


def test_products_are_written_by_their_names_and_seeds(
    command: Callable[[list[str]], int],
    use_backend: Callable[[Path, str], None],
    picture_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_backend(Path(__file__).with_name("two_meshes.py"), "both")
    output = tmp_path / "out"
    arguments = [str(picture_file), "-o", str(output), "--engine", "both", "--set", "resolution=96", "--count", "2"]
    assert command([*arguments, "--normal-maps"]) == 0
    assert capsys.readouterr().out.split() == [str(output / f"apple_seed{seed}.glb") for seed in (0, 1)]
    for seed in (0, 1):
        mesh = trimesh.load(output / f"apple_seed{seed}.glb", force="mesh")
        assert mesh.extents.max() == pytest.approx(1.0, abs=1e-3), "the engine's last product, and not the small one"
        pixel = np.array(Image.open(output / f"apple_normal_map_seed{seed}.png"))[48, 48]
        assert pixel[seed] > 250
        assert pixel[1 - seed] < 140


def test_an_engine_without_a_mesh_is_refused(
    command: Callable[[list[str]], int],
    use_backend: Callable[[Path, str], None],
    picture_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_backend(Path(__file__).with_name("two_meshes.py"), "flat")
    assert command([str(picture_file), "-o", str(tmp_path / "out"), "--engine", "flat"]) == 1
    assert "Flat gives no mesh" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_product_that_did_not_come_is_a_sentence(scene: Any, tmp_path: Path) -> None:
    many = import_module(f"{MODULE}.blender_addon.many")
    errors = import_module(f"{MODULE}.blender_addon.errors")
    request = {"products": ["mesh"], "count": 1}
    task = many.Task("apple", "apple", {}, request, str(tmp_path), str(tmp_path / "tile.jpg"))
    with pytest.raises(errors.AddonError, match="did not give “mesh”"):
        many._write(task, set())


def test_a_normal_map_is_named_by_its_seed_if_the_other_seeds_gave_none(
    scene: Any, picture_file: Path, tmp_path: Path
) -> None:
    many = import_module(f"{MODULE}.blender_addon.many")
    errors = import_module(f"{MODULE}.blender_addon.errors")
    image = bpy.data.images.load(str(picture_file))
    image.pack()
    image[many.PRODUCT], image[many.SEEDS] = "normal_map", [9]
    out = tmp_path / "out"
    out.mkdir()
    request = {"products": ["normal_map", "mesh"], "seed": 9, "count": 2}
    task = many.Task("apple", "apple", {}, request, str(out), str(tmp_path / "tile.jpg"))
    with pytest.raises(errors.AddonError, match="did not give “mesh”"):
        many._write(task, {image})
    assert visible(out) == {"apple_normal_map_seed9.png"}
    image[many.SEEDS] = [9, 10]
    with pytest.raises(errors.AddonError, match="did not give “mesh”"):
        many._write(task, {image})
    assert visible(out) == {"apple_normal_map_seed9.png", "apple_normal_map.png"}, "no seed changes it"
