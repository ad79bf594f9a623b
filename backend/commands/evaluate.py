# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate normals`: an estimator's normals against measured ones, as numbers and as a sheet of pictures."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..engines import ENGINES
from ..files import pictures
from ..flow.pipeline import Pipeline, Request
from ..flow.products import Picture
from ..foreground.cut_out import cut_out
from ..normals import outline
from ..raster.resample import lay_back_normals
from ..training import evaluation
from .terminal import Terminal
from .train import check_extra

_RESOLUTION = 512

Estimate = Callable[[Picture], Float32Array]


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument("result", choices=("normals",))
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with images, mask and normals: files of one name")
    parser.add_argument("--engine", choices=("draft", "outline", "constant", "hi3dgen"), default="draft")
    parser.add_argument("--x-left", action="store_true", help="the maps' red points left")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write input, prediction, truth and error here")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure every picture and print a line each. Raises `UserError`."""
    check_extra("evaluation", ("cv2", "PIL"))
    estimate = _estimator(options.engine)
    scores: list[evaluation.Score] = []
    rows: list[Picture] = []
    for example in evaluation.examples(options.folder, pictures.read_picture, x_left=options.x_left):
        normals = estimate(example.picture)
        scores.append(evaluation.score(example, normals))
        rows.append(evaluation.row(example, normals))
    scores.append(evaluation.mean(scores))
    if options.sheet:
        pictures.write_picture(options.sheet, np.concatenate(rows))
    print(json.dumps([asdict(one) for one in scores], indent=2) if options.json else _table(scores))
    return 0


def _estimator(engine: str) -> Estimate:
    """Return what maps a picture, its alpha the object, to unit normals in its frame."""
    if engine == "constant":
        return lambda picture: np.broadcast_to(np.array([0, 0, 1], np.float32), (*picture.shape[:2], 3))
    if engine == "outline":
        return _outline
    pipeline = Pipeline(ENGINES)

    def estimate(picture: Picture) -> Float32Array:
        with Terminal() as terminal:
            cutout, normal_map = pipeline.normals(Request(picture, engine), terminal)
        return lay_back_normals(normal_map, cutout.crop).normals

    return estimate


def _outline(picture: Picture) -> Float32Array:
    cutout = cut_out(picture, _RESOLUTION, lambda _, __: None)
    return lay_back_normals(outline.estimate(cutout, lambda _, __: None), cutout.crop).normals


def _table(scores: list[evaluation.Score]) -> str:
    bounds = "".join(f"  < {bound:5.2f}" for bound in evaluation.SHARES)
    lines = [f"{'':24}    NE    SNE median{bounds}"]
    for one in scores:
        shares = "".join(f"  {100 * share:5.1f} %" for share in one.shares)
        lines.append(f"{one.name:24} {one.error:5.1f}  {one.sharp:5.1f}  {one.median:5.1f}{shares}")
    return "\n".join(lines)
