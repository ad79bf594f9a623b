# SPDX-License-Identifier: GPL-3.0-or-later
"""A box with a colour of its own on each side, as a mesh and as a file."""

from pathlib import Path
from typing import Any

import numpy as np

from backend.flow.products import Mesh, Texture

SIDES = {
    "left": (200, 40, 40),  # of -x, as seen from -y
    "right": (40, 160, 60),
    "front": (60, 80, 220),  # -y
    "back": (230, 200, 50),
    "bottom": (120, 60, 140),
    "top": (90, 90, 90),
}
SIZE = (0.8, 0.5, 1.0)  # metres
_CELL = 8  # pixels of the image a side of the box


def palette(colours: dict[str, tuple[int, int, int]] = SIDES) -> Any:
    """The image, uint8 (8, 48, 4): a square for each side."""
    cells = np.repeat(np.array([[*colour, 255] for colour in colours.values()], np.uint8), _CELL, axis=0)
    return np.repeat(cells[None], _CELL, axis=0)


def box(colours: dict[str, tuple[int, int, int]] = SIDES, shift: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    """The box around the origin, or moved, in metres; each side has four vertices of its own."""
    vertices, triangles, uv = [], [], []
    for number in range(6):
        axis, sign = number // 2, 1 if number % 2 else -1
        one, other = (axis + 1) % 3, (axis + 2) % 3
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            place = np.zeros(3)
            place[[axis, one, other]] = sign, a, b
            vertices.append(place / 2 * SIZE + shift)
            uv.append(((number + 0.5 + 0.3 * a) / 6, 0.5 + 0.3 * b))
        corners = np.array([[0, 1, 2], [0, 2, 3]]) + 4 * number
        triangles.append(corners if sign > 0 else corners[:, ::-1])
    return Mesh(
        np.array(vertices, np.float32),
        np.concatenate(triangles).astype(np.int32),
        np.array(uv, np.float32),
        texture=Texture(palette(colours)),
    )


def write_box(path: Path, mesh: Mesh) -> None:
    from backend.files.meshes import write_mesh  # needs Pillow and trimesh

    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    write_mesh(path, mesh, mesh.texture.base_colour, smooth=False)
