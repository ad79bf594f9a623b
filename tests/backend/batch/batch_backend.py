# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line with one engine more, "fragile", whose pictures do as their colours say; tests start it.

Red 1: the process kills itself. Red 2: it runs out of memory. Red 3: a bug. Red 4: it waits for ever. Green: how many
tenths of a second it takes.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))

from backend.__main__ import main
from backend.engines import ENGINES
from backend.flow.engine import Engine
from backend.flow.products import Mesh, Picture, Report
from backend.flow.settings import Setting
from backend.flow.stage import Stage


def build(picture: Picture, *, seed: int, size: float, report: Report) -> Mesh:
    """A tetrahedron, or what the colour says."""
    red, green = (int(value) for value in picture[len(picture) // 2, picture.shape[1] // 2, :2])
    match red if seed < 100 else 0:
        case 1:
            os.kill(os.getpid(), signal.SIGKILL)
        case 2:
            raise MemoryError
        case 3:
            raise ZeroDivisionError
        case 4:
            time.sleep(1e6)
        case _:
            pass
    for step in range(green * 10):
        report(step, green * 10)
        time.sleep(0.01)
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32) * size
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    return Mesh(vertices, triangles, np.zeros((4, 2), np.float32))


def version() -> dict[str, str]:
    """What a test says that it is."""
    return {"weights": os.environ.get("FRAGILE_VERSION", "1")}


FRAGILE = Engine(
    name="fragile",
    label="Fragile",
    description="Does as its pictures say",
    needs_gpu=False,
    missing=str,
    settings=(Setting("size", "Size", "Metres", 1.0, 0.1, 10.0),),
    gives={"mesh": Mesh},
    stages=(Stage("geometry", "Building", "mesh", ("picture",), ("seed", "size"), build),),
    versions=version,
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], {**ENGINES, "fragile": FRAGILE}))
