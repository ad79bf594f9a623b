# SPDX-License-Identifier: GPL-3.0-or-later
"""Closed bodies as a picture sees them."""

import numpy as np

from backend.arrays import Float64Array, Int32Array


def ball(
    rings: int = 24, radius: float = 40.0, middle: tuple[float, float, float] = (64, 64, 0)
) -> tuple[Float64Array, Int32Array]:
    """A ball, outward: vertices (V, 3), x right, y up, z to the viewer, and triangles."""
    columns = 2 * rings
    down, around = np.meshgrid(np.linspace(0, np.pi, rings + 1)[1:-1], np.arange(columns) / columns * 2 * np.pi)
    round_ = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)], axis=-1)
    points = np.concatenate([round_.reshape(-1, 3), [(0, 1, 0), (0, -1, 0)]])
    triangles: list[tuple[int, int, int]] = []
    for column in range(columns):
        one, other = column * (rings - 1), (column + 1) % columns * (rings - 1)
        for ring in range(rings - 2):
            triangles += [(one + ring, one + ring + 1, other + ring), (other + ring, one + ring + 1, other + ring + 1)]
        triangles += [(len(points) - 2, one, other), (len(points) - 1, other + rings - 2, one + rings - 2)]
    return points * radius + np.array(middle), np.array(triangles, np.int32)


def together(*bodies: tuple[Float64Array, Int32Array]) -> tuple[Float64Array, Int32Array]:
    """Several bodies as one mesh."""
    starts = np.cumsum([0, *(len(points) for points, _ in bodies)])
    triangles = [faces + start for (_, faces), start in zip(bodies, starts, strict=False)]
    return np.concatenate([points for points, _ in bodies]), np.concatenate(triangles).astype(np.int32)


def crumpled(rings: int) -> tuple[Float64Array, Int32Array]:
    """A ball with bumps, some of which hide others from all sides."""
    points, triangles = ball(rings, 1.0, (0, 0, 0))
    x, y, z = 9 * points.T
    return points * (1 + 0.5 * np.sin(x + 1) * np.sin(y) * np.sin(z + 0.5))[:, None], triangles


def ramp(steps: int, across: int) -> tuple[Float64Array, Int32Array]:
    """A spiral ramp, all of which faces the picture, of more than one turn; and so much beyond that it is small."""
    angle, radius = np.meshgrid(np.linspace(0, 7.2, steps), np.linspace(50, 60, across), indexing="ij")
    points = (
        np.stack([radius * np.cos(angle), radius * np.sin(angle), -3 * angle], axis=-1).reshape(-1, 3).astype(float)
    )
    first = (np.arange(steps - 1)[:, None] * across + np.arange(across - 1)).reshape(-1)
    triangles = [np.stack([first + across * i, first + 1, first + across + j], axis=1) for i, j in ((1, 1), (0, 0))]
    beyond = np.array([(400, 0, 0), (420, 0, 0), (400, 20, 0)], np.float64)
    sheet = np.concatenate([*triangles, len(points) + np.arange(3)[None]])
    return np.concatenate([points, beyond]), sheet.astype(np.int32)


def nothing() -> None:
    """A poll that never ends anything."""
