# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects whose surface is known from a formula, as truth, as a mesh of an engine, and as a folder to measure by."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.flow.products import Mesh
from backend.training.geometry.objects import Pictured
from backend.training.geometry.silhouettes import REACH, VOXELS
from backend.training.geometry.triangles import Triangles

SIZE = 96  # of the pictures, in pixels
_FOCAL = 100.0  # a camera so far away sees along parallel rays


def box(width: float, height: float, depth: float) -> Triangles:
    """A closed box about the origin, outward."""
    corners = (np.array(list(np.ndindex(2, 2, 2))) - 0.5) * (width, height, depth)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return Triangles(corners, np.array([(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]))


def ball(around: int = 96, rings: int = 48) -> Triangles:
    """A closed ball of radius 1/2 about the origin, outward."""
    slope, turn = np.meshgrid(np.pi * np.arange(rings + 1) / rings, 2 * np.pi * np.arange(around) / around)
    places = np.stack([np.sin(slope) * np.sin(turn), np.cos(slope), np.sin(slope) * np.cos(turn)], axis=-1) / 2
    number = np.arange(around * (rings + 1)).reshape(around, rings + 1)
    number[:, 0], number[:, -1] = number[0, 0], number[0, -1]  # each pole is one vertex
    a, b, c, d = number[:, :-1], number[:, 1:], np.roll(number, -1, 0)[:, 1:], np.roll(number, -1, 0)[:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Triangles(places.reshape(-1, 3), faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)])


def voxels() -> NDArray[Any]:
    """The voxels' centres, float64 (64, 64, 64, 3)."""
    middles = (np.arange(VOXELS) + 0.5) / VOXELS * 2 * REACH - REACH
    return np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1)


def in_box(width: float, height: float, depth: float) -> NDArray[np.bool_]:
    return (np.abs(voxels()) < np.array([width, height, depth]) / 2).all(axis=-1)


def in_ball() -> NDArray[np.bool_]:
    return np.linalg.norm(voxels(), axis=-1) < 0.5


def truth(surface: Triangles, occupied: NDArray[np.bool_] | None = None, camera: Any = None) -> Pictured:
    return Pictured("known", surface, np.ones(len(surface.faces), bool), occupied, camera)


def as_made(surface: Triangles) -> Mesh:
    """The mesh as an engine gives it: Blender's axes, one metre long, standing on the floor."""
    vertices = surface.vertices[:, [0, 2, 1]] * (1, -1, 1)
    vertices -= np.append((vertices.min(axis=0) + vertices.max(axis=0))[:2] / 2, vertices[:, 2].min())
    vertices /= np.ptp(vertices, axis=0).max()
    return Mesh(vertices.astype(np.float32), surface.faces.astype(np.int32), np.zeros((len(vertices), 2), np.float32))


def scaled(surface: Triangles, *by: float) -> Triangles:
    return surface._replace(vertices=surface.vertices * by)


def write_ball(folder: Path, name: str = "ball", **changed: Any) -> None:
    """Add a ball to a folder; changed: arrays of its truth that are to be others."""
    from PIL import Image

    surface = ball()
    x, y = (np.arange(SIZE) + 0.5 - SIZE / 2) / 40, (SIZE / 2 - np.arange(SIZE) - 0.5) / 40
    normals = np.stack([*np.meshgrid(x, y), np.zeros((SIZE, SIZE))], axis=-1)
    inside = (normals**2).sum(axis=-1) < 1
    normals[..., 2] = np.sqrt(np.maximum(0, 1 - (normals**2).sum(axis=-1)))
    colours = np.rint(40 + 180 * np.clip(normals @ [-0.4, 0.5, 0.7], 0, 1))[..., None].repeat(3, axis=-1)
    pictures = {
        "images": np.dstack([colours, 255 * inside]),
        "normals": np.where(inside[..., None], np.rint((normals + 1) * 127.5), 255),
    }
    for part, pixels in pictures.items():
        (folder / part).mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / part / f"{name}.png")
    arrays = {
        "vertices": surface.vertices.astype(np.float32),
        "faces": surface.faces.astype(np.uint16),
        "outer": np.packbits(np.ones(len(surface.faces), bool)),
        "occupancy64": np.packbits(in_ball()),
        "occupancy_reliable": np.True_,
    }
    (folder / "mesh").mkdir(exist_ok=True)
    np.savez_compressed(folder / "mesh" / f"{name}.npz", **arrays | changed)
    path = folder / "objects.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    lens = [[80 * _FOCAL, 0, SIZE / 2], [0, 80 * _FOCAL, SIZE / 2], [0, 0, 1]]
    path.write_text(json.dumps({**known, name: {"camera": [0, 0, _FOCAL], "K": lens}}), "utf-8")
