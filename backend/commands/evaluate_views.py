# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate views`: views of an object, or meshes seen by the same cameras, against true views, as numbers."""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..files.coloured import read_coloured
from ..files.pictures import read_picture
from ..files.scenes import READ_SUFFIXES
from ..files.views import read_views
from ..flow.engine import PICTURE, Engine, why_missing
from ..flow.pipeline import Pipeline
from ..flow.products import Mesh, Texture, Views
from ..flow.request import Request
from ..flow.settings import checked
from ..wire.limits import seed_from_text, values_of
from .arguments import add_settings
from .terminal import Terminal
from .trainings import check_training

if TYPE_CHECKING:
    from ..training.views.clip import Alike
    from ..training.views.likeness import Likeness
    from ..training.views.sources import Source

_HEADS = ("PSNR", "SSIM", "object PSNR", "object SSIM", "CLIP")
_KIND = f"a folder of views with cameras.json, or a mesh in its colours ({', '.join(READ_SUFFIXES)})"


def configure(parser: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Give the command its arguments."""
    parser.add_argument("truth", type=Path, metavar="TRUTH", help=_KIND)
    parser.add_argument("predictions", type=Path, nargs="*", metavar="PREDICTION", help=f"what is measured: {_KIND}")
    parser.add_argument("--engine", choices=sorted(engines), help="measure what this engine makes of --picture")
    parser.add_argument("--picture", type=Path, metavar="PICTURE", help="the picture for --engine")
    parser.add_argument("--seed", type=seed_from_text, default=0, help="the seed for --engine (default 0)")
    parser.add_argument(
        "--in-place", action="store_true", help="take meshes where they lie: not centred, a metre as their longest side"
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    add_settings(parser, engines.values(), "settings of --engine {}")
    parser.set_defaults(run=partial(run, engines=engines))


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Measure every view and print a line each, and the mean. Returns 1 if a view could not be measured.

    Raises `UserError`.
    """
    check_training("evaluation", ("PIL",))
    from ..training.views import clip, sources  # noqa: PLC0415 - not in the extension's zip

    _check(options)
    truth = _read(options.truth, in_place=options.in_place)
    predictions = [_read(path, in_place=options.in_place) for path in options.predictions]
    if options.engine:
        predictions.append(_made(engines, options))
    for prediction in predictions:
        sources.seen_by(truth, prediction)
    alike = clip.measure()
    complete = True
    printed: list[dict[str, str | float | None]] = []
    for prediction in predictions:
        if not options.json:
            print(prediction.name, f"{'':32}" + "".join(f"{head:>13}" for head in _HEADS), sep="\n", flush=True)
        lines, whole = _measured(truth, prediction, alike, quiet=options.json)
        complete &= whole
        printed += [_numbers(prediction.name, name, score) for name, score in lines]
    if options.json:
        print(json.dumps(printed, indent=2), flush=True)
    return 0 if complete else 1


def _check(options: argparse.Namespace) -> None:
    """Refuse arguments that measure nothing. Raises `UserError`."""
    if not (options.predictions or options.engine):
        advice = "Give a folder of views, a mesh, or --engine with --picture."
        raise UserError("no-prediction", "There is nothing to measure.", advice)
    if bool(options.engine) != bool(options.picture):
        raise UserError("no-prediction", "An engine is measured with a picture.", "Give both --engine and --picture.")


def _measured(
    truth: "Source", prediction: "Source", alike: "Alike | None", *, quiet: bool
) -> tuple[list[tuple[str, "Likeness"]], bool]:
    """The numbers of each view by its name, then their mean, and whether all views could be measured."""
    from ..training.views import likeness, sources  # noqa: PLC0415 - not in the extension's zip
    from ..training.views.cameras import described  # noqa: PLC0415

    cameras, shape = sources.seen_by(truth, prediction)
    lines: list[tuple[str, Likeness]] = []
    for camera in cameras:
        name = described(camera)
        try:
            true = sources.picture_by(truth, camera, shape)
            found = sources.predicted_by(prediction, camera, shape)
            score = likeness.compare(true, found)
        except UserError as error:  # costs this view, not the others
            print(f"{prediction.name}, {name}: {error.sentence} {error.advice}", file=sys.stderr, flush=True)
            continue
        lines.append((name, score._replace(clip=alike(true, found)) if alike else score))
        if not quiet:
            print(_line(*lines[-1]), flush=True)
    measured = len(lines)
    lines.append(("mean", likeness.mean([score for _, score in lines])))
    if not quiet:
        print(_line(*lines[-1]), flush=True)
    return lines, measured == len(cameras)


def _read(path: Path, *, in_place: bool) -> "Source":
    """Read views or a mesh. Raises `UserError`."""
    from ..training.views.sources import Source  # noqa: PLC0415 - not in the extension's zip

    if path.suffix.lower() not in READ_SUFFIXES:
        return Source(str(path), read_views(path))
    return Source(str(path), _placed(read_coloured(path), in_place=in_place))


def _made(engines: Mapping[str, Engine], options: argparse.Namespace) -> "Source":
    """What an engine makes of a picture: the last of its products that is views or a mesh. Raises `UserError`."""
    from ..training.views.sources import Source  # noqa: PLC0415 - not in the extension's zip

    engine = engines[options.engine]
    if missing := why_missing(engine):
        raise UserError("engine-missing", f"The engine “{engine.label}” cannot run here. {missing}", engine.set_up)
    name = [*engine.gives][-1]
    picture = read_picture(options.picture)
    settings = checked(engine.label, engine.settings, values_of(engine.settings, options.set))
    request = Request({PICTURE: picture}, engine.name, options.seed, settings=settings)
    with Terminal() as terminal:
        product = next(Pipeline(engines).run(request, terminal, gives=[name])).products[name]
    if isinstance(product, Mesh):
        coloured = product if product.texture else replace(product, texture=Texture(picture))
        return Source(engine.name, _placed([coloured], in_place=options.in_place))
    if isinstance(product, Views):
        return Source(engine.name, product)
    raise UserError("no-prediction", f"{engine.label} makes neither views nor a mesh.", "Choose another engine.")


def _placed(meshes: Sequence[Mesh], *, in_place: bool) -> Sequence[Mesh]:
    from ..training.views.drawing import framed  # noqa: PLC0415 - not in the extension's zip

    return meshes if in_place else framed(meshes)


def _line(name: str, score: "Likeness") -> str:
    return f"{name:32}" + "".join(f"{'-':>13}" if math.isnan(number) else f"{number:13.3f}" for number in score)


def _numbers(prediction: str, name: str, score: "Likeness") -> dict[str, str | float | None]:
    """Return a score for JSON, which has no NaN: null is no number."""
    numbers = {key: None if math.isnan(number) else number for key, number in score._asdict().items()}
    return {"prediction": prediction, "name": name, **numbers}
