# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed extension in a Blender without a window: the command and the operator, as scripts use them."""

from pathlib import Path

import pytest

from tests.gui.blender import background
from tests.gui.screen import Tool

pytestmark = [pytest.mark.window, pytest.mark.slow]


def test_the_command_makes_meshes_and_normal_maps(
    real_blender: Tool, resources: Path, toadstool: Path, tmp_path: Path
) -> None:
    output = tmp_path / "meshes"
    done = background(
        real_blender, resources, "--command", "hi3dgen", toadstool, toadstool, "-o", output, "--normal-maps"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = {"toadstool-2.glb", "toadstool-2_normal_map.png", "toadstool.glb", "toadstool_normal_map.png"}
    assert made <= {path.name for path in output.iterdir()}
    assert (output / "toadstool.glb").read_bytes().startswith(b"glTF")
    assert (output / "toadstool_normal_map.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.once
def test_the_command_says_which_picture_failed_and_makes_the_others(
    real_blender: Tool, resources: Path, toadstool: Path, noise: Path, tmp_path: Path
) -> None:
    absent = tmp_path / "absent.png"
    done = background(real_blender, resources, "--command", "hi3dgen", noise, absent, toadstool, "-o", tmp_path)
    assert done.returncode == 1
    assert "noise: The picture's background" in done.stderr
    assert "absent: There is no file" in done.stderr
    assert (tmp_path / "toadstool.glb").exists()
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.once
def test_the_command_refuses_wrong_arguments(real_blender: Tool, resources: Path) -> None:
    done = background(real_blender, resources, "--command", "hi3dgen", "--seed", "many")
    assert done.returncode == 2
    assert "usage: blender --command hi3dgen" in done.stderr


@pytest.mark.once
def test_the_command_lists_the_settings_and_reads_wildcards(
    real_blender: Tool, resources: Path, toadstool: Path, tmp_path: Path
) -> None:
    done = background(real_blender, resources, "--command", "hi3dgen", "--help")
    assert done.returncode == 0
    assert "settings of --engine draft" in done.stdout
    assert "A whole number from 64 to 1024 (default 512)" in " ".join(done.stdout.split())
    fitting = toadstool.parent / "*.png"
    done = background(real_blender, resources, "--command", "hi3dgen", fitting, "-o", tmp_path / "meshes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-1] == str(tmp_path / "meshes" / "toadstool.glb")


@pytest.mark.parametrize("fails", [False, True])
def test_the_operator_waits_for_its_mesh(
    real_blender: Tool,
    resources: Path,
    toadstool: Path,
    noise: Path,
    fails: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    picture = noise if fails else toadstool
    script = (
        f"import bpy; print(bpy.ops.hi3dgen.generate(filepath={str(picture)!r}, seed=7)); "
        "print(bpy.context.object.name, bpy.context.object['hi3dgen']['seed'])"
    )
    done = background(real_blender, resources, "-b", "--python-exit-code", "3", "--python-expr", script)
    if fails:
        assert done.returncode == 3
        assert "RuntimeError: Error: The picture's background" in done.stdout + done.stderr
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "{'FINISHED'}\ntoadstool 7\n" in done.stdout
