# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures for batches, the command as a process, and what it leaves behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")
ROOT = Path(__file__).parents[3]
SECONDS = 100.0  # how long anything may take before its test counts as hanging
SMALL = ("--set", "resolution=64", "--set", "faces=1000", "--set", "colours=front")
SCRIPT = Path(__file__).with_name("batch_backend.py")
REQUEST: dict[str, Any] = {
    "inputs": {"picture": "../a.png"},
    "engine": "draft",
    "seed": 0,
    "count": 1,
    "products": ["mesh"],
}  # as in a manifest
FRAGILE = ("--engine", "fragile")  # of that script


def paint(path: Path, colour: tuple[int, int, int] = (200, 120, 40), radius: float = 30.5) -> Path:
    """A picture of a disk."""
    rows, columns = np.mgrid[:80, :80]
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[..., :3] = colour
    rgba[..., 3] = np.clip(radius - np.hypot(rows - 39.5, columns - 39.5), 0, 1) * 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgba).save(path)
    return path


def command(*arguments: object, script: Path | None = None) -> list[str]:
    start = [str(script)] if script else ["-m", "backend"]
    return [sys.executable, "-s", *start, *map(str, arguments)]


def batch(*arguments: object, script: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `batch` to its end."""
    return subprocess.run(
        command("batch", *arguments, script=script),
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def start(*arguments: object, script: Path | None = None) -> subprocess.Popen[bytes]:
    """Start `batch` in a process group of its own."""
    return subprocess.Popen(
        command("batch", *arguments, script=script),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def told(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The lines of `--json`."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def states(out: Path) -> dict[str, str]:
    """Every picture's state by what the manifest says, as docs/batch.md describes it."""
    found: dict[str, str] = {}
    for line in (out / "manifest.jsonl").read_text("utf-8").splitlines()[1:]:
        record = json.loads(line)
        found[record["name"]] = record["state"]
    return found


def summary(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "summary.jsonl").read_text("utf-8").splitlines()]


def visible(out: Path) -> dict[str, int]:
    """All files but hidden ones, relative, with the time of their last change."""
    files = [path for path in out.rglob("*") if path.is_file()]
    return {
        path.relative_to(out).as_posix(): path.stat().st_mtime_ns
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(out).parts)
    }


def wait_for(happened: Callable[[], bool]) -> None:
    """Return when it has happened."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
