# SPDX-License-Identifier: GPL-3.0-or-later
"""`doctor`: says what can run here and what is missing, in lines that fit into a bug report."""

import argparse
import importlib.util
import platform
import sys
from collections.abc import Mapping

import numpy as np

from ..flow.engine import Engine, why_missing
from ..flow.pipeline import SET_UP
from ..flow.settings import checked
from ..version import VERSION

FILE_LIBRARIES = {"PIL": "reads and writes pictures", "trimesh": "writes meshes"}


def run(_options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Print the report; returns 0 if at least one engine can run."""
    print(f"Hi3DGen {VERSION}")
    print(f"Python {platform.python_version()} ({sys.executable})")
    print(f"numpy {np.__version__}")
    print(f"{platform.system()} {platform.release()}, {platform.machine()}")
    able = [_describe(engine) for engine in engines.values()]
    for module, purpose in FILE_LIBRARIES.items():
        found = importlib.util.find_spec(module) is not None
        print(f"{module} ({purpose}): {'there' if found else 'not installed; only files outside Blender need it'}")
    return 0 if any(able) else 1


def _describe(engine: Engine) -> bool:
    """Print whether the engine can run here, and return it; an engine that fails to answer cannot."""
    missing = why_missing(engine)
    if missing:
        print(f"engine {engine.label}: {missing} {SET_UP}")
        return False
    try:
        settings = checked(engine.label, engine.settings, {})
        seconds = sum(engine.seconds(stage.name, settings) or 0.0 for stage in engine.stages)
        place = engine.place()
    except Exception as error:  # noqa: BLE001 - a broken library or driver: the report goes on
        print(f"engine {engine.label}: it cannot run here: {type(error).__name__}: {error}")
        return False
    waiting = f"; a mesh will take about {max(1, round(seconds / 60))} min" if seconds else ""
    print(f"engine {engine.label}: ready, {place}{waiting}")
    return True
