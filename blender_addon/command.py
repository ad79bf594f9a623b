# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen PICTURE... -o OUT/`: meshes and normal maps of many pictures, without a window.

Exit codes: 0 all made, 1 some not (each with a sentence on standard error), 2 wrong arguments.
"""

import argparse
import sys
from pathlib import Path

import bpy

from ..backend.wire.messages import MAX_SEED
from .errors import AddonError
from .generate import Order, submit, wait
from .material import NORMAL_MAP
from .session import Job

_handle: object = None


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    names = _names(options.pictures)
    failed = 0
    for picture, name in zip(options.pictures, names, strict=True):
        try:
            made = _make(picture, options.output / name, options)
        except AddonError as error:
            failed += 1
            print(f"{picture}: {error.sentence} {error.advice}", file=sys.stderr)
        else:
            print(made)
    return 1 if failed else 0


def _make(picture: Path, output: Path, options: argparse.Namespace) -> Path:
    """One picture's mesh as OUTPUT.glb and its normal map as OUTPUT_normals.png. Raises `AddonError`."""
    settings = {} if options.resolution is None else {"resolution": options.resolution}
    order = Order(picture, options.engine, options.seed, settings)
    wait(submit(bpy.context.scene, order), _Line(picture.name).show)
    made = bpy.context.view_layer.objects.active
    normal_map = made.active_material.node_tree.nodes[NORMAL_MAP].image
    mesh_path = output.with_name(f"{output.name}.glb")
    try:
        output.with_name(f"{output.name}_normals.png").write_bytes(normal_map.packed_file.data)
        bpy.ops.export_scene.gltf(filepath=str(mesh_path), export_format="GLB", use_selection=True)
    except (OSError, RuntimeError) as error:
        raise AddonError(f"“{mesh_path}” could not be written: {error}.", "Choose another folder.") from error
    return mesh_path


def _names(pictures: list[Path]) -> list[str]:
    """A name for each picture's results: its own, numbered where an earlier picture has the same."""
    names: list[str] = []
    for picture in pictures:
        name, number = picture.stem, 2
        while name in names:
            name, number = f"{picture.stem}-{number}", number + 1
        names.append(name)
    return names


class _Line:
    """One line on a terminal that follows a job; nothing where standard error is no terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown = ""

    def show(self, job: Job) -> None:
        progress = job.progress
        if progress is None or not sys.stderr.isatty():
            return
        line = f"{self._title}: {progress.label}, {progress.step} of {progress.of}" if job.live else ""
        if line != self._shown:
            self._shown = line
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("blender --command hi3dgen", description="Turn pictures into meshes.")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the meshes go")
    parser.add_argument("--engine", default="draft")
    parser.add_argument("--seed", type=_seed, default=0, help="decides what the picture does not tell")
    parser.add_argument("--resolution", type=int, help="side of the square in which the object is worked out, pixels")
    return parser


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed <= MAX_SEED:
        raise argparse.ArgumentTypeError(f"a seed lies between 0 and {MAX_SEED}")
    return seed


def register() -> None:
    """Make the command known to Blender."""
    global _handle  # noqa: PLW0603 - Blender wants the handle back
    _handle = bpy.utils.register_cli_command("hi3dgen", run)


def unregister() -> None:
    """Take it back."""
    bpy.utils.unregister_cli_command(_handle)
