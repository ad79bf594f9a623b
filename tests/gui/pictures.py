# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to try the extension on, drawn here."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.raster import png

Plane = NDArray[np.float64]


def toadstool(size: int = 512) -> NDArray[np.uint8]:
    """A toadstool on nothing, uint8 (size, size, 4)."""
    y, x = (np.mgrid[:size, :size] + 0.5) * (2.0 / size) - 1.0
    rgba = np.zeros((size, size, 4))
    stem_width = 0.2 + 0.12 * np.clip((y + 0.1) / 0.9, 0.0, 1.0) ** 2
    _paint(rgba, (np.abs(x) < stem_width) & (y > -0.2) & (y < 0.85 - 0.5 * x**2), (0.93, 0.88, 0.76), x / stem_width)
    cap = (np.hypot(x, (y + 0.05) / 0.85) < 0.8) & (y < 0.02 + 0.1 * np.cos(2.0 * x))
    _paint(rgba, cap, (0.78, 0.12, 0.08), x / 0.8)
    for left, top, radius in ((-0.42, -0.22, 0.1), (0.0, -0.4, 0.13), (0.4, -0.16, 0.11), (-0.08, -0.08, 0.07)):
        _paint(rgba, cap & (np.hypot(x - left, y - top) < radius), (0.97, 0.95, 0.9), x / 0.8)
    return np.rint(rgba * 255.0).astype(np.uint8)


def _paint(rgba: Plane, where: NDArray[np.bool_], colour: tuple[float, float, float], across: Plane) -> None:
    """Paint a round thing, lit from the left; `across` goes from -1 to 1 over its width."""
    light = 0.55 + 0.45 * np.sqrt(np.clip(1.0 - (across + 0.35) ** 2, 0.0, 1.0))
    rgba[where, :3] = (np.array(colour) * light[..., None])[where]
    rgba[where, 3] = 1.0


def two_boxes() -> NDArray[np.uint8]:
    """A red box at the left and a blue one at the right, before plain grey, uint8 (240, 320, 4)."""
    pixels = np.full((240, 320, 4), (150, 150, 150, 255), np.uint8)
    pixels[72:168, 40:112] = (200, 40, 30, 255)
    pixels[72:168, 208:280] = (30, 60, 200, 255)
    return pixels


def noise(size: int = 256) -> NDArray[np.uint8]:
    """A picture without an object and without a background."""
    pixels = np.random.default_rng(7).integers(0, 256, (size, size, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    return pixels


def write(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write a PNG file."""
    path.write_bytes(png.encode(pixels))
    return path
