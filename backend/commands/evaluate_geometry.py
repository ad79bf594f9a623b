# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate geometry`: an engine's meshes against the true surfaces of pictured objects, as numbers and as pictures."""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..files.pictures import read_picture, write_picture
from ..flow.engine import PICTURE, Engine, why_missing
from ..flow.pipeline import Pipeline
from ..flow.presets import values_given
from ..flow.products import Mesh, Picture
from ..flow.request import Request
from ..flow.settings import Settings, checked
from ..normals.image import OWN_NORMAL_MAP
from .arguments import add_engine
from .evaluate_sheet import check_sheet
from .terminal import Terminal
from .trainings import check_training

if TYPE_CHECKING:
    from ..training.geometry.evaluation import Score

_HEADS = (
    *("Chamfer", "F.01", "F.02", "F.05", "normals", "sharp", "volume", "0°", "45°", "90°", "135°", "180°", "top"),
    *("front", "back", "extent", "closed", "wound", "bodies", "stands"),
)


def configure(parser: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Give the command its arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with images, normals, mesh and objects.json")
    add_engine(parser, engines.values())
    parser.add_argument("--true-normals", action="store_true", help="give the engine the true normal maps")
    parser.add_argument("--lens", action="store_true", help="look at the meshes through the pictures' cameras")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these objects alone")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write pictures, truth and meshes here")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(run=partial(run, engines=engines))


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Measure every object and print a line each, then write the sheet. Returns 1 if an object could not be measured.

    Raises `UserError`.
    """
    check_training("evaluation", ("PIL",))
    from ..training.geometry import comparison, evaluation, objects  # noqa: PLC0415 - not in the extension's zip

    known = objects.listed(options.folder, options.only)
    inputs = {PICTURE: "images"} | ({OWN_NORMAL_MAP: "normals"} if options.true_normals else {})
    engine = engines[options.engine]
    settings = _checked(engine, values_given(engine, options.preset, options.set), inputs)
    if options.sheet:
        read = [options.folder / part / f"{name}.png" for part in inputs.values() for name in known]
        read += [options.folder / "mesh" / f"{name}.npz" for name in known]
        check_sheet(options.sheet, read, len(known), comparison.HEIGHT)
    pipeline = Pipeline(engines)
    scores: dict[str, Score] = {}
    rows: list[Picture] = []
    alignment = "lens" if options.lens else "front"
    if not options.json:
        print(f"{f'aligned: {alignment}':20}" + "".join(f"{head:>8}" for head in _HEADS))
    for name, about in known.items():
        try:
            truth = objects.read_object(options.folder, name, about)
            pictures = {given: read_picture(options.folder / part / f"{name}.png") for given, part in inputs.items()}
            mesh = _made(pipeline, Request(pictures, engine.name, settings=settings))
            scores[name], prediction = evaluation.judge(truth, mesh, lens=options.lens)
        except UserError as error:  # costs this object, not the others
            print(f"{name}: {error.sentence} {error.advice}", file=sys.stderr, flush=True)
            continue
        if options.sheet:
            rows.append(comparison.row(pictures[PICTURE], truth.surface, prediction))
        if not options.json:
            print(_line(name, scores[name]), flush=True)
    measured = [*scores.items()]
    measured += [("mean", evaluation.mean(scores.values())), ("median", evaluation.median(scores.values()))]
    if options.json:
        print(json.dumps([_numbers(name, alignment, score) for name, score in measured], indent=2), flush=True)
    else:
        print(*(_line(name, score) for name, score in measured[-2:]), sep="\n", flush=True)
    if rows:
        write_picture(options.sheet, np.concatenate(rows))
    return 0 if len(scores) == len(known) else 1


def _checked(engine: Engine, settings: Settings, inputs: Mapping[str, str]) -> Settings:
    """Refuse at once what would fail for every picture. Raises `UserError`."""
    if missing := why_missing(engine):
        raise UserError("engine-missing", f"The engine “{engine.label}” cannot run here. {missing}", engine.set_up)
    engine.stages_for(inputs)
    return checked(engine.label, engine.settings, settings)


def _made(pipeline: Pipeline, request: Request) -> Mesh:
    with Terminal() as terminal:
        return next(pipeline.run(request, terminal, gives=["mesh"])).products["mesh"]


def _line(name: str, score: "Score") -> str:
    return f"{name:20}" + "".join(f"{number:8.3f}" for number in score)


def _numbers(name: str, alignment: str, score: "Score") -> dict[str, Any]:
    """Return a score for JSON, which has no NaN: null is no number."""
    return {"name": name, "alignment": alignment} | {
        key: None if math.isnan(number) else number for key, number in score._asdict().items()
    }
