# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of `detailverse`, as its command calls them: each returns an exit code, and raises `UserError`."""

import argparse
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..adapters import ADAPTERS
from ..batch.lines import PICTURE, Line
from ..batch.manifest import Manifest, State
from ..batch.planning import Wanted, plan
from ..batch.running import run as run_batch
from ..batch.sheet import write_sheet
from ..errors import UserError
from ..files.outputs import writing
from ..flow.engine import Engine
from ..version import VERSION
from .batch import LOG, make_lines, own_command
from .batch_progress import BatchProgress
from .executors import executor_of

if TYPE_CHECKING:
    from ..arrays import Float32Array
    from ..detailverse.world import World

WORKER = "detailverse-worker"
"""The hidden command that makes objects."""


def run_prompts(options: argparse.Namespace) -> int:
    """Write the prompts. Raises `UserError`."""
    from ..detailverse import prompts  # noqa: PLC0415 - not in the extension's zip
    from ..detailverse.world import World, make_folder, read_lines, write_lines  # noqa: PLC0415

    world = World(options.world)
    dropped: Counter[str] = Counter()
    if options.list:
        try:
            lines = options.list.read_text("utf-8-sig").splitlines()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            sentence = f"The list “{options.list}” cannot be read: {reason}."
            raise UserError("bad-list", sentence, "Give a list.") from error
        except ValueError as error:
            sentence = f"The list “{options.list}” is not text in UTF-8."
            raise UserError("bad-list", sentence, "Save it as UTF-8: a prompt a line.") from error
        found, dropped = prompts.listed(lines)
    else:
        found = prompts.drawn(options.count, options.seed)
    if not found:
        raise UserError("no-prompts", f"There is no prompt in “{options.list}”.", "Write one a line: one thing each.")
    records = prompts.records(found, options.seed)
    if world.prompts.exists() and not options.overwrite:
        before = read_lines(world.prompts, ("name", "prompt"))
        if before != records[: len(before)]:
            sentence = f"“{world.prompts}” is there already with other prompts."
            raise UserError("output-exists", sentence, "Give another folder, or add --overwrite.")
    make_folder(world.folder)
    write_lines(world.prompts, records)
    _say(f"{len(records)} prompts.", dropped)
    return 0


def run_pictures(options: argparse.Namespace) -> int:
    """Make what pictures are not made yet; 0 if all are done. Raises `UserError`."""
    from ..detailverse.world import World, read_lines  # noqa: PLC0415 - not in the extension's zip

    world = World(options.world)
    folder = Path(options.pipeline)
    pipeline = str(folder.resolve()) if folder.is_dir() else options.pipeline
    given = {"steps": options.steps, "guidance": options.guidance}
    settings = {"pipeline": pipeline, "precision": options.precision, "size": options.size}
    settings |= {name: value for name, value in given.items() if value is not None}
    wanted = [
        _wanted(line["name"], {}, line["seed"], {"prompt": line["prompt"], **settings}, "picture")
        for line in read_lines(world.prompts, ("name", "prompt", "seed"))
    ]
    done = _made("pictures", world.pictures, wanted, options, networks=True)
    return 0 if len(done) == len(wanted) else 1


