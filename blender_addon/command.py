# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen PICTURE... -o FOLDER`: meshes of many pictures, without a window.

Exit codes: 0 all made, 1 some not (each with a sentence on standard error), 2 wrong arguments, 130 interrupted.
Standard output holds the paths of the meshes, a line each, and nothing else.
"""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..backend.wire.limits import MAX_COUNT, seed_from_text, split_setting, values_of
from .errors import AddonError
from .generate import submit, wait
from .link import engines, runtime
from .link.session import Job
from .scene.landing import PRODUCT
from .scene.objects import RECIPE, datablocks

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
                for path in _make(picture, output, options):
                    print(path, flush=True)
            except AddonError as error:
                failed += 1
                print(f"{picture}: {error.sentence} {error.advice}", file=sys.stderr)
    except AddonError as error:
        print(f"{error.sentence} {error.advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: Blender's own, which Python cannot set
    return 1 if failed else 0


def _make(picture: Path, output: Path, options: argparse.Namespace) -> Iterator[Path]:
    """One picture's meshes as they are written, and its normal map if it is asked for.

    Raises `AddonError` if a mesh is missing, after those that were made. The file is left as it was: a thousand
    pictures take no more memory than one.
    """
    runtime.session().try_again()  # a picture that the backend could not bear must not end the others
    before = datablocks()
    path = output
    try:
        failure = _generated(picture, options)
        new = datablocks() - before
        normal_maps = [thing for thing in new if thing.get(PRODUCT) == "normal_map"]
        if options.normal_maps and normal_maps:
            path = _normal_map_path(output)
            path.write_bytes(normal_maps[0].packed_file.data)
        meshes = [thing for thing in new if isinstance(thing, bpy.types.Object) and thing.type == "MESH"]
        for thing in sorted(meshes, key=lambda thing: thing.location.x):
            path = _mesh_path(output, thing[RECIPE]["seed"] if options.count > 1 else None)
            _export(thing, path)
            yield path
            for note in filter(None, thing[RECIPE]["notes"].splitlines()):
                print(f"{path.name}: {note}", file=sys.stderr)
        if failure:
            raise failure
    except (OSError, RuntimeError) as error:
        raise AddonError(f"“{path}” could not be written: {error}.", "Choose another folder.") from error
    finally:
        bpy.data.batch_remove(datablocks() - before)


def _generated(picture: Path, options: argparse.Namespace) -> AddonError | None:
    """Let the meshes land; returns what came in between."""
    known = engines.known_or_asked()
    engine = engines.find(options.engine, known) if options.engine else known[0]
    settings = values_of(engine.settings if engine else (), options.set)
    name = engine.name if engine else options.engine
    job = None
    try:
        job = submit(bpy.context.scene, picture, name, options.seed, settings=settings, count=options.count)
        wait(job, _Line(picture.name).show)
    except AddonError as error:
        if job:
            runtime.session().cancel(job)  # without a panel, the rest cannot be landed again
        return error
    return None


def _export(thing: bpy.types.Object, path: Path) -> None:
    """One object as a file, standing where all files' objects stand."""
    thing.location = (0.0, 0.0, 0.0)
    for other in bpy.context.view_layer.objects:
        other.select_set(other == thing)
    with contextlib.redirect_stdout(sys.stderr):  # the exporter chats
        bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", use_selection=True)


def _outputs(options: argparse.Namespace) -> list[Path]:
    """The path of each picture's results without a suffix: its own name, numbered if an earlier picture has it.

    Raises `AddonError` if the folder cannot be made, or if a result would take the place of a picture.
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
        for path in [_mesh_path(output), *([_normal_map_path(output)] if options.normal_maps else [])]:
            if _folded(path) in pictures:
                sentence = f"“{path}” would be written over a picture that is to be read."
                raise AddonError(sentence, "Choose another folder.")
    return outputs


def _mesh_path(output: Path, seed: int | None = None) -> Path:
    return output.with_name(f"{output.name}.glb" if seed is None else f"{output.name}_seed{seed}.glb")


def _normal_map_path(output: Path) -> Path:
    return output.with_name(f"{output.name}_normals.png")


def _folded(path: Path) -> str:
    """A path as a file system that ignores case knows it."""
    return str(path.resolve()).casefold()


class _Line:
    """One line on a terminal that follows a job; nothing if standard error is not a terminal."""

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
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="a file that Blender reads")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the meshes go")
    parser.add_argument("--normal-maps", action="store_true", help="write NAME_normals.png beside each mesh")
    known = engines.known()
    named = f"{', '.join(engine.name for engine in known)} (default {known[0].name})" if known else "by its name"
    parser.add_argument("--engine", choices=[engine.name for engine in known] or None, help=f"what makes them: {named}")
    parser.add_argument("--seed", type=_seed, default=0, help="decides what the picture does not show (default 0)")
    parser.add_argument(
        "--count",
        type=int,
        choices=range(1, MAX_COUNT + 1),
        default=1,
        metavar="N",
        help=f"make 1 to {MAX_COUNT} meshes of each picture, with the seeds that follow, as NAME_seedSEED.glb",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help=f"a setting of the engine; {_listed(known)}",
    )
    return parser


def _listed(known: engines.Engines) -> str:
    """Every engine's settings by name."""
    return "; ".join(f"{engine.name}: {', '.join(setting.name for setting in engine.settings)}" for engine in known)


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
