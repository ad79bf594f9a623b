# SPDX-License-Identifier: GPL-3.0-or-later
"""`serve` with one engine more, "patient", that does as its settings say: waits, hangs, fails, makes a large mesh.

Everything else is the backend as it ships. The tests of the server start this file as a process.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from backend.commands import serve as command
from backend.engines import ENGINES
from backend.errors import UserError
from backend.flow.engine import Engine
from backend.flow.pipeline import Pipeline
from backend.flow.products import Crop, Cutout, Mesh, NormalMap, Picture, Report
from backend.flow.settings import Setting
from backend.flow.stage import Stage
from backend.receiving import Patience
from backend.server import Server

SIDE = 64
LEFT_TO_UNLOAD: list[int] = []


class FatalError(BaseException):
    """What no queue expects of a job."""


def cut_out(picture: Picture, *, report: Report) -> Cutout:
    """A square of one colour."""
    report(0, 1)
    height, width = picture.shape[:2]
    rgba = np.full((SIDE, SIDE, 4), picture[0, 0], np.uint8)
    return Cutout(rgba, Crop(0.0, 0.0, float(max(height, width)), width, height))


def estimate(cutout: Cutout, report: Report) -> NormalMap:
    """A wall."""
    report(0, 1)
    return NormalMap(np.tile(np.array([0, 0, 1], np.float32), (SIDE, SIDE, 1)), cutout.alpha, cutout.crop)


def build(
    _normal_map: NormalMap, *, seed: int, steps: int, hang: float, fail: int, patience: int, rows: int, report: Report
) -> Mesh:
    """`steps` steps of 10 ms, `hang` seconds without a step, then a failure or `rows` vertices and triangles."""
    for step in range(steps):
        report(step, steps)
        time.sleep(0.01)
    time.sleep(hang)
    if fail == 7:
        print("a library says something " * 10_000)
    match fail if seed >= patience else 0:
        case 1:
            raise UserError("no-patience", "The engine lost its patience.", "Ask it nicely.")
        case 2:
            raise MemoryError
        case 3:
            raise ZeroDivisionError
        case 4:
            raise UserError("device-lost", "The card stopped answering.", "Generate again.")
        case 5:
            raise FatalError
        case 6:
            LEFT_TO_UNLOAD.append(seed)
            raise UserError("no-patience", "The engine lost its patience.", "Ask it nicely.")
        case _:
            vertices = np.full((rows, 3), seed, np.float32)
            return Mesh(vertices, np.zeros((rows, 3), np.int32), np.zeros((rows, 2), np.float32))


def unload() -> None:
    """Fail once if a job has asked for it."""
    if LEFT_TO_UNLOAD:
        LEFT_TO_UNLOAD.clear()
        raise RuntimeError("the card does not answer")


def finish(mesh: Mesh, *, report: Report) -> Mesh:
    """The same mesh."""
    report(0, 1)
    return mesh


def ready() -> str:
    """Nothing is missing."""
    return ""


def absent() -> str:
    """Something is missing."""
    return "Install it first."


FAILURES = (
    "1 a sentence, 2 want of memory, 3 a bug, 4 a lost card, 5 the end of the queue, 6 a failure of `unload` too, "
    "7 none, but much is printed"
)
SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("steps", "Steps", "Of 10 ms each", 1, 0, 10**9),
        Setting("hang", "Hang", "Seconds without a step", 0.0, 0.0, 1e6),
        Setting("fail", "Fail", FAILURES, 0, 0, 7),
        Setting("patience", "Patience", "Seeds below this one do not fail", 0, 0, 2**31 - 1),
        Setting("rows", "Rows", "Vertices and triangles", 3, 3, 10**8),
    )
}
PATIENT = Engine(
    name="patient",
    label="Patient",
    description="Does as it is told",
    needs_gpu=False,
    missing=ready,
    settings=tuple(SETTINGS.values()),
    gives={"normal_map": NormalMap, "mesh": Mesh},
    stages=(
        Stage("foreground", "Cutting out", "cutout", ("picture",), (), cut_out),
        Stage("normals", "Estimating normals", "normal_map", ("cutout",), (), estimate),
        Stage("geometry", "Waiting", "mesh", ("normal_map",), ("seed", *SETTINGS), build),
        Stage("finish", "Finishing", "mesh", ("mesh",), (), finish),
    ),
    unload=unload,
)
ABSENT = replace(PATIENT, name="absent", label="Absent", description="Cannot run here", missing=absent)


def raises() -> str:
    """A bug."""
    raise ZeroDivisionError


def raises_a_sentence() -> str:
    """What a damaged record leads to."""
    raise UserError("weights-record-damaged", "The record is damaged.", "Delete it.")


def tells_a_path() -> str:
    """A sentence with a path that is not UTF-8."""
    return "There is nothing in “/home/gr\udcfcn”."


ODD = {
    "bug": replace(PATIENT, name="bug", missing=raises),
    "damaged": replace(PATIENT, name="damaged", missing=raises_a_sentence),
    "path": replace(PATIENT, name="path", missing=tells_a_path),
    "unknown product": replace(PATIENT, name="unknown product", gives={"mesh": Mesh, "cutout": Crop}),
}
"""Engines that cannot be asked or described; only `--odd` serves them."""


class HastyServer(Server):
    """It waits a second for the rest of a frame, and three for one to be taken; only `--hasty` serves by it."""

    def __init__(self, pipeline: Pipeline, token: str, idle_seconds: float) -> None:
        super().__init__(pipeline, token, idle_seconds, Patience(silence=1.0, sending=3.0))


if __name__ == "__main__":
    more = ODD if "--odd" in sys.argv else {}
    if "--hasty" in sys.argv:
        command.Server = HastyServer
    sys.exit(command.serve(Pipeline({**ENGINES, "patient": PATIENT, "absent": ABSENT, **more})))
