# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what the draft engine makes of pictures, from all sides.

    python scripts/turntable.py PICTURE... -o SHEET.png [--seed N] [--size PIXELS] [--normal-maps FOLDER]

makes one row a picture: the cut-out, then the body from the front and turned by 35, 90, 145 and 180 degrees, grey under
three lights. A picture whose name is also in the folder of normal maps gets a second row, of the body that this map
makes. The renderer is a z-buffer in numpy: every triangle is tested against the pixels of its bounding box, all
triangles of like size at once.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from finishing import finish

from backend.engines.draft.geometry import build
from backend.engines.draft.normals import estimate
from backend.files.pictures import read_picture, write_picture
from backend.flow.products import Cutout, Mesh
from backend.foreground.cut_out import cut_out
from backend.normals.image import from_picture
from backend.raster.vectors import unit

Array = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]

ANGLES = (0, 35, 90, 145, 180)
_LIGHTS = np.array([[-0.45, -0.65, 0.6], [0.85, -0.45, 0.25], [0.0, 0.9, 0.5]])  # key, fill, rim, towards the light
_STRENGTHS = np.array([0.75, 0.25, 0.2])
_AMBIENT = 0.12
_BACKGROUND = 0.93


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SHEET.png")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=300, help="side of each view, in pixels")
    parser.add_argument(
        "--normal-maps", type=Path, metavar="FOLDER", help="maps of the same view, named as the pictures"
    )
    options = parser.parse_args()
    rows: list[NDArray[np.uint8]] = []
    for path in options.pictures:
        cutout = cut_out(read_picture(path), 512, _ignore)
        maps = [estimate(cutout, _ignore)]
        if options.normal_maps and (options.normal_maps / path.name).is_file():
            maps.append(from_picture(cutout, read_picture(options.normal_maps / path.name), _ignore))
        for normal_map in maps:
            mesh = finish(build(normal_map, options.seed, _ignore), cutout)
            rows.append(sheet_row(cutout, mesh, options.size))
            print(f"{path.name}: {len(mesh.triangles)} triangles", flush=True)
    write_picture(options.output, np.concatenate(rows))


def sheet_row(cutout: Cutout, mesh: Mesh, size: int) -> NDArray[np.uint8]:
    """The cut-out over white and the mesh from all sides, uint8 (size, 6 size, 3)."""
    number = np.arange(size) * len(cutout.rgba) // size
    shown = cutout.rgba[np.ix_(number, number)].astype(np.float64)
    over_white = 255.0 + (shown[..., :3] - 255.0) * shown[..., 3:] / 255.0
    return np.concatenate([over_white.astype(np.uint8), *(render(mesh, angle, size) for angle in ANGLES)], axis=1)


def vertex_normals(mesh: Mesh) -> NDArray[np.float64]:
    """Area-weighted unit normals, float64 (V, 3)."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.triangles].astype(np.float64), 1, 0)
    face = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(mesh.triangles.ravel(), np.repeat(face[:, axis], 3), minlength=len(mesh.vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    return unit(total, least=1e-20)


def render(mesh: Mesh, angle: float, size: int, *, flat: bool = False) -> NDArray[np.uint8]:
    """Render a finished mesh, turned by `angle` degrees, orthographically; uint8 (size, size, 3)."""
    turn = np.radians(angle)
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    middle = np.array([0.0, 0.0, float(mesh.vertices[:, 2].max()) / 2])
    place = (mesh.vertices.astype(np.float64) - middle) @ turned.T
    screen = np.stack([(place[:, 0] / 1.1 + 0.5) * size, (0.5 - place[:, 2] / 1.1) * size, place[:, 1]], axis=1)
    normals = vertex_normals(mesh) @ turned.T
    pixel, triangle, weights = nearest(screen[mesh.triangles], size)
    corners = mesh.triangles[triangle]
    if flat:
        a, b, c = np.moveaxis(place[corners], 1, 0)
        normal = np.cross(b - a, c - a)
    else:
        normal = np.einsum("ij,ijk->ik", weights, normals[corners])
    shade = _AMBIENT + np.maximum(unit(normal, least=1e-20) @ unit(_LIGHTS).T, 0.0) @ _STRENGTHS
    image = np.full((size * size, 3), _BACKGROUND)
    image[pixel] = np.clip(shade, 0, 1)[:, None] ** (1 / 1.8)
    return (image.reshape(size, size, 3) * 255).astype(np.uint8)


def nearest(corners: Array, size: int) -> tuple[Indices, Indices, Array]:
    """The triangle that each pixel shows: (pixels (P,), triangles (P,), barycentric weights (P, 3))."""
    low = np.clip(np.ceil(corners[..., :2].min(axis=1) - 0.5).astype(np.int64), 0, size - 1)
    high = np.clip(np.floor(corners[..., :2].max(axis=1) - 0.5).astype(np.int64), 0, size - 1)
    extent = (high - low + 1).max(axis=1)
    found: list[tuple[Indices, Indices, Array, Array]] = []
    side = 1
    while side < 2 * size:
        chosen = np.flatnonzero((extent <= side) & (extent > side // 2))
        for part in np.array_split(chosen, max(1, len(chosen) * side * side // 2_000_000)):
            found += [_cover(corners[part], part, low[part], side, size)]
        side *= 2
    pixel = np.concatenate([f[0] for f in found])
    triangle = np.concatenate([f[1] for f in found])
    depth = np.concatenate([f[2] for f in found])
    weights = np.concatenate([f[3] for f in found])
    order = np.lexsort((triangle, depth, pixel))
    first = order[np.append(True, pixel[order][1:] != pixel[order][:-1])] if len(order) else order
    return pixel[first], triangle[first], weights[first]


def _cover(
    corners: Array, numbers: Indices, low: Indices, side: int, size: int
) -> tuple[Indices, Indices, Array, Array]:
    """Pixels, triangle numbers, depths and weights of what each triangle covers in a square of `side` pixels."""
    offset = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    x, y = np.moveaxis(low[:, None] + offset, -1, 0)
    a, b, c = np.moveaxis(corners[:, None], 2, 0)
    px, py = x + 0.5, y + 0.5

    def area(p: Array, q: Array) -> Array:
        return (q[..., 0] - p[..., 0]) * (py - p[..., 1]) - (q[..., 1] - p[..., 1]) * (px - p[..., 0])

    weights = np.stack([area(b, c), area(c, a), area(a, b)], axis=-1)
    total = weights.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = weights / total[..., None]
    hit = (np.abs(total) > 1e-12) & (weights >= -1e-9).all(axis=-1) & (x < size) & (y < size)
    row, _ = np.nonzero(hit)
    depth = (weights[hit] * corners[row][..., 2]).sum(axis=-1)
    return (y * size + x)[hit], numbers[row], depth, weights[hit]


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


if __name__ == "__main__":
    main()
