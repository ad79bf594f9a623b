# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is asked for to what is to be made: each line gets its name, and whatever is made already stays."""

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..errors import UserError
from ..flow.engine import check_inputs
from ..flow.presets import HasPresets, values_given
from ..flow.settings import checked, versions_used
from ..wire.limits import seeds_from
from .journal import sentences
from .lines import PICTURE, Line, bad_line
from .manifest import Entry, Manifest, State, relative_path
from .manifest import same_fingerprint as same
from .names import folded, is_safe, safe_name, stems


@dataclass(frozen=True)
class Wanted:
    """A line, and the request that it means: JSON, with `engine`, `seed`, `count`, `settings` and `products` at least.

    The same request always leads to the same results of the same files: it names the versions that decide on them.
    """

    line: Line
    request: Mapping[str, Any]


class AnyEngine(HasPresets, Protocol):
    """An engine, as far as a line's request needs it: an `Engine`, or what clients know of one."""

    @property
    def inputs(self) -> Collection[str]:
        """The names of the pictures that it takes."""
        ...


_E = TypeVar("_E", bound=AnyEngine)


def wanted_by(
    line: Line, options: argparse.Namespace, engines: Mapping[str, _E], rest: Callable[[_E], Mapping[str, Any]]
) -> Wanted:
    """The request of a line: what it says itself comes before the command line.

    options: `engine`, `seed`, `count`, `preset` and `set` of the command line, see `commands.arguments`. rest: returns
    what else a request to an engine says, such as `products`, and all its `versions`. Raises `UserError`, with the
    line's number if the line is wrong.
    """
    name = options.engine if line.engine is None else line.engine
    engine = engines.get(name)
    if engine is None:
        raise bad_line(line.place, f"asks for an unknown engine “{name:.60}”", f"Choose one of: {', '.join(engines)}.")
    try:
        shared = values_given(engine, options.preset, options.set) if name == options.engine else {}
        settings = checked(engine.label, engine.settings, {**shared, **line.settings})
        check_inputs(engine.label, engine.inputs, line.inputs)
        more = rest(engine)
        request = {
            "engine": name,
            "seed": options.seed if line.seed is None else line.seed,
            "count": options.count if line.count is None else line.count,
            "settings": settings,
            **more,
            "versions": versions_used(more["versions"], settings),
        }
    except UserError as error:
        if line.place and (line.engine or line.settings or len(line.inputs) > 1):
            raise bad_line(line.place, f"is invalid. {error.sentence.rstrip('.')}", error.advice) from error
        raise
    return Wanted(line, request)


def plan(manifest: Manifest, wanted: Sequence[Wanted], *, overwrite: bool = False) -> list[str]:
    """Write into the manifest what is to be made, and return the names of all that is wanted, in order.

    What is done already, by the same request and of the same files, stays done. Raises `UserError` if two lines have
    one name, if a name is invalid, if another process is making something else of the same pictures, and, unless
    `overwrite`, if results that are there would be made anew. Nothing is written then.
    """
    with manifest.locked():
        requests = [_with_inputs(manifest, each) for each in wanted]
        names = _names(manifest, wanted, requests)
        changes: list[Entry] = []
        for name, request in zip(names, requests, strict=True):
            before = manifest.entries.get(name)
            entry = _next(manifest, name, request, before)
            if entry is not before:
                changes.append(entry)
        with sentences(manifest.worker.folder, "written to"):
            is_shared = manifest.worker.plans()
        if is_shared:
            _refuse_other_requests(manifest, changes)
        if not overwrite:
            _refuse_to_write_over(manifest, changes)
        manifest.write(*changes)
    return names


def _next(manifest: Manifest, name: str, request: Mapping[str, Any], before: Entry | None) -> Entry:
    """The entry as it is to be: `before` itself if it stays."""
    if before is None:
        return Entry(name, request)
    if before.request == request:
        if before.state in (State.WAITING, State.RUNNING):
            return before
        if before.state is State.DONE and (known := _unchanged(manifest, before)) is not None:
            return before if known == before.fingerprints else dataclasses.replace(before, fingerprints=known)
    return Entry(name, request, files=before.files)


