# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments that several commands share, Blender's among them: engine, seed, count, settings, what to write."""

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..batch.planning import AnyEngine
from ..errors import UserError
from ..flow.engine import Engine
from ..flow.settings import HasRange, values_that_fit
from ..upscale.chosen import UPSCALE, UPSCALER
from ..wire.limits import MAX_COUNT, Scalar, seed_from_text, split_setting

ANEW = "write over results of other settings, of another version or of a picture that has changed"
"""What `--overwrite` does to a batch."""
_INDENT = 26  # columns


def add_engine(command: argparse.ArgumentParser, engines: Iterable[AnyEngine]) -> None:
    """`--engine`, `--preset` and `--set`, and below the help all presets and settings. The first engine is the default.

    Without engines every name is accepted, and the default is None.
    """
    engines = [*engines]
    names = [engine.name for engine in engines]
    default = names[0] if names else None
    listed = f"what makes it (default {default})" if names else "what makes it"
    command.add_argument("--engine", choices=sorted(names) or None, default=default, help=listed)
    command.add_argument(
        "--preset",
        metavar="NAME",
        help="all settings at once, see below, or the file of a preset that Blender's panel saved; --set wins over it",
    )
    add_settings(command, engines, "settings of --engine {}")
    command.epilog = "\n\n".join([*(_presets_of(engine) for engine in engines if engine.presets), command.epilog or ""])


def add_settings(command: argparse.ArgumentParser, engines: Iterable[AnyEngine], heading: str) -> None:
    """`--set`, and below the help all settings of the engines, each under a heading with its name."""
    engines = [*engines]
    command.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="a setting, see below" if engines else "a setting of the engine",
    )
    command.formatter_class = argparse.RawDescriptionHelpFormatter  # the lines of the settings stay
    command.epilog = "\n\n".join(_described(engine, heading.format(engine.name)) for engine in engines)


def add_upscaler(command: argparse.ArgumentParser) -> None:
    """`--upscaler`, which `choose_upscaler` acts on."""
    command.add_argument(
        "--upscaler",
        type=Path,
        metavar="FILE",
        help=f"upscale by these weights, of a network that Spandrel knows: switches the setting upscale on. If it is "
        f"switched on without, those that {UPSCALER} names are used; without any, no detail is added",
    )


def choose_upscaler(options: argparse.Namespace) -> None:
    """Let this process and those that it starts use the upscaler of `--upscaler`, if there is one.

    The setting is on then, unless `--set` says something else. Raises `UserError` if there is no such file.
    """
    path: Path | None = getattr(options, "upscaler", None)
    if path is None:
        return
    if not path.is_file():  # else nobody would learn of it as long as all pictures are large enough
        raise UserError("no-upscaler", f"There is no file “{path}”.", "Check the path.")
    os.environ[UPSCALER] = str(path.absolute())
    if UPSCALE not in dict(options.set):
        options.set = [*options.set, (UPSCALE, "true")]


def add_seeds(command: argparse.ArgumentParser, results: str) -> None:
    """`--seed` and `--count`; results: what several seeds make, for the help."""
    command.add_argument("--seed", type=_seed, default=0, help="decides what the picture does not show (default 0)")
    command.add_argument(
        "--count",
        type=int,
        choices=range(1, MAX_COUNT + 1),
        default=1,
        metavar="N",
        help=f"make 1 to {MAX_COUNT} {results}",
    )


def add_output(command: argparse.ArgumentParser, what: str) -> None:
    """`--output`; what: it holds, for the help."""
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=what)


def add_overwrite(command: argparse.ArgumentParser, what: str) -> None:
    """`--overwrite`, without which nothing is; what: it does, for the help."""
    command.add_argument("--overwrite", action="store_true", help=what)


def products_of(engines: Mapping[str, Engine]) -> str:
    """Every engine's products by name, for the help."""
    return "; ".join(f"{name}: {', '.join(engines[name].offers)}" for name in sorted(engines))


def place(text: str) -> tuple[str, Path]:
    """The product and the path of PRODUCT=PATH."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"“{text}” is not PRODUCT=PATH.")
    return name, Path(path)


def at_least(least: int) -> Callable[[str], int]:
    """What reads a whole number from `least` on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"“{text:.60}” is no whole number from {least} on.")
        return int(text)

    return read


def tell_terms(engine: Engine) -> None:
    """Say on standard error who may use an engine, and for what, if not everybody may for everything."""
    for line in filter(None, (engine.terms, engine.terms_url)):
        print(f"{engine.label}: {line}", file=sys.stderr)


def _described(engine: AnyEngine, heading: str) -> str:
    """An engine's settings as lines: names, values that fit, defaults, and what they do."""
    return _listed(
        f"{heading} (--set NAME=VALUE):",
        [(setting.name, f"{setting.description}. {_sentence(setting)}") for setting in engine.settings],
    )


def _presets_of(engine: AnyEngine) -> str:
    """An engine's presets as lines: names, and what they are for."""
    return _listed(
        f"presets of --engine {engine.name} (--preset NAME):",
        [(preset.name, f"{preset.description}.") for preset in engine.presets],
    )


def _listed(heading: str, entries: Iterable[tuple[str, str]]) -> str:
    """Names and what they are, below a heading, in lines."""
    width = shutil.get_terminal_size().columns - 2  # as argparse has it
    lines = [heading]
    for name, text in entries:
        head = f"  {name}  ".ljust(_INDENT)
        lines += textwrap.wrap(text, max(width, 40), initial_indent=head, subsequent_indent=" " * _INDENT)
    return "\n".join(lines)


def _sentence(setting: HasRange) -> str:
    fit = values_that_fit(setting)
    return f"{fit[0].upper()}{fit[1:]} (default {_text(setting.default)})"


def _text(value: Scalar) -> str:
    """A value as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _seed(text: str) -> int:
    try:
        return seed_from_text(text)
    except ValueError as error:  # argparse would tell the function's name instead of the sentence
        raise argparse.ArgumentTypeError(str(error)) from None


def _setting(text: str) -> tuple[str, str]:
    try:
        return split_setting(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
