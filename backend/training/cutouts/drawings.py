# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that were drawn and not photographed, on plain paper: cartoons, letters, grids."""

import numpy as np

from ...arrays import BoolArray, Float64Array
from ...raster.morphology import dilated
from ..shapes.tracing import GBuffer

_STROKE = (0.004, 0.02)  # of the picture's side
_PAPER = 0.3  # of the parts are of the paper's colour
_GLYPH = (7, 5)  # rows and columns of a letter
_INKED = 0.55  # of a letter


def cartoon(rng: np.random.Generator, surface: GBuffer, paper: Float64Array) -> Float64Array:
    """Return a shape in flat colours within dark outlines, linear (S, S, 3): a part of it is of the paper's colour."""
    count = int(surface.parts.max()) + 1
    palette = rng.uniform(0.05, 1, (count, 3))
    blank = rng.random(count) < (1.0 if rng.random() < _PAPER else _PAPER)
    flat = np.where(blank[surface.parts][..., None], paper, palette[surface.parts])
    radius = max(1, round(len(paper) * float(rng.uniform(*_STROKE))))
    areas = np.where(surface.hit, surface.parts + 1, 0).astype(np.float64)
    edge = (dilated(areas, radius) != areas) | (-dilated(-areas, radius) != areas)
    drawn = np.where((edge & surface.hit)[..., None], rng.uniform(0, 0.15, 3), flat)
    return np.where(surface.hit[..., None], drawn, paper)


def letters(rng: np.random.Generator, paper: Float64Array) -> tuple[Float64Array, BoolArray]:
    """Return lines of something like letters, or a grid, linear (S, S, 3), and what is inked, bool (S, S)."""
    size = len(paper)
    strokes = _grid(rng) if rng.random() < 0.4 else _lines(rng)
    step = max(1, int(size * rng.uniform(0.4, 0.9) / max(strokes.shape)))
    large = strokes.repeat(step, axis=0).repeat(step, axis=1)
    inked = np.zeros((size, size), np.bool_)
    margin = size // 50
    top, left = (int(rng.integers(margin, size - side - margin)) for side in large.shape)
    inked[top : top + large.shape[0], left : left + large.shape[1]] = large
    dark = paper.mean() > rng.uniform(0.1, 0.4)
    ink = rng.uniform(0, 0.3, 3) if dark else rng.uniform(0.5, 1, 3)
    return np.where(inked[..., None], ink, paper), inked


def _grid(rng: np.random.Generator) -> BoolArray:
    """Draw bars in two directions, an open cell between two."""
    bar, cell = int(rng.integers(1, 4)), int(rng.integers(3, 9))
    rows, columns = (np.arange(int(rng.integers(2, 9)) * (bar + cell) + bar) % (bar + cell) < bar for _ in range(2))
    return rows[:, None] | columns


def _lines(rng: np.random.Generator) -> BoolArray:
    """Draw up to three lines of letters: strokes on a lattice, which leave counters open."""
    lines: list[BoolArray] = []
    count = int(rng.integers(2, 9))
    for _ in range(int(rng.integers(1, 4))):
        signs = rng.random((_GLYPH[0], count, _GLYPH[1])) < _INKED
        signs[:, :, [0, -1]] &= rng.random((1, count, 2)) < 0.8
        signs[::3] |= rng.random((len(signs[::3]), count, 1)) < 0.6
        lines.append(np.pad(signs, ((1, 1), (0, 0), (0, 1))).reshape(_GLYPH[0] + 2, -1))
    return np.concatenate(lines)
