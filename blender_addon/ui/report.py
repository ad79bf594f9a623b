# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for whoever is to help: versions, devices, memory, the last errors, and little of the artist's."""

import platform
import re
from collections.abc import Iterable
from pathlib import Path

import bpy
import numpy as np

from ..errors import AddonError
from ..link import engines, runtime
from ..link.process import log_tail, tail
from ..link.setup import LOG as SETUP_LOG
from ..link.setup_timer import setup
from .anonymous import anonymous
from .text import size

_SEARCHED, _SHOWN = 600, 60  # lines of a log
_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ (\w+) ")
_GOOD = ("INFO", "DEBUG")
_LIBRARIES = ("PIL", "diffusers", "httpx2", "huggingface_hub", "numpy", "safetensors", "torch", "transformers")


def report() -> str:
    """The report, in lines; what the doctor has not answered yet is not in it."""
    session = runtime.session()
    folder = session.user_folder
    parts = {
        "Blender": _blender(),
        "Backend": _backend(),
        "What can run here": setup().doctor.get("lines") or _error(setup().doctor_error) or ["It is not known."],
        "Places": [f"{place['label']}: {size(place['bytes'])}" for place in setup().places.values()],
        "Errors": _errors(),
        "Log": complaints(log_tail(folder, _SEARCHED)),
        "Log of the setup": complaints(tail(folder / SETUP_LOG, _SEARCHED)),
    }
    text = "\n\n".join("\n".join([f"{title}:", *lines]) for title, lines in parts.items() if lines)
    return anonymous(text, [*_LIBRARIES, *(engine.label for engine in engines.known())]) + "\n"


def complaints(log: Iterable[str]) -> list[str]:
    """The last lines of a log that tell of trouble, with their tracebacks."""
    found: list[str] = []
    wanted = True
    for line in log:
        record = _RECORD.match(line)
        wanted = record[1] not in _GOOD if record else wanted or not line.startswith(" ")
        if wanted:
            found.append(line)
    return found[-_SHOWN:]


def _blender() -> list[str]:
    version = f"{bpy.app.version_string} ({bpy.app.build_hash.decode('ascii', 'replace')})"
    lines = [f"Blender {version}, Python {platform.python_version()}, numpy {np.__version__}"]
    if runtime.has_window():
        import gpu  # noqa: PLC0415 - without a window there is none

        about = (gpu.platform.vendor_get(), gpu.platform.renderer_get(), gpu.platform.version_get())
        lines.append(f"graphics: {', '.join(about)}")
    return lines


def _backend() -> list[str]:
    session, options = runtime.session(), runtime.options()
    state = session.phase.name.lower()
    held = _resident(session.pid) if session.pid else 0
    idle = f"{options.idle_seconds / 60:g} min" if options.idle_seconds else "never"
    most = f"results {size(options.cache_bytes)} at most"
    return [
        f"{state}{f', holds {size(held)}' if held else ''}, results {size(session.cached_bytes)}",
        f"device {options.device or 'automatic'}, ends after {idle}, {most}, log {options.log_level}",
    ]


def _resident(pid: int) -> int:
    """The memory of a process, in bytes; 0 where the system has no such file, which is everywhere but on Linux."""
    try:
        found = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return int(found[1]) * 1024 if found else 0


def _errors() -> list[str]:
    session, found = runtime.session(), setup()
    work = found.work.error if found.work else None
    asked = (found.plan_error, found.weights_error, found.places_error)
    errors = [session.error, *(job.error for job in session.jobs), *asked, work]
    trouble = [session.trouble] if session.trouble else []
    return [*trouble, *dict.fromkeys(line for error in errors for line in _error(error))]


def _error(error: AddonError | None) -> list[str]:
    return [f"{error.code}: {error}"] if error else []