def _unchanged(manifest: Manifest, entry: Entry) -> Mapping[str, Mapping[str, Any]] | None:
    """The fingerprints of what the entry was made of; None if a file has changed, or a result is missing."""
    known: dict[str, Mapping[str, Any]] = {}
    for name, path in entry.request["inputs"].items():
        found = same(manifest.path(path), entry.fingerprints.get(name, {}))
        if found is None:
            return None
        known[name] = found
    return known if all(manifest.place.has(file) for file in entry.files) else None


def _refuse_other_requests(manifest: Manifest, changes: Sequence[Entry]) -> None:
    for entry in changes:
        before = manifest.entries.get(entry.name)
        if before is not None and before.request != entry.request:
            sentence = f"Another process is working in “{manifest.out}”, and “{entry.name}” is to be made differently."
            raise UserError("in-use", sentence, "Wait until it has ended, or give another folder.")


def _refuse_to_write_over(manifest: Manifest, changes: Sequence[Entry]) -> None:
    """Refuse to make anew what lies in the folder; what has not come to its end just goes on."""
    there: list[str] = []
    for entry in changes:
        before = manifest.entries.get(entry.name)
        if before is None or entry.state is State.DONE:
            continue
        if before.state is State.DONE or before.request != entry.request:
            there += [file for file in before.files if manifest.place.has(file)]
    if there:
        are = "is" if len(there) == 1 else f"and {len(there) - 1} more are"
        sentence = f"“{manifest.place.path(there[0])}” {are} there already, and would be written over."
        raise UserError("output-exists", sentence, "Give another folder, or add --overwrite.")


def _with_inputs(manifest: Manifest, wanted: Wanted) -> dict[str, Any]:
    inputs = {name: relative_path(path, manifest.out) for name, path in sorted(wanted.line.inputs.items())}
    return json.loads(json.dumps({"inputs": inputs, **wanted.request}))  # as it will be read back


def _names(manifest: Manifest, wanted: Sequence[Wanted], requests: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each: its own; else the one under which the manifest knows the picture; else a new one."""
    names = _given_names(wanted)
    given = {folded(name) for name in names.values()}
    taken: set[str] = set()  # the names of all results, folded, without suffixes
    known: dict[str, list[Entry]] = defaultdict(list)
    for entry in manifest.entries.values():
        if folded(entry.name) not in given:
            known[entry.request["inputs"].get(PICTURE, "")].append(entry)
            taken |= _stems(entry.name, entry.request)
    for exactly in (True, False):  # first those that are known with this very request
        for number, request in enumerate(requests):
            entries = known[request["inputs"].get(PICTURE, "")] if number not in names else []
            fitting = [entry for entry in entries if not exactly or entry.request == request]
            if fitting:
                names[number] = fitting[0].name
                entries.remove(fitting[0])
    for number, name in names.items():
        taken |= _stems(name, requests[number])
    counts: dict[str, int] = {}
    for number, each in enumerate(wanted):
        if number not in names:
            names[number] = _new_name(safe_name(each.line.title), requests[number], taken, counts)
            taken |= _stems(names[number], requests[number])
    return [names[number] for number in range(len(wanted))]


def _given_names(wanted: Sequence[Wanted]) -> dict[int, str]:
    """The names that lines insist on, by the lines' numbers. Raises `UserError`."""
    names: dict[int, str] = {}
    seen: set[str] = set()
    for number, line in enumerate(each.line for each in wanted):
        if line.name and not is_safe(line.name):
            advice = f"“{safe_name(line.name)}” would do; folders are separated by “/”."
            raise bad_line(line.place, f"has the name “{line.name:.60}”, which a file cannot have everywhere", advice)
        if line.name and folded(line.name) in seen:
            raise bad_line(line.place, f"has the name “{line.name:.60}”, as another line has", "Give each its own.")
        if line.name:
            seen.add(folded(line.name))
            names[number] = line.name
    return names


def _new_name(title: str, request: Mapping[str, Any], taken: Collection[str], counts: dict[str, int]) -> str:
    """The title, or the first of title-2, title-3, … whose results are not `taken`. `counts`: how far each title is."""
    name = title
    while not _stems(name, request).isdisjoint(taken):
        counts[title] = counts.get(title, 1) + 1
        name = f"{title}-{counts[title]}"
    return name


def _stems(name: str, request: Mapping[str, Any]) -> set[str]:
    return stems(name, request["products"], seeds_from(request["seed"], request["count"]))