def run_meshes(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Make what meshes of pictures are not made yet; 0 if all are done. Raises `UserError`."""
    from ..detailverse.world import KIND, World, read_lines  # noqa: PLC0415 - not in the extension's zip

    engine = engines[options.engine]
    if ADAPTERS[[*engine.gives.values()][-1]].kind != "mesh":
        sentence = f"{engine.label} makes no meshes."
        raise UserError("unknown-engine", sentence, "Choose an engine that does: see --help.")
    world = World(options.world)
    prompts = read_lines(world.prompts, ("name", "seed")) if world.prompts.exists() else []
    seeds = {line["name"]: line["seed"] for line in prompts}
    lines = [
        Line({PICTURE: path.absolute()}, name, name, seed=seeds.get(name))
        for name, path in world.found_pictures().items()
    ]
    batch = argparse.Namespace(**vars(options), output=world.meshes, results="", save=[], count=1, json=False)
    return make_lines(lines, batch, engines, KIND)


def run_sculptures(options: argparse.Namespace) -> int:
    """Make what sculptures are not made yet; 0 if all are done. Raises `UserError`."""
    from ..detailverse.world import World  # noqa: PLC0415 - not in the extension's zip

    shared = {"cells": options.cells, "faces": options.faces}
    wanted = [
        _wanted(f"s{options.seed}_{number:06}", {}, options.seed, {"number": number, **shared}, "mesh")
        for number in range(options.count)
    ]
    meshes = World(options.world).meshes
    done = _made("sculptures", meshes, wanted, options)
    return 0 if len(done) == len(wanted) else 1


def run_quality(options: argparse.Namespace) -> int:
    """Measure what is not measured yet, and write which objects are kept; 1 if some cannot be measured.

    Raises `UserError`.
    """
    from ..detailverse.classifier import require_both  # noqa: PLC0415 - not in the extension's zip
    from ..detailverse.labels import labels_of  # noqa: PLC0415
    from ..detailverse.measures import INPUT  # noqa: PLC0415
    from ..detailverse.quality import judged, learned  # noqa: PLC0415
    from ..detailverse.world import World, write_lines  # noqa: PLC0415

    world = World(options.world)
    meshes = world.found_meshes()
    wanted = [_wanted(name, {INPUT: path.absolute()}, 0, {}, "views") for name, path in meshes.items()]
    done = _made("measures", world.views, wanted, options, overwrite=True)
    measures = {name: measured for name, measured in world.measured().items() if name in done}
    labels = labels_of(world.labels)
    if options.labels:  # before a network looks at all objects
        require_both(np.array([labels[name] for name in measures if name in labels], np.bool_))
    found = learned(_rows(world, [*measures], options.tokenizer), labels) if options.labels else None
    lines = judged(measures, labels, found)
    write_lines(world.quality, lines)
    left_out = Counter(reason for line in lines if not line["kept"] for reason in line["reasons"])
    _say(f"{len(lines)} objects: {sum(line['kept'] for line in lines)} kept.", left_out)
    if found:
        common = max(found.kept, found.labels - found.kept) / found.labels
        print(
            f"Learned from {found.labels} labels, of which {found.kept} keep: {found.accuracy:.1%} of them are guessed "
            f"right without having been seen; always the more frequent one would be right for {common:.1%}."
        )
    return 0 if len(done) == len(meshes) else 1


def run_label(options: argparse.Namespace) -> int:
    """Serve the page of labels until it is interrupted. Raises `UserError`."""
    from ..detailverse.labels import Labels  # noqa: PLC0415 - not in the extension's zip
    from ..detailverse.page import LabelServer  # noqa: PLC0415
    from ..detailverse.world import World  # noqa: PLC0415

    world = World(options.world)
    views = {name: world.views / f"{name}.jpg" for name in world.measured()}
    try:
        server = LabelServer(views, Labels(world.labels), options.port)
    except (OSError, OverflowError) as error:
        sentence = f"The page cannot be opened on port {options.port}."
        raise UserError("port-taken", sentence, "Choose another, or leave --port out.") from error
    with server:
        print(f"Open {server.address} in a browser on this machine. Ctrl-C ends it; all labels are saved.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    print(f"{len(server.labels.given)} labels in “{world.labels}”.")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write the kept meshes. Raises `UserError`."""
    from ..detailverse.export import exported  # noqa: PLC0415 - not in the extension's zip
    from ..detailverse.world import World  # noqa: PLC0415

    world = World(options.world)
    written = [new for _, new in exported(world)]
    print(f"{len(written)} objects in “{world.export}”, {sum(written)} written now.")
    return 0


def run_statistics(options: argparse.Namespace) -> int:
    """Write and print the table, and draw the contact sheet. Raises `UserError`."""
    from ..detailverse.statistics import as_csv, as_markdown, table  # noqa: PLC0415 - not in the extension's zip
    from ..detailverse.world import KIND, World  # noqa: PLC0415

    world = World(options.world)
    measures = world.measured()
    sets = {"made": [*measures.values()]}
    shown = [*measures]
    if world.quality.exists():
        shown = [name for name in world.kept() if name in measures]
        sets["kept"] = [measures[name] for name in shown]
    rows = table(sets, options.angle)
    written = {
        "json": json.dumps({"angle": options.angle, "sets": rows}, indent=1),
        "csv": as_csv(rows),
        "md": as_markdown(rows),
    }
    for suffix, text in written.items():
        with writing(world.folder / f"statistics.{suffix}") as file:
            file.write(text.encode())
    with Manifest(world.views, KIND) as manifest:
        drawn = [name for name in shown if name in manifest.entries]
        step = max(1, len(drawn) // options.shown)
        write_sheet(manifest, drawn[::step][: options.shown])
    print(
        f"An edge of two faces is sharp from {options.angle} degrees between their normals.\n\n{written['md']}", end=""
    )
    return 0


def _wanted(name: str, inputs: Mapping[str, Path], seed: int, settings: Mapping[str, Any], product: str) -> Wanted:
    request = {"seed": seed, "count": 1, "settings": settings, "products": [product], "versions": {"hi3dgen": VERSION}}
    return Wanted(Line(inputs, name, name, place=f"The object “{name}”"), request)


def _made(
    stage: str,
    out: Path,
    wanted: Sequence[Wanted],
    options: argparse.Namespace,
    *,
    networks: bool = False,
    overwrite: bool = False,
) -> set[str]:
    """Make what is not made yet of a stage of `making.STAGES`; the names of all that are done. Raises `UserError`.

    networks: see `executor_of`. overwrite: as if `--overwrite` were given.
    """
    from ..detailverse.making import maker_of  # noqa: PLC0415 - not in the extension's zip
    from ..detailverse.world import KIND  # noqa: PLC0415

    with Manifest(out, KIND) as manifest:
        names = plan(manifest, wanted, overwrite=overwrite or options.overwrite)
        todo = [name for name in names if manifest.entries[name].state is not State.DONE]
        command, start = [*own_command(), WORKER, stage], partial(maker_of, stage)
        executor = executor_of(options, command, start, manifest.out / LOG, networks=networks)
        with BatchProgress(len(names), len(todo), as_json=False, thing="object") as progress:
            run_batch(manifest, todo, executor, progress)
    progress.finish(manifest.entries[name] for name in names)
    return {name for name in names if manifest.entries[name].state is State.DONE}


def _rows(world: "World", names: Iterable[str], folder: Path | None) -> "dict[str, Float32Array]":
    """The pooled tokens of objects, by name. Raises `UserError`."""
    from ..detailverse.tokens import Tokens  # noqa: PLC0415 - heavy

    tokens = Tokens(folder)
    return {name: tokens.of_sheet(world.views / f"{name}.jpg") for name in names}


def _say(sentence: str, left_out: Mapping[str, int]) -> None:
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(left_out.items()))
    print(f"{sentence} Left out: {reasons}." if reasons else sentence)


STAGES: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "prompts": run_prompts,
    "pictures": run_pictures,
    "sculptures": run_sculptures,
    "quality": run_quality,
    "label": run_label,
    "export": run_export,
    "statistics": run_statistics,
}
"""By the names of their commands; `meshes`, which needs the engines, is `run_meshes`."""
