# SPDX-License-Identifier: GPL-3.0-or-later
"""`doctor`: says what can run here and what is missing, in lines that fit into a bug report."""

import argparse
import importlib.util
import json
import platform
import sys
from collections.abc import Mapping
from importlib import metadata

import numpy as np

from .. import memory
from ..flow.engine import PICTURE, Engine, why_missing
from ..flow.settings import checked
from ..version import VERSION
from .progress import amount

FILE_LIBRARIES = {"PIL": "reads and writes pictures", "trimesh": "writes meshes"}


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Print the report; returns 0 if at least one engine can run.

    As JSON it is {"lines": the report's, "devices": [[torch's name, label], ...]}, and returns 0 in any case.
    """
    lines = [
        f"Hi3DGen {VERSION}",
        f"Python {platform.python_version()} ({sys.executable})",
        f"numpy {np.__version__}",
        f"{platform.system()} {platform.release()}, {platform.machine()}",
    ]
    if whole := memory.of_machine():
        lines.append(f"memory {amount(whole)}")
    devices, about = _devices()
    lines += about
    described = [_described(engine) for engine in engines.values()]
    lines += [line for _, line in described]
    for module, purpose in FILE_LIBRARIES.items():
        found = importlib.util.find_spec(module) is not None
        there = "there" if found else "not installed; only files outside Blender need it"
        lines.append(f"{module} ({purpose}): {there}")
    if options.json:
        print(json.dumps({"lines": lines, "devices": devices}))
        return 0
    print("\n".join(lines))
    return 0 if any(able for able, _ in described) else 1


def _devices() -> tuple[list[tuple[str, str]], list[str]]:
    """What PyTorch can compute on, by torch's name, with a label; and lines about it. None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return [], []
    try:
        from ..nn.device import devices  # noqa: PLC0415 - torch

        found = devices()
        lines = [f"PyTorch {metadata.version('torch')}"]
    except Exception as error:  # noqa: BLE001 - a broken library or driver: the report goes on
        return [], [f"PyTorch does not say what it can compute on: {type(error).__name__}: {error}"]
    lines += [f"device {name}: {label}{f', {amount(size)}' if size else ''}" for name, label, size in found]
    return [(name, label) for name, label, _ in found], lines


def _described(engine: Engine) -> tuple[bool, str]:
    """Whether the engine can run here, and a line about it; an engine that fails to answer cannot."""
    missing = why_missing(engine)
    if missing:
        return False, f"engine {engine.label}: {missing} {engine.set_up}"
    try:
        settings = checked(engine.label, engine.settings, {})
        alone = (PICTURE,)
        stages = [stage for stage in engine.stages if stage.runs_for(alone, settings)]
        seconds = sum(engine.seconds(stage.name, settings, alone) or 0.0 for stage in stages)
        place = engine.place()
    except Exception as error:  # noqa: BLE001 - a broken library or driver: the report goes on
        return False, f"engine {engine.label}: it cannot run here: {type(error).__name__}: {error}"
    waiting = f"; a mesh will take about {max(1, round(seconds / 60))} min" if seconds else ""
    return True, f"engine {engine.label}: ready, {place}{waiting}"
