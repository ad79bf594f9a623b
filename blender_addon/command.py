# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen PICTURE... -o FOLDER`: meshes of many pictures, without a window, by a manifest.

It is the batch of docs/batch.md with Blender's exporter: a run that was killed goes on where it was, and the same
command twice does nothing. Exit codes: 0 all done, 1 some not (sentences on standard error say why), 2 wrong
arguments, 130 interrupted. Standard output holds the paths of the meshes that were made now, a line each, and nothing
else.
"""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ..backend.batch.lines import read_sources
from ..backend.batch.manifest import Entry, Manifest, State
from ..backend.batch.passed_over import told
from ..backend.batch.planning import plan, wanted_by
from ..backend.batch.running import run as run_batch
from ..backend.batch.summary import taken_elsewhere, write_summary
from ..backend.commands.arguments import ANEW, add_engine, add_overwrite, add_seeds
from ..backend.errors import UserError
from ..backend.version import VERSION
from ..backend.wire.messages import EngineInfo
from .errors import AddonError
from .link import engines, runtime
from .many import execute
from .presets import named as preset_named


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # Blender's own would end it without a word
    try:
        return _run(options)
    except (AddonError, UserError) as error:
        print(f"{error.sentence} {error.advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 1
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: Blender's own, which Python cannot set


def _run(options: argparse.Namespace) -> int:
    """Make what is not made yet; 0 if all pictures are done. Raises `AddonError` and `UserError`."""
    if not hasattr(bpy.types, "EXPORT_SCENE_OT_gltf"):
        raise AddonError("Blender's glTF exporter is switched off.", "Enable “glTF 2.0 format” in the preferences.")
    passed_over: Counter[str] = Counter()
    lines = read_sources(options.pictures, passed_over)
    if sentence := told(passed_over):
        print(sentence, file=sys.stderr)
    options.engine = options.engine or engines.require()[0].name
    named = {line.engine or options.engine for line in lines}
    known = {engine.name: engine for engine in engines.known_afresh(named, runtime.computer())}
    if options.preset and options.engine in known:
        options.preset = preset_named(known[options.engine], options.preset)

    def rest(engine: EngineInfo) -> dict[str, Any]:
        return {
            "products": _products(engine, normal_maps=options.normal_maps),
            "versions": {**engine.versions, "hi3dgen": VERSION, "blender": bpy.app.version_string},
        }

    wanted = [wanted_by(line, options, known, rest) for line in lines]
    with Manifest(options.output) as manifest:
        names = plan(manifest, wanted, overwrite=options.overwrite)
        todo = [name for name in names if manifest.entries[name].state is not State.DONE]
        try:
            run_batch(manifest, todo, execute, _Watcher(options.output, len(names), len(todo)))
        finally:
            write_summary(manifest, names)
    entries = [manifest.entries[name] for name in names]
    if sentence := taken_elsewhere(entries):
        print(sentence, file=sys.stderr)
    return 0 if all(entry.state is State.DONE for entry in entries) else 1


def _products(engine: EngineInfo, *, normal_maps: bool) -> list[str]:
    """The names of the products to write: its normal maps if they are asked for, and the last of its meshes, last.

    Raises `UserError` (bad-product) if it gives none.
    """
    kinds = {
        kind: [name for name in engine.products if engine.products[name] == kind] for kind in ("normal_map", "mesh")
    }
    for kind in kinds if normal_maps else ("mesh",):
        if not kinds[kind]:
            sentence = f"{engine.label} gives no {kind.replace('_', ' ')}."
            raise UserError("bad-product", sentence, "Choose another engine.")
    return [*(kinds["normal_map"] if normal_maps else ()), kinds["mesh"][-1]]


class _Watcher:
    """Prints the paths of meshes, failures with their sentences, and a line on a terminal that shows how far it is."""

    def __init__(self, out: Path, of: int, todo: int) -> None:
        self._out = out
        self._of = of
        self._number = of - todo
        self._shown = ""

    def begun(self, entry: Entry) -> None:
        self._number += 1
        self.progressed(entry.name, "reading the picture", 0.0)

    def progressed(self, name: str, label: str, done: float) -> None:
        self._show(f"picture {self._number} of {self._of}, {name}: {label}, {100 * done:.0f} %")

    def ended(self, entry: Entry, made: Sequence[str]) -> None:
        self._show("")
        for file in made:
            if file.endswith(".glb"):
                print(self._out / file, flush=True)
        for note in entry.notes:
            print(f"{entry.name}: {note}", file=sys.stderr)
        if entry.code:
            print(f"{entry.name}: {entry.sentence} {entry.advice}", file=sys.stderr)

    def _show(self, line: str) -> None:
        if line != self._shown and sys.stderr.isatty():
            self._shown = line
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("blender --command hi3dgen", description="Turn pictures into meshes.")
    parser.add_argument(
        "pictures",
        nargs="+",
        type=Path,
        metavar="PICTURE",
        help="a picture, a folder of them, wildcards such as *.png, or a list: a path a line",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the meshes go")
    parser.add_argument("--normal-maps", action="store_true", help="write NAME_normal_map.png beside each mesh")
    add_engine(parser, engines.known())
    add_seeds(parser, "meshes of each picture, with the seeds that follow, as NAME_seedSEED.glb")
    add_overwrite(parser, ANEW)
    return parser
