# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pictures are asked for: folders, lists and pictures become lines."""

import glob
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import UserError
from ..safe_files import read_small
from ..wire.limits import MAX_COUNT, MAX_SEED, Scalar
from .journal import MANIFEST
from .passed_over import note

PICTURE = "picture"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".tga")
LIST_SUFFIXES = (".txt", ".jsonl", ".list", "")
MAX_LIST_BYTES = 64 << 20


@dataclass(frozen=True)
class Line:
    """A picture that is to be made.

    inputs: the files that are read, absolute, by name: `picture` and what else the engine takes, such as
    `own_normal_map`. title: what its results are called if nothing stands in the way, such as "birds/owl"; `name`: what
    they must be called. engine, seed, count: None if the line does not say. place: where the line stands, for
    sentences: "Line 3 of “list.txt”"; empty if it is no line of a list.
    """

    inputs: Mapping[str, Path]
    title: str
    name: str = ""
    engine: str | None = None
    seed: int | None = None
    count: int | None = None
    settings: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    place: str = ""


def read_sources(sources: Sequence[Path], passed_over: Counter[str]) -> list[Line]:
    """The lines of folders, lists and pictures, in order; a folder's pictures by their paths.

    passed_over: gets the kinds of pictures that were left out, see there.

    Wildcards, which the shell of Windows leaves as they are, stand for the pictures and the folders that fit. Raises
    `UserError` if there is no such folder or list, if a list is invalid, if nothing fits wildcards, and if there is no
    picture at all.
    """
    lines: list[Line] = []
    for source in itertools.chain.from_iterable(_expanded(each, passed_over) for each in sources):
        if source.is_dir():
            lines += pictures_in(source, passed_over)
        elif source.suffix.lower() in LIST_SUFFIXES:
            lines += _list(source)
        else:
            lines.append(Line({PICTURE: Path(os.path.abspath(source))}, source.stem))  # noqa: PTH100 - links stay
    if not lines:
        named = ", ".join(f"“{source}”" for source in sources)
        advice = f"Pictures end with one of: {', '.join(PICTURE_SUFFIXES)}."
        raise UserError("no-pictures", f"There is no picture in {named}.", advice)
    return lines


def _expanded(source: Path, passed_over: Counter[str]) -> list[Path]:
    """What fits the wildcards of a path, in order; the path itself if it has none.

    Hidden files are left out, and so are the results of a batch if the folder has wildcards. A name such as
    "owl [2].png" that is there means that file. Raises `UserError` if nothing fits.
    """
    text = str(source)
    if not glob.has_magic(text) or os.path.lexists(text):
        return [source]
    fitting = [Path(path) for path in glob.glob(text)]  # noqa: PTH207 - Path.glob takes no absolute one
    found = [path for path in fitting if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES]
    if glob.has_magic(str(source.parent)):  # as below a folder
        found = [path for path in found if not any((folder / MANIFEST).exists() for folder in path.parents)]
    for path in {*fitting}.difference(found):
        note(passed_over, path.name)
    if not found:
        advice = f"Check the folder's name. Pictures end with one of: {', '.join(PICTURE_SUFFIXES)}."
        raise UserError("no-pictures", f"No picture fits “{source}”.", advice)
    return sorted(found, key=lambda path: (*(part.casefold() for part in path.parts), *path.parts))


def pictures_in(folder: Path, passed_over: Counter[str], *, below: bool = True) -> Iterator[Line]:
    """All pictures in a folder, and in those below it. Hidden ones are left out, and so are the results of a batch.

    passed_over: gets the kinds of pictures that were left out, see there. Raises `UserError` if a folder cannot be
    read.
    """

    def refuse(error: OSError) -> None:
        sentence = f"The folder “{error.filename}” cannot be read: {error.strerror}."
        raise UserError("bad-list", sentence, "Change its permissions, or move it away.") from error

    found: list[tuple[str, ...]] = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        within = Path(place).relative_to(folder).parts
        if MANIFEST in files:
            folders.clear()
            continue
        if not below:
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.startswith("."):
                continue
            if os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES:  # noqa: PTH122 - quick
                found.append((*within, name))
            else:
                note(passed_over, name)
    start = os.path.abspath(folder)  # noqa: PTH100 - links stay
    for parts in sorted(found, key=lambda parts: (*(part.casefold() for part in parts), *parts)):
        yield Line({PICTURE: Path(start, *parts)}, str(PurePosixPath(*parts).with_suffix("")))


