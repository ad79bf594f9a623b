# SPDX-License-Identifier: GPL-3.0-or-later
"""`detailverse`: a set of objects of one's own to learn from, a stage a command. docs/detailverse.md says how."""

import argparse
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..batch import worker
from ..flow.engine import Engine
from ..wire.limits import seed_from_text
from .arguments import add_engine, add_overwrite, at_least
from .detailverse_stages import STAGES, run_meshes
from .executors import add_executor, check_executor
from .trainings import check_training

_PRECISIONS = ("auto", "float32", "float16", "bfloat16")
_PICTURES_NEED = ("torch", "diffusers", "transformers", "PIL")
_TOKENS_NEED = ("torch", "transformers", "safetensors", "PIL")


def configure(command: argparse.ArgumentParser, hidden: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """What the command takes; `hidden` is the command that its workers are started by."""
    stages = command.add_subparsers(required=True, metavar="STAGE")
    _configure_prompts(_stage(stages, "prompts", "write what is to be made, from a grammar or a list"))

    pictures = _stage(stages, "pictures", "make a picture of each prompt", "hi3dgen", _PICTURES_NEED)
    _configure_pictures(pictures)

    meshes = _stage(stages, "meshes", "make a mesh of each picture", engines=engines)
    add_engine(meshes, engines.values())
    meshes.add_argument("--seed", type=seed_from_text, default=1, help="of pictures without a prompt (default 1)")
    _add_making(meshes, "meshes")

    sculptures = _stage(stages, "sculptures", "make meshes without pictures and models", needed=("torch", "numba"))
    _configure_sculptures(sculptures)

    quality = _stage(stages, "quality", "measure the meshes, and write which are kept")
    quality.add_argument("--labels", action="store_true", help="learn from the labels, too, by DINOv2")
    quality.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="of DINOv2, in place of the engine's own")
    add_executor(quality)

    label = _stage(stages, "label", "serve a page on this machine on which to label objects: keep or drop")
    label.add_argument("--port", type=at_least(0), default=0, help="of the page (default: any that is free)")

    _stage(stages, "export", "write the kept meshes as training reads them")

    statistics = _stage(stages, "statistics", "write the set in numbers, and a contact sheet")
    statistics.add_argument("--angle", type=_angle, default=30, help="degrees from which an edge is sharp (default 30)")
    statistics.add_argument("--shown", type=at_least(1), default=48, metavar="N", help="on the sheet (default 48)")

    hidden.add_argument("stage")
    hidden.add_argument("log", type=Path)
    hidden.set_defaults(run=_work)


def _stage(
    stages: Any,  # noqa: ANN401 - argparse hides its type
    name: str,
    what: str,
    extra: str = "training",
    needed: Sequence[str] = (),
    engines: Mapping[str, Engine] | None = None,
) -> argparse.ArgumentParser:
    """A stage's command. needed: the modules that it imports, which come with this extra of the package."""
    command = stages.add_parser(name, help=what)
    command.add_argument("world", type=Path, metavar="WORLD", help="the folder of the set")
    command.set_defaults(run=partial(_run, stage=name, extra=extra, needed=needed, engines=engines))
    return command


def _run(
    options: argparse.Namespace,
    stage: str,
    extra: str,
    needed: Sequence[str],
    engines: Mapping[str, Engine] | None,
) -> int:
    """Run a stage. Raises `UserError`."""
    check_training(extra, needed)
    if "executor" in options:
        check_executor(options)
    if stage == "quality" and options.labels:
        check_training("hi3dgen", _TOKENS_NEED)
    return run_meshes(options, engines) if engines is not None else STAGES[stage](options)


def _work(options: argparse.Namespace) -> int:
    from ..detailverse.making import maker_of  # noqa: PLC0415 - not in the extension's zip

    return worker.serve(maker_of(options.stage), options.log)


def _configure_prompts(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--count", type=at_least(1), metavar="N", help="so many from the grammar")
    source.add_argument("--list", type=Path, metavar="FILE", help="one a line")
    command.add_argument("--seed", type=seed_from_text, default=1, help="decides words and seeds (default 1)")
    add_overwrite(command, "write over other prompts that are there")


def _configure_pictures(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--pipeline", required=True, metavar="FOLDER|NAME", help="of diffusers, from text to pictures; NAME of the hub"
    )
    command.add_argument("--steps", type=at_least(1), metavar="N", help="in place of the pipeline's own number")
    command.add_argument("--guidance", type=_number, metavar="X", help="in place of the pipeline's own")
    command.add_argument("--size", type=at_least(0), default=0, metavar="PIXELS", help="of a side (default its own)")
    command.add_argument("--precision", choices=_PRECISIONS, default="auto", help="of the networks (default auto)")
    _add_making(command, "pictures")


def _configure_sculptures(command: argparse.ArgumentParser) -> None:
    command.add_argument("--count", type=at_least(1), required=True, metavar="N", help="so many")
    command.add_argument("--seed", type=seed_from_text, default=1, help="decides the shapes (default 1)")
    command.add_argument(
        "--cells", type=_cells, default=192, metavar="N", help="of the lattice's side, a multiple of 8 (default 192)"
    )
    command.add_argument(
        "--faces", type=at_least(100), default=60_000, metavar="N", help="of a mesh at most (default 60000)"
    )
    _add_making(command, "meshes")


def _add_making(command: argparse.ArgumentParser, results: str) -> None:
    add_executor(command)
    add_overwrite(command, f"write over {results} of other settings or of another version")


def _cells(text: str) -> int:
    cells = at_least(8)(text)
    if cells % 8 or cells > 512:
        raise argparse.ArgumentTypeError(f"“{text:.60}” is no multiple of 8 up to 512.")
    return cells


def _angle(text: str) -> int:
    angle = at_least(1)(text)
    if angle > 179:
        raise argparse.ArgumentTypeError(f"“{text:.60}” is no angle below 180 degrees.")
    return angle


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"“{text:.60}” is no number.")
    return number
