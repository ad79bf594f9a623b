# SPDX-License-Identifier: GPL-3.0-or-later
"""`batch`: many pictures by a manifest, which goes on where it was. docs/batch.md says how.

For a program (`--json`): lines on standard output, each a JSON object.

    {"name": str, "state": "running", "number": int, "of": int}             a picture begins
    {"name": str, "label": str, "done": 0.0 to 1.0, "seconds_left": float}  how far it is; seconds of the whole batch,
        null if nothing is known
    {"name": str, "state": "done" | "failed", …}                            a picture has ended: its line of the summary
    {"finished": true, "made": int, "failed": int, "unchanged": int, "elsewhere": int}      the end
"""

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..adapters import ADAPTERS, written
from ..batch import worker
from ..batch.lines import Line, read_sources
from ..batch.manifest import BATCH, Manifest, State
from ..batch.passed_over import told
from ..batch.planning import Wanted, plan, wanted_by
from ..batch.running import run as run_batch
from ..batch.sheet import sheet_is_current, write_sheet
from ..batch.summary import write_summary
from ..batch.urls import UrlPlace
from ..errors import UserError
from ..flow.engine import Engine, why_missing
from ..version import VERSION
from .arguments import ANEW, add_engine, add_output, add_overwrite, add_seeds, add_upscaler, products_of, tell_terms
from .batch_progress import BatchProgress
from .executors import add_executor, check_executor, executor_of

LOG = "batch.log"
WORKER = "batch-worker"
_PROGRAM = "hi3dgen"  # the name of this program's own version among those of weights


def configure(command: argparse.ArgumentParser, hidden: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """What the command takes; `hidden` is the command that its worker is started by."""
    command.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="FOLDER|LIST",
        help="pictures, also by wildcards, or a list: one a line, or JSON Lines",
    )
    add_output(command, "where the results go")
    command.add_argument(
        "--results",
        default="",
        metavar="URL",
        help="where the results themselves go, such as s3://bucket/folder; the manifest stays in OUT",
    )
    add_executor(command)
    add_engine(command, engines.values())
    add_upscaler(command)
    add_seeds(command, "meshes of each picture, with the seeds that follow, as NAME_seedSEED.glb")
    command.add_argument(
        "--save",
        action="append",
        default=[],
        metavar="PRODUCT",
        help=f"write another product of the engine, as NAME_PRODUCT; {products_of(engines)}",
    )
    add_overwrite(command, ANEW)
    command.add_argument("--json", action="store_true", help="tell what happens as JSON, an object a line")
    command.set_defaults(run=partial(run, engines=engines))
    hidden.add_argument("log", type=Path)
    hidden.set_defaults(run=partial(_work, engines=engines))


def _work(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    return worker.work(engines, options.log)


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Make what is not made yet; 0 if all pictures are done. Raises `UserError`."""
    check_executor(options)
    passed_over: Counter[str] = Counter()
    lines = read_sources(options.sources, passed_over)
    if sentence := told(passed_over):
        print(sentence, file=sys.stderr)
    return make_lines(lines, options, engines, BATCH)


def make_lines(lines: Sequence[Line], options: argparse.Namespace, engines: Mapping[str, Engine], kind: str) -> int:
    """Make what of some lines is not made yet; 0 if all are done. kind: of the manifest. Raises `UserError`."""
    versions = _versions({line.engine or options.engine for line in lines}, engines)

    def rest(engine: Engine) -> dict[str, Any]:
        return {"products": _products(engine, options.save), "versions": versions[engine.name]}

    wanted = [wanted_by(line, options, engines, rest) for line in lines]
    used = [engines[name] for name in sorted({line.engine or options.engine for line in lines})]
    for engine in used:
        tell_terms(engine)
    names: list[str] = []
    place = UrlPlace(options.results) if options.results else None
    with Manifest(options.output, kind, place) as manifest:
        try:
            _check_output(manifest, wanted, engines)
            names = plan(manifest, wanted, overwrite=options.overwrite)
            todo = [name for name in names if manifest.entries[name].state is not State.DONE]
            executor = executor_of(
                options,
                [*own_command(), WORKER],
                partial(worker.maker_of, engines),
                manifest.out / LOG,
                networks=any(engine.needs_gpu for engine in used)
                or any(each.request["versions"].keys() - {_PROGRAM} for each in wanted),  # those of weights
                url=options.results,
                batch=manifest.batch,
            )
            with BatchProgress(len(names), len(todo), as_json=options.json) as progress:
                run_batch(manifest, todo, executor, progress)
        finally:
            if names:
                write_summary(manifest, names)
        if progress.ended_names or not sheet_is_current(manifest.out, len(names)):
            _write_sheet(manifest, names)
    progress.finish(manifest.entries[name] for name in names)
    return 0 if all(manifest.entries[name].state is State.DONE for name in names) else 1


def _versions(names: Collection[str], engines: Mapping[str, Engine]) -> dict[str, dict[str, str]]:
    """What decides what a seed means, for each engine that is used. Raises `UserError` if one of them is missing."""
    versions: dict[str, dict[str, str]] = {}
    for engine in (engines[name] for name in names if name in engines):
        if missing := why_missing(engine):
            raise UserError("engine-missing", f"The engine “{engine.label}” cannot run here. {missing}", engine.set_up)
        versions[engine.name] = {_PROGRAM: VERSION, **engine.versions()}
    return versions


def _products(engine: Engine, saved: Sequence[str]) -> list[str]:
    """The products to write, the main one last. Raises `UserError`."""
    return written(engine, {*saved, [*engine.gives][-1]})


def _check_output(manifest: Manifest, wanted: Sequence[Wanted], engines: Mapping[str, Engine]) -> None:
    """Refuse, before any work is done, a product that could not be written. Raises `UserError`."""
    used = {(each.request["engine"], product) for each in wanted for product in each.request["products"]}
    for name, product in used:
        adapter = ADAPTERS[engines[name].offers[product]]
        if adapter.check_path is not None:
            adapter.check_path(manifest.worker.folder / f"{product}{adapter.suffix}")


def own_command() -> list[str]:
    """How this very program is started once more, with the same engines, whatever script it is."""
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]


def _write_sheet(manifest: Manifest, names: Sequence[str]) -> None:
    try:
        write_sheet(manifest, names)
    except OSError as error:
        sentence = f"The contact sheet could not be written: {error.strerror or type(error).__name__}."
        raise UserError("not-written", sentence, "Make room, and start it again.") from error
