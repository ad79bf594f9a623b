# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that nobody knows: the draft's body, four views of it, and a texture with seams. Run as the backend is.

Whoever adds an engine writes as much as this, and a line in the registry.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dataclasses import replace

from backend.__main__ import main
from backend.engines import DRAFT, ENGINES
from backend.flow.products import Camera, Mesh, NormalMap, Picture, Report, Texture, Views
from backend.flow.settings import Setting
from backend.flow.stage import Stage
from backend.raster.render import render


def look_around(mesh: Mesh, *, distance: float, report: Report) -> Views:
    """Four pictures of the mesh, from all sides."""
    pictures: list[Picture] = []
    cameras: list[Camera] = []
    for number, angle in enumerate((0, 90, 180, 270)):
        report(number, 4)
        turn = np.radians(angle)
        x, y, z = (np.cos(turn), np.sin(turn), 0), (0, 0, 1), (np.sin(turn), -np.cos(turn), 0)
        matrix = np.eye(4)
        matrix[:3] = np.stack([x, y, z, np.multiply(z, distance)], axis=1)
        pictures.append(render(mesh, -angle, 32))
        cameras.append(Camera(matrix, fov=50.0))
    return Views(np.stack(pictures), tuple(cameras))


def paint(mesh: Mesh, views: Views, *, report: Report) -> Mesh:
    """The mesh with every triangle in a corner of its own of an image that is as red as the first view is bright."""
    report(0, 1)
    image = np.full((16, 16, 4), (views.pictures[0].max(), 40, 20, 255), np.uint8)
    corners = np.tile(np.array([[0, 0], [1, 0], [0, 1]], np.float32) / 2, (len(mesh.triangles), 1, 1))
    corners += np.array([0.0, 0.5], np.float32)[np.arange(len(corners)) % 2, None, None]
    return replace(mesh, uv=corners, picture_uv=None, texture=Texture(image, roughness=np.full((8, 8), 90, np.uint8)))


ORBIT = replace(
    DRAFT,
    name="orbit",
    label="Orbit",
    settings=(*DRAFT.settings, Setting("distance", "Distance", "From the camera to the object", 2.0, 1.0, 9.0)),
    stages=(
        *DRAFT.stages,
        Stage("look", "Looking around", "views", ("mesh",), ("distance",), look_around),
        Stage("paint", "Painting", "mesh", ("mesh", "views"), (), paint),
    ),
    gives={"normal_map": NormalMap, "views": Views, "mesh": Mesh},
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], {**ENGINES, "orbit": ORBIT}))
