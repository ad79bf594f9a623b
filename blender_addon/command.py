# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen PICTURE... -o FOLDER`: meshes of many pictures, without a window, by a manifest.

It is the batch of docs/batch.md with Blender's exporter: a run that was killed goes on where it was, and the same
command twice does nothing. Exit codes: 0 all made, 1 some not (each with a sentence on standard error), 2 wrong
arguments, 130 interrupted. Standard output holds the paths of the meshes, a line each, and nothing else.
"""

import argparse
import signal
import sys
from pathlib import Path

import bpy

from ..backend.batch.lines import Line, bad_line, read_sources
from ..backend.batch.manifest import Entry, Manifest, State
from ..backend.batch.planning import Wanted, plan
from ..backend.batch.running import run as run_batch
from ..backend.batch.summary import write_summary
from ..backend.errors import UserError
from ..backend.version import VERSION
from ..backend.wire.limits import MAX_COUNT, seed_from_text, split_setting, values_of
from .errors import AddonError
from .link import engines
from .many import NORMAL_MAP, execute

_handle: object = None


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
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: Blender's own, which Python cannot set


def _run(options: argparse.Namespace) -> int:
    """Make what is not made yet; 0 if all pictures are done. Raises `AddonError` and `UserError`."""
    known = engines.known_afresh()
    wanted = [_wanted(line, options, known) for line in read_sources(options.pictures)]
    with Manifest(options.output) as manifest:
        names = plan(manifest, wanted)
        todo = [name for name in names if manifest.entries[name].state is not State.DONE]
        try:
            run_batch(manifest, todo, execute, _Follower(options.output, len(names), len(todo)))
        finally:
            write_summary(manifest, names)
    return 1 if any(manifest.entries[name].state is State.FAILED for name in names) else 0


def _wanted(line: Line, options: argparse.Namespace, known: engines.Engines) -> Wanted:
    """The request of a line: what it says itself comes before the command line. Raises `UserError`."""
    own = options.engine or known[0].name
    name = own if line.engine is None else line.engine
    engine = engines.find(name, known)
    if engine is None:
        advice = f"Choose one of: {', '.join(each.name for each in known)}."
        raise bad_line(line.place or "The command", f"asks for an unknown engine “{name:.60}”", advice)
    defaults = {setting.name: setting.default for setting in engine.settings}
    shared = values_of(engine.settings, options.set) if name == own else {}
    request = {
        "engine": name,
        "seed": options.seed if line.seed is None else line.seed,
        "count": options.count if line.count is None else line.count,
        "settings": {**defaults, **shared, **line.settings},
        "products": [*([NORMAL_MAP] if options.normal_maps else []), "mesh"],
        "versions": {**engine.versions, "hi3dgen": VERSION, "blender": bpy.app.version_string},
    }
    return Wanted(line, request)


class _Follower:
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

    def ended(self, entry: Entry) -> None:
        self._show("")
        for file in entry.files:
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
        help="a picture, a folder of them, or a list: a path a line",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the meshes go")
    parser.add_argument("--normal-maps", action="store_true", help="write NAME_normal_map.png beside each mesh")
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
