# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that no product code knows: behind the draft engine's surface it makes views and a textured mesh.

As a program, it is `python -m backend` with this engine more.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from backend.__main__ import main
from backend.engines import DRAFT, ENGINES
from backend.flow.products import Camera, Mesh, NormalMap, Report, Texture, Views
from backend.flow.settings import Setting
from backend.flow.stage import Stage

SIDE = 16
DISTANCE = 2.0


def look(mesh: Mesh, *, views: int, report: Report) -> Views:
    """Views in even steps around the mesh, each of one colour; the first from the front."""
    cameras: list[Camera] = []
    for view in range(views):
        report(view, views)
        sine, cosine = np.sin(2 * np.pi * view / views), np.cos(2 * np.pi * view / views)
        back = np.array([sine, -cosine, 0.0])
        matrix = np.eye(4)
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = (cosine, sine, 0.0), (0.0, 0.0, 1.0), back
        matrix[:3, 3] = DISTANCE * back + (0.0, 0.0, float(mesh.vertices[:, 2].max()) / 2)
        cameras.append(Camera(matrix, fov=40.0))
    pictures = np.full((views, SIDE, SIDE, 4), 255, np.uint8)
    pictures[..., 0] = np.arange(views, dtype=np.uint8)[:, None, None]
    return Views(pictures, tuple(cameras))


def paint(mesh: Mesh, views: Views, *, report: Report) -> Mesh:
    """The mesh with the first view as its base colour, and a flat relief, laid out by corner."""
    report(0, 1)
    flat = np.full((SIDE, SIDE, 3), (128, 128, 255), np.uint8)
    return replace(mesh, uv=mesh.corner_uv, texture=Texture(base_colour=views.pictures[0], normal=flat))


ORBIT = replace(
    DRAFT,
    name="orbit",
    label="Orbit",
    settings=(*DRAFT.settings, Setting("views", "Views", "How many pictures are made", 4, 1, 9)),
    stages=(
        *DRAFT.stages,
        Stage("look", "Looking around", "views", ("mesh",), ("views",), look),
        Stage("paint", "Painting", "mesh", ("mesh", "views"), (), paint),
    ),
    gives={"normal_map": NormalMap, "views": Views, "mesh": Mesh},
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], {**ENGINES, ORBIT.name: ORBIT}))
