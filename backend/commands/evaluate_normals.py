# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate normals`: an estimator's normals against measured ones, as numbers and as a sheet of pictures."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Float32Array
from ..errors import UserError
from ..files.pictures import read_picture, write_picture
from ..flow.engine import Engine
from ..flow.pipeline import Pipeline
from ..flow.products import Picture
from ..flow.request import Request
from ..foreground.cut_out import cut_out
from ..normals import outline
from ..normals.image import in_picture
from .evaluate_sheet import check_sheet
from .terminal import Terminal
from .trainings import check_training

if TYPE_CHECKING:
    from ..training.normals.evaluation import Score

_RESOLUTION = 512

Estimate = Callable[[Picture], Float32Array]


def configure(parser: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Give the command its arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with images, mask and normals: files of one name")
    parser.add_argument("--engine", choices=(*engines, "outline", "constant"), default="draft")
    parser.add_argument("--x-left", action="store_true", help="the maps' red points left")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write input, prediction, truth and error here")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(run=partial(run, engines=engines))


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Measure every picture and print a line each, then write the sheet. Returns 1 if a picture could not be measured.

    Raises `UserError`.
    """
    check_training("evaluation", ("cv2", "PIL"))
    from ..training.normals import evaluation  # noqa: PLC0415 - not in the extension's zip
    from ..training.normals.folder import names  # noqa: PLC0415 - not in the extension's zip

    pictures = names(options.folder)
    if options.sheet:
        read = (options.folder / part / name for part in ("images", "mask", "normals") for name in pictures)
        check_sheet(options.sheet, read, len(pictures), evaluation.PANEL)
    estimate = _estimator(options.engine, engines)
    scores: list[Score] = []
    rows: list[Picture] = []
    if not options.json:
        print(_heads(evaluation.SHARES))
    for name in pictures:
        try:
            example = evaluation.read_example(options.folder, name, read_picture, x_left=options.x_left)
            normals = estimate(example.picture)
        except UserError as error:  # costs this picture, not the others
            print(f"{name}: {error.sentence} {error.advice}", file=sys.stderr, flush=True)
            continue
        scores.append(evaluation.score(example, normals))
        if options.sheet:
            rows.append(evaluation.row(example, normals))
        if not options.json:
            print(_line(scores[-1]), flush=True)
    scores.append(evaluation.mean(scores))
    print(json.dumps([_numbers(one) for one in scores], indent=2) if options.json else _line(scores[-1]), flush=True)
    if rows:
        write_picture(options.sheet, np.concatenate(rows))
    return 0 if len(scores) == len(pictures) + 1 else 1


def _estimator(engine: str, engines: Mapping[str, Engine]) -> Estimate:
    """Return what maps a picture, its alpha the object, to unit normals in its frame."""
    if engine == "constant":
        return lambda picture: np.broadcast_to(np.array([0, 0, 1], np.float32), (*picture.shape[:2], 3))
    if engine == "outline":
        return _outline
    pipeline = Pipeline(engines)

    def estimate(picture: Picture) -> Float32Array:
        with Terminal() as terminal:
            outcome = next(pipeline.run(Request({"picture": picture}, engine), terminal, gives=["normal_map"]))
        return in_picture(outcome.products["normal_map"]).normals

    return estimate


def _outline(picture: Picture) -> Float32Array:
    cutout = cut_out(picture, _RESOLUTION, lambda _, __: None)
    return in_picture(outline.estimate(cutout, lambda _, __: None)).normals


def _heads(bounds: Sequence[float]) -> str:
    return f"{'':24}    NE    SNE median" + "".join(f"  < {bound:5.2f}" for bound in bounds)


def _line(one: "Score") -> str:
    shares = "".join(f"  {100 * share:5.1f} %" for share in one.shares)
    return f"{one.name:24} {one.error:5.1f}  {one.sharp:5.1f}  {one.median:5.1f}{shares}"


def _numbers(one: "Score") -> dict[str, Any]:
    """Return a score for JSON, which has no NaN: null is no number."""

    def number(value: float) -> float | None:
        return None if math.isnan(value) else value

    errors = {name: number(getattr(one, name)) for name in ("error", "sharp", "median")}
    return {"name": one.name, **errors, "shares": [number(share) for share in one.shares]}
