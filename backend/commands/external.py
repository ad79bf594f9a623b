# SPDX-License-Identifier: GPL-3.0-or-later
"""`external`: lists the engines that are programs of the user's own, and tries one with a small picture."""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from .. import log as logs
from ..adapters import ADAPTERS
from ..errors import UserError
from ..files.pictures import read_picture
from ..flow.engine import PICTURE, Engine, why_missing
from ..flow.pipeline import Pipeline, Progress
from ..flow.products import Mesh, Picture
from ..flow.request import Request
from ..folders import external_folder
from ..wire.limits import values_of
from .arguments import add_settings, tell_terms

_SIDE = 256  # pixels of the picture that an engine is tried with


def configure(command: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Add the subcommands and their arguments."""
    own = {name: engine for name, engine in engines.items() if engine.external}
    commands = command.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="say which there are, and which can run")
    listing.set_defaults(run=partial(show, engines=own))
    check = commands.add_parser("check", help="run one with a small picture, and show what it says")
    check.add_argument("name", metavar="NAME", help="that of the file that describes it, without .json")
    check.add_argument("--picture", type=Path, metavar="IN", help="a picture of your own instead")
    add_settings(check, own.values(), "settings of {}")
    check.set_defaults(run=partial(try_out, engines=own))


def show(_options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Print the folder of descriptions, and of each engine its state and terms. Raises `UserError` without a home."""
    print(f"described in {external_folder()}")
    for engine in engines.values():
        print(f"{engine.name}: {why_missing(engine) or f'{engine.label}, ready'}")
        for line in filter(None, (engine.terms, engine.terms_url)):
            print(f"  {line}")
    return 0


def try_out(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Run an engine; its steps and its log go to standard error, what it gave is printed. Raises `UserError`."""
    engine = engines.get(options.name)
    if engine is None:
        known = ", ".join(engines) or "none"
        sentence = f"No file describes an engine “{options.name:.60}”."
        raise UserError("unknown-engine", sentence, f"Those in “{external_folder()}” are: {known}.")
    tell_terms(engine)
    logs.start(None)
    picture = read_picture(options.picture) if options.picture else ball()
    request = Request({PICTURE: picture}, engine.name, settings=values_of(engine.settings, options.set))
    outcome = next(Pipeline(engines).run(request, _Steps()))
    for name, product in outcome.products.items():
        about = ", ".join(f"{count} {what}" for what, count in ADAPTERS[type(product)].about(product).items())
        print(f"{name}: {about or 'there'}{_own_image(product)}")
    print(*(f"{stage}: {seconds:.1f} s" for stage, seconds in outcome.seconds.items()), *outcome.notes, sep="\n")
    return 0


def ball(side: int = _SIDE) -> Picture:
    """A picture to try an engine with, uint8 (side, side, 4): a ball that is lit from the upper left, on nothing."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side * 2 - 1
    x, y = x / 0.8, y / 0.8
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    light = np.clip(0.25 + 0.75 * (z - 0.5 * x - 0.5 * y) / np.sqrt(1.5), 0, 1)
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., :3] = light[..., None] * (230, 120, 40)
    pixels[..., 3] = np.where(x**2 + y**2 < 1, 255, 0)
    return pixels


def _own_image(product: object) -> str:
    """What there is to say of a mesh's image."""
    image = product.texture.base_colour if isinstance(product, Mesh) and product.texture else None
    return "" if image is None else f", with an image of {image.shape[1]} x {image.shape[0]} pixels"


class _Steps:
    """A `Watcher` that prints each stage, and each tenth on the way, on a line of its own, as the log does."""

    def __init__(self) -> None:
        self._shown = ("", 0)

    def progressed(self, progress: Progress) -> None:
        tenth = 10 * progress.step // max(progress.of, 1)
        if tenth < 10 and (progress.stage.name, tenth) != self._shown:
            self._shown = (progress.stage.name, tenth)
            print(progress.stage.label, f"{10 * tenth} %" if tenth else "", file=sys.stderr)

    def made(self, name: str, product: object) -> None:
        """Products are printed at the end."""
