# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen PICTURE... -o FOLDER`: meshes of many pictures, without a window.

Exit codes: 0 all made, 1 some not (each with a sentence on standard error), 2 wrong arguments, 130 interrupted.
Standard output holds the paths of the meshes, a line each, and nothing else.
"""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

import bpy

from ..backend.wire.messages import seed_from_text
from ..backend.wire.settings import SETTINGS, split_setting, typed
from . import runtime
from .errors import AddonError
from .generate import Order, submit, wait
from .material import NORMAL_MAP
from .scene import datablocks
from .session import Job

_handle: object = None


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    failed = 0
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # Blender's own would end it without a word
    try:
        outputs = _outputs(options)
        for picture, output in zip(options.pictures, outputs, strict=True):
            try:
                with contextlib.redirect_stdout(sys.stderr):  # the exporter chats
                    made = _make(picture, output, options)
            except AddonError as error:
                failed += 1
                print(f"{picture}: {error.sentence} {error.advice}", file=sys.stderr)
            else:
                print(made, flush=True)
    except AddonError as error:
        print(f"{error.sentence} {error.advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: Blender's own, which Python cannot set
    return 1 if failed else 0


def _make(picture: Path, output: Path, options: argparse.Namespace) -> Path:
    """One picture's mesh as OUTPUT.glb, and its normal map where it is asked for. Raises `AddonError`.

    The file is left as it was: a thousand pictures take no more memory than one.
    """
    runtime.session().try_again()  # a picture that the backend could not bear must not end the others
    settings = typed(SETTINGS.get(options.engine, ()), options.set)
    before = datablocks()
    try:
        wait(
            submit(bpy.context.scene, Order(picture, options.engine, options.seed, settings)), _Line(picture.name).show
        )
        made = bpy.context.view_layer.objects.active
        if options.normal_maps:
            normal_map = made.active_material.node_tree.nodes[NORMAL_MAP].image
            _normal_map_path(output).write_bytes(normal_map.packed_file.data)
        bpy.ops.export_scene.gltf(filepath=str(_mesh_path(output)), export_format="GLB", use_selection=True)
    except (OSError, RuntimeError) as error:
        raise AddonError(f"“{_mesh_path(output)}” could not be written: {error}.", "Choose another folder.") from error
    finally:
        bpy.data.batch_remove(datablocks() - before)
    return _mesh_path(output)


def _outputs(options: argparse.Namespace) -> list[Path]:
    """The path of each picture's results without a suffix: its own name, numbered where an earlier picture has it.

    Raises `AddonError` where the folder cannot be made, and where a result would take the place of a picture.
    """
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"The folder “{options.output}” cannot be made: {error.strerror}."
        raise AddonError(sentence, "Choose another.") from error
    taken: set[str] = set()
    outputs: list[Path] = []
    for picture in options.pictures:
        name, number = picture.stem, 2
        while name.casefold() in taken:
            name, number = f"{picture.stem}-{number}", number + 1
        taken.add(name.casefold())
        outputs.append(options.output / name)
    pictures = {_folded(picture) for picture in options.pictures}
    for output in outputs:
        written = [_mesh_path(output), *([_normal_map_path(output)] if options.normal_maps else [])]
        for path in written:
            if _folded(path) in pictures:
                sentence = f"“{path}” would be written over a picture that is to be read."
                raise AddonError(sentence, "Choose another folder.")
    return outputs


def _mesh_path(output: Path) -> Path:
    return output.with_name(f"{output.name}.glb")


def _normal_map_path(output: Path) -> Path:
    return output.with_name(f"{output.name}_normals.png")


def _folded(path: Path) -> str:
    """A path as a file system that ignores case knows it."""
    return str(path.resolve()).casefold()


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
    parser.add_argument("--normal-maps", action="store_true", help="write NAME_normals.png beside each mesh")
    parser.add_argument("--engine", default="draft")
    parser.add_argument("--seed", type=_seed, default=0, help="decides what the picture does not tell")
    parser.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="a setting of the engine"
    )
    return parser


def _seed(text: str) -> int:
    try:
        return seed_from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _setting(text: str) -> tuple[str, str]:
    try:
        return split_setting(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def register() -> None:
    """Make the command known to Blender."""
    global _handle  # noqa: PLW0603 - Blender wants the handle back
    _handle = bpy.utils.register_cli_command("hi3dgen", run)


def unregister() -> None:
    """Take it back."""
    bpy.utils.unregister_cli_command(_handle)
