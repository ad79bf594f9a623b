# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that describes an external engine: which program it is, what it gets, gives and lets the artist choose.

docs/external_engines.md says what each field means. A file that is wrong costs its own engine alone.
"""

import hashlib
import json
import keyword
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ...flow.settings import Option, Setting
from ...safe_files import read_small
from .fields import MOST_NUMBER, Fields

VERSION = 1
SUFFIX = ".json"
MESH, VIEWS = "mesh", "views"
A_PROGRAM = "A program of your own"
"""The description of an engine whose file gives none."""
WANTS = NORMAL_MAP, WHOLE_PICTURE, OTHER_SIDES = ("normal_map", "whole_picture", "sides")
"""What a request brings beside the cut-out, if the program wants it."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,300}")
_TAKEN = {
    *("seed", "count", "engine", "picture", "image", "filepath", "cutout", "normal_map", "strokes"),
    *("own_cutout", "own_normal_map", "back", "left", "right", "report"),
    *("back_cutout", "left_cutout", "right_cutout"),
    *("name", "keys", "values", "items", "get", "pop"),
}
"""Names that have a meaning for every engine, or in Blender for every group of settings, and so are none for one."""
_MANY, _LINE, _PATH = 32, 300, 4096
_MAX_BYTES = 1 << 14  # of a file: those of all engines have to fit into one message of the wire
_MAX_OPTIONS = 64  # of all settings of an engine, for the same reason


@dataclass(frozen=True)
class Description:
    """An external engine, as its file says.

    name: the file's, without its suffix. command: the program and its arguments; the path of the request follows them.
    folder: in which it runs. environment: variables that it gets, and inherit: names of variables that are handed on to
    it, beside those of `program.surroundings`. needs: files and folders without which it cannot run. wants: names out
    of `WANTS`. gives: `MESH` or `VIEWS`. time_limit: in seconds. terms, licence_url: for people. digest: of the file's
    content.
    """

    name: str
    path: Path
    label: str
    description: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    inherit: tuple[str, ...]
    needs: tuple[Path, ...]
    wants: tuple[str, ...]
    gives: str
    uses_seed: bool
    needs_gpu: bool
    time_limit: int
    terms: str
    licence_url: str
    settings: tuple[Setting, ...]
    digest: str


def read_description(path: Path, reserved: frozenset[str]) -> Description:
    """Read a file. reserved: names that its settings cannot have.

    Raises UserError "bad-description", which names the file and the field.
    """
    try:
        _check_private(path)
        content = read_small(path, _MAX_BYTES)
        return _described(path, json.loads(content.decode("utf-8-sig")), content, reserved | _TAKEN)
    except OSError as error:
        raise _bad(path, error.strerror or type(error).__name__) from error
    except RecursionError as error:
        raise _bad(path, "it is nested too deep") from error
    except ValueError as error:
        unread = isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
        raise _bad(path, f"it is no JSON ({error})" if unread else str(error)) from error


def _bad(path: Path, reason: str) -> UserError:
    sentence = f"“{path.name}” describes no engine: {reason}."
    return UserError("bad-description", sentence, "Mend the file; docs/external_engines.md says what it holds.")


def _check_private(path: Path) -> None:
    """Refuse a file that every user of this machine may change: it says what this user runs. Raises ValueError."""
    if os.name != "posix":
        return
    for place in (path, path.parent):
        if place.stat().st_mode & stat.S_IWOTH:
            raise ValueError(f"everybody may write to “{place}”")


