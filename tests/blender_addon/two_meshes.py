# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines that tests add: "both" gives two meshes and a normal map that the seed decides, "flat" gives no mesh.

Run as the backend is.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.__main__ import main
from backend.engines import DRAFT, ENGINES
from backend.flow.products import Mesh, NormalMap, Report
from backend.flow.stage import Stage


def tint(normal_map: NormalMap, *, seed: int, report: Report) -> NormalMap:
    """All normals towards a side that the seed decides."""
    report(0, 1)
    normals = np.zeros_like(normal_map.normals)
    normals[..., seed % 2] = 1.0
    return replace(normal_map, normals=normals)


def shrink(mesh: Mesh, *, report: Report) -> Mesh:
    """Half of the size."""
    report(0, 1)
    return replace(mesh, vertices=mesh.vertices / 2)


BOTH = replace(
    DRAFT,
    name="both",
    label="Both",
    stages=(
        *DRAFT.stages,
        Stage("tint", "Tinting", "normal_map", ("normal_map",), ("seed",), tint),
        Stage("shrink", "Shrinking", "small", ("mesh",), (), shrink),
    ),
    gives={"normal_map": NormalMap, "small": Mesh, "mesh": Mesh},
)
FLAT = replace(DRAFT, name="flat", label="Flat", gives={"normal_map": NormalMap})

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], {**ENGINES, "both": BOTH, "flat": FLAT}))
