# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines, as the backend describes them: known before there is a backend, from a file of the last time.

Whatever depends on them (the panel's settings, the operator's arguments) is made again when they change, by the
functions in `changed`. They run on the main thread, and never within an operator: it may be what is made again.
"""

import contextlib
import hashlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ...backend.folders import EXTERNAL
from ...backend.safe_files import open_log, read_json, write_json
from ...backend.wire.frames import WireError
from ...backend.wire.messages import Capabilities, EngineInfo
from ...backend.wire.records import fields_of, from_fields
from .. import extension
from ..errors import AddonError
from .child import surroundings
from .data_folder import data_folder
from .process import log_file, note

log = logging.getLogger(__name__)

FILE = "capabilities.json"
ASK_SECONDS = 60.0
POLL_SECONDS = 0.1
MESH, VIEWS = "mesh", "views"  # inputs of tools
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, RecursionError, WireError)

Engines = tuple[EngineInfo, ...]

changed: list[Callable[[], None]] = []
NOTHING = Capabilities("", ())
_known = NOTHING
_heard: queue.SimpleQueue[Capabilities] = queue.SimpleQueue()
_asking: threading.Thread | None = None


def known() -> Engines:
    """The engines for which the settings and the operators are made, in the backend's order; empty before it is asked.

    What an engine lacks is not among what is known: that may have changed since.
    """
    return _known.engines


def of_views() -> Engines:
    """The tools that make a mesh of views, known in the same way."""
    return tuple(tool for tool in _known.tools if VIEWS in tool.inputs and MESH not in tool.inputs)


def find(name: str, engines: Engines) -> EngineInfo | None:
    """The engine of that name; None if there is none."""
    return next((engine for engine in engines if engine.name == name), None)


def require() -> Engines:
    """The engines, at least one. Raises `AddonError` while none is known, see `why_unknown`."""
    if error := why_unknown():
        raise error
    return known()


def why_unknown() -> AddonError | None:
    """Why no engine is known: the backend is still being asked, or it did not answer. None if engines are known.

    With a window it is asked in the background; without one Blender waits for the answer as it starts.
    """
    if known():
        return None
    if (_asking is not None and _asking.is_alive()) or not _heard.empty():
        return AddonError("Hi3DGen is still starting: its engines are not known yet.", "Try again in a moment.")
    return AddonError("Hi3DGen's backend did not say which engines it has.", "Look at the backend's log.", in_log=True)


def known_afresh(names: Collection[str], computer: str = "") -> Engines:
    """The engines; those of these names with the versions that they have now, which may not be those of last time.

    computer: what ssh calls the computer that does the work; empty for this one. Its backend is only asked if one of
    these has any. Raises `AddonError` if it does not answer.
    """
    engines = require()
    if not any(engine.versions for engine in engines if engine.name in names):
        return engines
    try:
        fresh = ask(extension.user_folder(), extension.FOLDER, computer).engines
    except (*_UNREADABLE, subprocess.SubprocessError) as error:
        raise AddonError("The backend did not say what it can do.", "Look at its log.", in_log=True) from error
    return tuple(find(engine.name, fresh) or engine for engine in engines)


def hear(capabilities: Capabilities, user_folder: Path, *, keep: bool = True) -> None:
    """Take in what a backend answers, from any thread; `learn` does the rest.

    keep: whether it is written at once for the next time, as what another computer answers is not.
    """
    engines, tools = (
        tuple(replace(each, missing="") for each in part) for part in (capabilities.engines, capabilities.tools)
    )
    found = Capabilities("", engines, tools)
    if engines and found != _known:
        if keep:
            write(user_folder, extension.FOLDER, found)
        _heard.put(found)


def learn() -> bool:
    """Make what depends on the engines again if others were heard of. Returns whether it was.

    Call it on the main thread and outside of operators.
    """
    global _known  # noqa: PLW0603 - Blender's classes are as global
    news = _known
    with contextlib.suppress(queue.Empty):
        while True:
            news = _heard.get_nowait()
    if news == _known:
        return False
    _known = news
    for make in changed:
        make()
    return True


def read(user_folder: Path, backend: Path) -> Capabilities | None:
    """What was known the last time; None if the file is missing, unreadable, or of other code of the backend."""
    try:
        kept: Any = read_json(user_folder / FILE)
        if kept["stamp"] != _stamp(backend, user_folder):
            return None
        return from_fields(Capabilities, kept["capabilities"], {}, FILE)
    except FileNotFoundError:
        return None
    except _UNREADABLE as error:
        log.info("“%s” is not used: %s", FILE, error)
        return None


def write(user_folder: Path, backend: Path, capabilities: Capabilities) -> None:
    """Keep what is known for the next time; not being able to costs time alone."""
    kept, _ = fields_of(capabilities)
    try:
        write_json(user_folder / FILE, {"stamp": _stamp(backend, user_folder), "capabilities": kept}, private=True)
    except OSError as error:
        log.warning("“%s” could not be written: %s", user_folder / FILE, error)


def ask(user_folder: Path, backend: Path, computer: str = "") -> Capabilities:
    """Ask a backend that only describes itself. Raises `OSError`, `ValueError`, `SubprocessError` or `WireError`."""
    there = ["remote", "run", computer] if computer else []
    with open_log(log_file(user_folder)) as errors:
        answer = subprocess.run(
            [sys.executable, "-s", "-m", "backend", *there, "capabilities"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=user_folder,
            env=surroundings(backend, user_folder),
            timeout=ASK_SECONDS,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ).stdout
    return from_fields(Capabilities, json.loads(answer), {}, "capabilities")


def register() -> None:
    """Know the engines of the last time; else ask: at once without a window, beside Blender's work with one."""
    global _asking  # noqa: PLW0603
    folder = extension.user_folder()
    if found := read(folder, extension.FOLDER):
        _heard.put(found)
        learn()
        return
    _asking = threading.Thread(target=_ask, args=(folder,), name="hi3dgen capabilities", daemon=True)
    _asking.start()
    if bpy.app.background:
        _asking.join()
        learn()
    else:
        bpy.app.timers.register(_poll, persistent=True)


def unregister() -> None:
    """Forget all; the file stays."""
    global _known, _heard, _asking
    if bpy.app.timers.is_registered(_poll):
        bpy.app.timers.unregister(_poll)
    _known, _heard, _asking = NOTHING, queue.SimpleQueue(), None


def _ask(folder: Path) -> None:
    try:
        hear(ask(folder, extension.FOLDER), folder)
    except (*_UNREADABLE, subprocess.SubprocessError) as error:
        note(folder, f"the backend did not say what it can do: {error}")


def _poll() -> float | None:
    alive = _asking is not None and _asking.is_alive()
    learn()
    return POLL_SECONDS if alive else None


def _stamp(backend: Path, user_folder: Path) -> str:
    """A hash of the backend's code, by its files' names, sizes and times: other code may have other engines.

    The descriptions of the user's own engines are part of it.
    """
    seen = hashlib.sha256()
    described = sorted((data_folder(user_folder) / EXTERNAL).glob("*.json"))
    paths = [path for path in described if path.is_file()]
    for folder, folders, files in os.walk(backend / "backend"):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        paths += [Path(folder, name) for name in sorted(files)]
    for path in paths:
        about = path.stat()
        seen.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode("utf-8", "replace"))
    return seen.hexdigest()
