# SPDX-License-Identifier: GPL-3.0-or-later
"""`generate`: a picture's file becomes files of what an engine gives, once for each of several seeds."""

import argparse
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..adapters import ADAPTERS, Adapter, written
from ..around.stages import SIDES
from ..errors import UserError
from ..files.lens import with_lens
from ..files.outputs import check_new, is_one_of
from ..files.pictures import check_picture_path, read_picture, write_picture
from ..flow.engine import Engine
from ..flow.pipeline import Outcome, Pipeline
from ..flow.presets import values_given
from ..flow.products import Panorama, Picture
from ..flow.request import Request
from ..foreground.mask import OWN_CUTOUT
from ..normals.image import OWN_NORMAL_MAP
from ..wire.limits import seeds_from
from .arguments import tell_terms
from .terminal import Terminal


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Make the products and write those that are asked for. Raises `UserError`.

    A seed that fails writes nothing; the seeds before it are written and reported.
    """
    engine = engines[options.engine]
    main = [*engine.gives][-1]
    places = _places(options, engine, main)
    sheets = _sheets(options.contact_sheet, engine, places)
    own = {OWN_CUTOUT: options.cutout, OWN_NORMAL_MAP: options.normals}
    own |= {side: getattr(options, side) for side in SIDES}
    inputs = {"picture": options.picture} | {name: path for name, path in own.items() if path}
    seeded = engine.seeded(inputs) if options.count > 1 else set[str]()
    for seed in seeds_from(options.seed, options.count):
        own_places = _places_of(seed, places, seeded)
        _check(engine, own_places, [*inputs.values()], overwrite=options.overwrite)
        for sheet in _places_of(seed, sheets, seeded).values():
            if is_one_of(sheet, own_places.values()):
                raise UserError("bad-output", f"“{sheet}” is given for two products.", "Give each a name of its own.")
            check_picture_path(sheet, *inputs.values())
            check_new(sheet, overwrite=options.overwrite)
    tell_terms(engine)
    pictures = {name: read_picture(path) for name, path in inputs.items()}
    settings = values_given(engine, options.preset, options.set)
    if Panorama in engine.gives.values():
        settings = with_lens(settings, options.picture)
    request = Request(pictures, options.engine, options.seed, options.count, settings)
    made: list[dict[str, Any]] = []
    try:
        with Terminal() as terminal:
            for outcome in Pipeline(engines).run(request, terminal, gives=places):
                own = _places_of(outcome.seed, places, seeded)
                new = own if not made else {name: own[name] for name in own if name in seeded}
                drawn = _places_of(outcome.seed, sheets, seeded)
                made.append(_write(engine, outcome, own, new, pictures["picture"], drawn))
    finally:
        _print(made, as_json=options.json, several=options.count > 1, main=main)
    return 0


def _places(options: argparse.Namespace, engine: Engine, main: str) -> dict[str, Path]:
    """The path of each product that is asked for.

    Raises `UserError` for a product that the engine does not give, and for one with two paths.
    """
    own = [("normal_map", options.normal_map)] if options.normal_map else []
    places: dict[str, Path] = {}
    for name, path in [(main, options.output), *own, *options.save]:
        if name in places:
            sentence = f"“{places[name]}” and “{path}” are both given for {name}."
            raise UserError("bad-output", sentence, "Give one of them.")
        places[name] = path
    written(engine, places)
    return places


def _sheets(path: Path | None, engine: Engine, places: Mapping[str, Path]) -> dict[str, Path]:
    """The path of the contact sheet, by the product that it shows: the first one that is several pictures.

    Raises `UserError` if none of what is written is.
    """
    if path is None:
        return {}
    for name in engine.chosen(places):
        if _adapter(engine, name).sheet is not None:
            return {name: path}
    sentence = "A contact sheet shows views, and none are written."
    raise UserError("bad-product", sentence, "Choose an engine that makes views, or leave --contact-sheet out.")


def _adapter(engine: Engine, name: str) -> Adapter[Any]:
    return ADAPTERS[engine.offers[name]]


def _places_of(seed: int, places: Mapping[str, Path], seeded: Collection[str]) -> dict[str, Path]:
    """The paths for one seed: those of products that another seed changes tell it."""
    return {
        name: path.with_name(f"{path.stem}_seed{seed}{path.suffix}") if name in seeded else path
        for name, path in places.items()
    }


def _check(engine: Engine, places: Mapping[str, Path], read: list[Path], *, overwrite: bool) -> None:
    """Refuse, before any work is done, a path that cannot be written, is read, given twice or there already.

    Raises `UserError`.
    """
    for name, path in places.items():
        others = [place for other, place in places.items() if other != name]
        if is_one_of(path, others):
            raise UserError("bad-output", f"“{path}” is given for two products.", "Give each a name of its own.")
        adapter = _adapter(engine, name)
        if adapter.check_path is not None:
            adapter.check_path(path, *read, *others)
        for file in adapter.files(path):
            check_new(file, overwrite=overwrite)


def _write(
    engine: Engine,
    outcome: Outcome,
    places: Mapping[str, Path],
    new: Collection[str],
    picture: Picture,
    sheets: Mapping[str, Path],
) -> dict[str, Any]:
    """Write the products of one seed that are `new`, and return what is reported of all of them."""
    about: dict[str, Any] = {}
    for name, product in outcome.products.items():
        adapter = _adapter(engine, name)
        if name in new and adapter.write is not None:
            adapter.write(places[name], product, picture)
        about |= {name: str(places[name]), **adapter.about(product)}
        if name in sheets and adapter.sheet is not None:
            if name in new:
                write_picture(sheets[name], adapter.sheet(product))
            about["contact_sheet"] = str(sheets[name])
    return {
        **about,
        "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
        "notes": outcome.notes,
        "recipe": outcome.recipe,
    }


def _print(made: list[dict[str, Any]], *, as_json: bool, several: bool, main: str) -> None:
    if as_json and made:
        print(json.dumps(made if several else made[0], indent=2))
    for one in [] if as_json else made:
        size = f"{one['triangles']} triangles in " if "triangles" in one else ""
        print(f"{one[main]}: {size}{sum(one['seconds'].values()):.1f} s", *one["notes"])
