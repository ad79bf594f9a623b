# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate cutouts`: cut-outs against true outlines, of pictures in a folder or of made-up ones of several kinds."""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrays import BoolArray
from ..errors import UserError
from ..files.pictures import read_picture, write_picture
from ..flow.products import Picture
from ..wire.limits import seed_from_text
from .evaluate_sheet import check_sheet
from .trainings import check_training

if TYPE_CHECKING:
    from ..training.cutouts.evaluation import Score

_PARTS = ("plain", "mask")
_SIZE = 320  # pixels of made-up pictures
_MOST = 1000  # pictures of a kind
_GOOD = 0.9  # the least overlap that is not bad

Pair = tuple[Picture, BoolArray]


class Line(NamedTuple):
    """What is printed of a group of pictures; mean and worst are None if all were refused."""

    name: str
    mean: float | None
    worst: float | None
    refused: int
    bad: int
    doubted: int


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="with plain and mask, files of one name (default: made up)",
    )
    parser.add_argument("--count", type=int, default=24, metavar="N", help="made-up pictures of each kind (default 24)")
    parser.add_argument("--seed", type=seed_from_text, default=1, help="decides made-up pictures (default 1)")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write the pictures and their cut-outs here")
    parser.add_argument("--colours-alone", action="store_true", help="measure without the network")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure every picture and print a line for each kind, or for each picture of a folder. Raises `UserError`."""
    check_training("training", ("PIL",) if options.folder else ("PIL", "numba"))
    from ..training.cutouts.evaluation import PANEL, judge, shown  # noqa: PLC0415 - not in the extension's zip

    if not 1 <= options.count <= _MOST:
        raise UserError("bad-count", f"{options.count} pictures cannot be made.", f"Ask for 1 to {_MOST}.")
    known = _names(options.folder) if options.folder else []
    if options.sheet:
        read = [options.folder / part / f"{name}.png" for name in known for part in _PARTS]
        check_sheet(options.sheet, read, len(known) or options.count * _kinds(), PANEL)
    rows: list[Picture] = []
    lines: list[Line] = []
    for name, group in _of_folder(options.folder, known) if known else _made_up(options.seed, options.count):
        scores = [judge(picture, body, guided=not options.colours_alone) for picture, body in group]
        lines.append(_line(name, scores))
        if options.sheet:
            rows += [shown(*one, score) for one, score in zip(group, scores, strict=True)]
    _print(lines, as_json=options.json)
    if rows:
        write_picture(options.sheet, np.concatenate(rows))
    return 0 if not known or len(lines) == len(known) else 1


def _print(lines: list[Line], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([line._asdict() for line in lines], indent=2), flush=True)
        return
    print(f"{'':20}{'mean':>8}{'worst':>8}{'refused':>9}{'bad':>6}{'doubted':>9}")
    print(*(_text(line) for line in [*lines, _whole(lines)]), sep="\n", flush=True)


def _whole(lines: list[Line]) -> Line:
    """Return the mean of the means, the worst of all, and the sums."""
    means = [line.mean for line in lines if line.mean is not None]
    worst = min((line.worst for line in lines if line.worst is not None), default=None)
    mean = float(np.mean(means)) if means else None
    counts = (sum(line.refused for line in lines), sum(line.bad for line in lines), sum(line.doubted for line in lines))
    return Line("all", mean, worst, *counts)


def _names(folder: Path) -> list[str]:
    """Return the names of a folder's pictures that have masks. Raises `UserError`."""
    names = sorted(path.stem for path in folder.glob("plain/*.png") if (folder / "mask" / path.name).is_file())
    if not names:
        sentence = f"The folder {folder} has no pictures in plain with masks of the same name in mask."
        raise UserError("no-pictures", sentence, "Choose a folder with both.")
    return names


def _of_folder(folder: Path, names: list[str]) -> Iterator[tuple[str, list[Pair]]]:
    """Yield a folder's pictures, each a group of its own."""
    for name in names:
        try:
            yield name, [_read(folder, name)]
        except UserError as error:  # costs this picture, not the others
            print(f"{name}: {error.sentence} {error.advice}", file=sys.stderr, flush=True)


def _read(folder: Path, name: str) -> Pair:
    """Read a picture and its mask. Raises `UserError`."""
    picture, mask = (read_picture(folder / part / f"{name}.png") for part in _PARTS)
    if picture.shape != mask.shape:
        raise UserError("other-size", "The mask is not of the picture's size.", "Give one that is.")
    return picture, mask[..., 0] > 127


def _kinds() -> int:
    from ..training.cutouts.composites import KINDS  # noqa: PLC0415 - compiles

    return len(KINDS)


def _made_up(seed: int, count: int) -> Iterator[tuple[str, list[Pair]]]:
    from ..training.cutouts.composites import KINDS, composite  # noqa: PLC0415 - compiles

    for kind in KINDS:
        made = (composite(kind, seed, index, _SIZE) for index in range(count))
        yield kind, [(one.picture, one.body) for one in made]


def _line(name: str, scores: list["Score"]) -> Line:
    overlaps = [score.overlap for score in scores if not math.isnan(score.overlap)]
    bad = [score for score in scores if not score.overlap >= _GOOD]
    mean, worst = (float(np.mean(overlaps)), min(overlaps)) if overlaps else (None, None)
    return Line(name, mean, worst, len(scores) - len(overlaps), len(bad), sum(score.doubted for score in bad))


def _text(line: Line) -> str:
    mean, worst = (f"{'-':>8}" if number is None else f"{number:8.3f}" for number in (line.mean, line.worst))
    return f"{line.name:20}{mean}{worst}{line.refused:9}{line.bad:6}{line.doubted:9}"