def _described(path: Path, document: object, content: bytes, taken: frozenset[str]) -> Description:
    fields = Fields(document)
    if fields.whole("version", 1, 1000) != VERSION:
        raise fields.wrong("version", f"is not {VERSION}, which is read here")
    folder = path.parent / _home(fields.text("folder", _PATH, default="."))
    found = Description(
        name=path.stem,
        path=path,
        label=fields.text("label", 40),
        description=_tooltip(fields.text("description", _LINE, default=A_PROGRAM)),
        command=tuple(map(_home, fields.texts("command", 1, _MANY, _PATH))),
        folder=folder,
        environment=fields.named_texts("environment", _MANY, _PATH),
        inherit=fields.texts("inherit", 0, _MANY, 100),
        needs=tuple(folder / _home(each) for each in fields.texts("needs", 0, _MANY, _PATH)),
        wants=fields.texts("wants", 0, len(WANTS), 20),
        gives=fields.choice("gives", (MESH, VIEWS), default=MESH),
        uses_seed=fields.flag("seed", default=True),
        needs_gpu=fields.flag("gpu", default=True),
        time_limit=fields.whole("time_limit", 1, 24 * 3600, default=3600),
        terms=_terms(fields.text("limits", 2 * _LINE, default=""), fields.text("licence", _LINE, default="")),
        licence_url=fields.text("licence_url", _LINE, default=""),
        settings=_settings(fields.items("settings", 0, _MANY), taken),
        digest=hashlib.sha256(content).hexdigest(),
    )
    fields.end()
    for field, variables in (("environment", found.environment), ("inherit", found.inherit)):
        for name in variables:
            if not _VARIABLE.fullmatch(name):
                raise fields.wrong(field, f"has no variable “{name:.40}”")
    for name in found.wants:
        if name not in WANTS:
            raise fields.wrong("wants", f"does not know “{name}”")
    if found.licence_url and not _URL.fullmatch(found.licence_url):
        raise fields.wrong("licence_url", "is no address that begins with http:// or https://")
    return found


def _home(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 - Path's raises for a user who does not exist


def _terms(limits: str, licence: str) -> str:
    """Limits and licence as sentences, the limits first."""
    sentences = [limits and f"{limits.rstrip('. ')}.", licence and f"Licence: {licence.rstrip('. ')}."]
    return " ".join(filter(None, sentences))


def _settings(values: list[object], taken: frozenset[str]) -> tuple[Setting, ...]:
    settings: list[Setting] = []
    for number, value in enumerate(values):
        where = f"settings[{number}]"
        setting = _setting(Fields(value, where))
        if setting.name in taken or setting.name in [each.name for each in settings]:
            raise ValueError(f"{where}.name “{setting.name}” is taken")
        settings.append(setting)
    if sum(len(setting.options) for setting in settings) > _MAX_OPTIONS:
        raise ValueError(f"settings have more than {_MAX_OPTIONS} options")
    return tuple(settings)


def _setting(fields: Fields) -> Setting:
    """A setting of one of the kinds number, whole, choice, switch and text. Raises ValueError."""
    name, label = fields.text("name", 32), fields.text("label", 40)
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise fields.wrong("name", "is not made of small letters, digits and underscores")
    description = _tooltip(fields.text("description", _LINE, default=label))
    kind = fields.choice("kind", ("number", "whole", "choice", "switch", "text"))
    advanced = fields.flag("advanced", default=False)
    options: tuple[Option, ...] = ()
    least: int | float = 0
    most: int | float = 0
    if kind == "switch":
        default: bool | int | float | str = fields.flag("default", default=False)
    elif kind == "choice":
        options = _options(fields)
        default = fields.choice("default", tuple(option.name for option in options))
    elif kind == "text":
        most = fields.whole("maximum", 1, 1000, default=_LINE)
        default = fields.text("default", most, default="")
    elif kind == "whole":
        bottom, top = (fields.whole(bound, -(10**9), 10**9) for bound in ("minimum", "maximum"))
        least, most = _in_order(fields, bottom, top)
        default = fields.whole("default", bottom, top)
    else:
        low, high = (fields.number(bound, -MOST_NUMBER, MOST_NUMBER) for bound in ("minimum", "maximum"))
        least, most = _in_order(fields, low, high)
        default = fields.number("default", low, high)
    fields.end()
    return Setting(name, label, description, default, least, most, options, advanced)


def _in_order(fields: Fields, least: float, most: float) -> tuple[float, float]:
    if least > most:
        raise fields.wrong("maximum", "is below the minimum")
    return least, most


def _options(fields: Fields) -> tuple[Option, ...]:
    options: list[Option] = []
    for number, value in enumerate(fields.items("options", 1, _MANY)):
        own = Fields(value, f"options[{number}]")
        name = own.text("name", 64)
        label = own.text("label", 64, default=name)
        options.append(Option(name, label, _tooltip(own.text("description", _LINE, default=label))))
        own.end()
    if len({option.name for option in options}) < len(options):
        raise fields.wrong("options", "have one name twice")
    return tuple(options)


def _tooltip(text: str) -> str:
    """A description without its full stop, which Blender adds to tooltips."""
    return text.rstrip(". ")