def _list(path: Path) -> Iterator[Line]:
    try:
        text = read_small(path, MAX_LIST_BYTES).decode("utf-8-sig")
    except OSError as error:
        sentence = f"The list “{path}” cannot be read: {error.strerror or error}."
        raise UserError("bad-list", sentence, "Give a folder, a list or a picture.") from error
    except UnicodeDecodeError as error:
        sentence = f"The list “{path}” is not text in UTF-8."
        raise UserError("bad-list", sentence, "Save it as UTF-8: a picture a line.") from error
    except ValueError as error:
        sentence = f"The list “{path}” has more than {MAX_LIST_BYTES >> 20} MB."
        raise UserError("bad-list", sentence, "Divide it.") from error
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line and not line.startswith("#"):
            place = f"Line {number} of “{path.name}”"
            fields = _parsed(line, place) if line.startswith("{") else {PICTURE: line}
            yield _line(fields, path.parent, place)


def _parsed(text: str, place: str) -> dict[str, Any]:
    try:
        fields: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_line(place, "is no valid JSON", 'Write {"picture": "owl.png", …} on one line.') from error
    if not isinstance(fields, dict):
        raise bad_line(place, "is no JSON object", 'Write {"picture": "owl.png", …} on one line.')
    return fields


def _line(fields: dict[str, Any], folder: Path, place: str) -> Line:
    """A line of a list; keys that are not known here are names of inputs. Raises `UserError`."""
    rest = dict(fields)
    name = _taken(rest, "name", str, place) or ""
    engine = _taken(rest, "engine", str, place)
    seed, count = _taken(rest, "seed", int, place), _taken(rest, "count", int, place)
    settings = _taken(rest, "settings", dict, place) or {}
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise bad_line(place, f"has the seed {seed:.6g}", f"A seed is a whole number from 0 to {MAX_SEED}.")
    if count is not None and not 1 <= count <= MAX_COUNT:
        raise bad_line(place, f"has the count {count:.6g}", f"A count is a whole number from 1 to {MAX_COUNT}.")
    for key, value in settings.items():
        if not isinstance(value, bool | int | float | str):
            raise bad_line(place, f"has an invalid value for “{key:.60}”", "A setting is a number, a text or a switch.")
    for key, value in rest.items():
        if not (isinstance(value, str) and value and "\0" not in value):
            raise bad_line(place, f"has “{key:.60}”, which is no path", "Write a path in quotation marks.")
    if PICTURE not in rest:
        raise bad_line(place, "names no picture", 'Write {"picture": "owl.png", …}.')
    start = os.path.abspath(folder)  # noqa: PTH100 - links stay
    inputs = {key: Path(os.path.normpath(os.path.join(start, value))) for key, value in rest.items()}  # noqa: PTH118
    return Line(inputs, _title(rest[PICTURE]), name, engine, seed, count, settings, place)


def _taken(fields: dict[str, Any], key: str, kind: type, place: str) -> Any:  # noqa: ANN401 - of that kind
    """Take a value out of a line, None if it has none. Raises `UserError` if it is of another kind."""
    value = fields.pop(key, None)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        words = {str: "a text", int: "a whole number", dict: "an object"}
        raise bad_line(place, f"has an invalid “{key}”", f"It is {words[kind]}.")
    return value


def _title(written: str) -> str:
    """The path as it is written, without its suffix; its name alone if it leads out of the list's folder."""
    path = PurePosixPath(Path(written).as_posix())
    inside = not Path(written).is_absolute() and ".." not in path.parts
    return str(path.with_suffix("")) if inside and path.name else Path(written).stem


def bad_line(place: str, what: str, advice: str) -> UserError:
    """The error of a line of a list."""
    return UserError("bad-list", f"{place} {what}.", advice)
