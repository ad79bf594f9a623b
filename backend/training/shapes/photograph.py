# SPDX-License-Identifier: GPL-3.0-or-later
"""From light to a cut-out's pixels: framing, exposure, tone curve, lens, sensor, JPEG, and the edges of a cut-out."""

import math
from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float32Array, Float64Array
from ...flow.products import Picture
from ...foreground.framing import MARGIN
from ...raster.colour import linear_to_srgb
from .compiled import compiled

_DCT = np.array(
    [[np.cos((2 * x + 1) * u * np.pi / 16) * (0.5 if u else 8**-0.5) for x in range(8)] for u in range(8)], np.float32
)
# ITU-T T.81, annex K: what coding of brightness and of colour loses at quality 50.
_BRIGHTNESS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)  # fmt: skip
_COLOUR = np.full((8, 8), 99)
_COLOUR[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_RGB = np.linalg.inv(_YCC)


class Framing(NamedTuple):
    """Where a picture's frame lies in the view: centre and half side in the view's [-1, 1], y up; roll in radians."""

    centre: tuple[float, float]
    half: float
    roll: float
    mirrored: bool


def draw_framing(rng: np.random.Generator, hit: BoolArray) -> Framing:
    """Draw a frame about the pixels that are hit, bool (G, G): as the cut-out stage does, looser, askew or tighter."""
    roll = 0.0 if rng.random() < 0.6 else rng.normal(0.0, 0.12)
    size = hit.shape[0]
    rows, columns = np.nonzero(hit)
    x, y = (columns + 0.5) / size * 2 - 1, 1 - (rows + 0.5) / size * 2
    c, s = np.cos(roll), np.sin(roll)
    u, v = c * x - s * y, s * x + c * y
    side = max(float(np.ptp(u)), float(np.ptp(v))) / 2 + 1 / size
    a, b = (float(w.min() + w.max()) / 2 for w in (u, v))
    kind = rng.random()
    half = side * (MARGIN if kind < 0.6 else rng.uniform(1.05, 1.5) if kind < 0.88 else rng.uniform(0.7, 1.0))
    if kind >= 0.6:
        most, shift = (1.0, half - side) if kind < 0.88 else (0.4, side)
        a, b = a + rng.uniform(-most, most) * shift, b + rng.uniform(-most, most) * shift
    return Framing((c * a + s * b, -s * a + c * b), half, roll, bool(rng.random() < 0.5))


@compiled
def _means(grid: Float32Array, size: int, fine: int, frame: Float64Array) -> Float32Array:
    """Return the mean of a grid (G, G, 7) in each pixel of a frame (S, S, 7), over fine x fine places of it.

    frame: how the grid's place (column, row) moves a pixel right and a pixel down, and where it begins: (2, 3).
    """
    limit, places = grid.shape[0] - 1, fine * fine
    result, total = np.zeros((size, size, grid.shape[2]), np.float32), np.empty(grid.shape[2])
    for i in range(size):
        for j in range(size):
            total[:] = 0.0
            for place in range(places):
                down, right = i + (place // fine + 0.5) / fine, j + (place % fine + 0.5) / fine
                u = frame[0, 0] * right + frame[0, 1] * down + frame[0, 2] - 0.5
                v = frame[1, 0] * right + frame[1, 1] * down + frame[1, 2] - 0.5
                row, column = int(np.floor(v)), int(np.floor(u))
                if not (0 <= row < limit and 0 <= column < limit):
                    continue
                upper, lower = grid[row, column : column + 2], grid[row + 1, column : column + 2]
                if upper[0, 6] + upper[1, 6] + lower[0, 6] + lower[1, 6] > 0:  # 0 where there is no surface
                    f, g = v - row, u - column
                    a, b = (1 - f) * (1 - g) / places, (1 - f) * g / places
                    c, d = f * (1 - g) / places, f * g / places
                    for k in range(len(total)):
                        total[k] += a * upper[0, k] + b * upper[1, k]
                        total[k] += c * lower[0, k]
                        total[k] += d * lower[1, k]
            result[i, j] = total
    return result


def reframe(
    light: Float64Array, normals: Float64Array, hit: BoolArray, frame: Framing, size: int
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return a frame of a view: linear colours (S, S, 3), normals float32 (S, S, 3), coverage (S, S).

    light, normals (camera space): float64 (G, G, 3). Each pixel is the mean of the surface in it; of normals, the unit
    vector along the mean; zeros where nothing is covered.
    """
    grid = np.empty((*hit.shape, 7), np.float32)
    grid[..., :3], grid[..., 3:6], grid[..., 6] = light, normals, 1
    grid *= hit[..., None]
    fine = max(1, round(frame.half * hit.shape[0] / size * 1.3))
    c, s, side = np.cos(frame.roll), np.sin(frame.roll), -1 if frame.mirrored else 1
    # x and y of the frame in [-1, 1], y up, to the view's, and on to the grid's columns and rows.
    across, up = frame.half * np.array([c, -s]) * side, frame.half * np.array([s, c])
    begin = np.array(frame.centre) - across + up
    steps = np.stack([across * 2 / size, -up * 2 / size, begin], axis=1)
    steps[:, 2] += (1, -1)
    mean = _means(grid, size, fine, steps * hit.shape[0] / 2 * [[1], [-1]])
    red, green, blue, nx, ny, nz, coverage = np.ascontiguousarray(np.moveaxis(mean, 2, 0))
    whole = np.maximum(coverage, 1e-6)
    nx, ny = (c * nx - s * ny) * side, s * nx + c * ny
    norm = np.sqrt(nx * nx + ny * ny + nz * nz)
    norm = np.where(norm > 0.02, norm, np.inf)
    colours = np.stack((red / whole, green / whole, blue / whole), axis=2)
    return colours, np.stack((nx / norm, ny / norm, nz / norm), axis=2), coverage


def photograph(rng: np.random.Generator, light: Float32Array, coverage: Float32Array) -> Picture:
    """Return a cut-out, uint8 (S, S, 4), of linear light (S, S, 3) and its coverage (S, S), both float32."""
    some = coverage > 0
    seen = coverage[some] > 0.5
    colours = _developed(rng, light[some], seen)
    around = colours[seen].mean(axis=0) if seen.any() else np.full(3, 0.5)
    if rng.random() < 0.4:
        around = np.full(3, rng.uniform()) if rng.random() < 0.5 else rng.uniform(size=3)
    around, alpha = around.astype(np.float32), coverage
    pixels = np.full_like(light, around)
    pixels[some] += (colours - around) * alpha[some][:, None]
    if rng.random() < 0.4:
        pixels = _blur(pixels, float(rng.uniform(0.3, 0.9)))
    if rng.random() < 0.25:
        pixels = pixels + float(rng.uniform(0.1, 0.6)) * (pixels - _blur(pixels, 1.0))
    if rng.random() < 0.5:
        noise = rng.standard_normal(pixels.shape, np.float32) * np.float32(rng.uniform(0.002, 0.025))
        pixels = pixels + (_blur(noise, 0.7) * 1.8 if rng.random() < 0.5 else noise) * np.sqrt(pixels.clip(0.05, 1.0))
    pixels = np.clip(pixels, 0.0, 1.0)
    if rng.random() < 0.5:
        pixels = jpeg(pixels * 255, rng.uniform(45, 96)) / 255
    if rng.random() < 0.5:
        soft = _blur(alpha[..., None], float(rng.uniform(0.4, 0.9)))[..., 0]
        shift = float(np.clip(rng.normal(0.0, 0.1), -0.3, 0.3))
        alpha = np.clip((soft - 0.5 + shift * 4 * soft * (1 - soft)) * float(rng.uniform(1.0, 2.0)) + 0.5, 0, 1)
    # Pixels without the object keep its colour, as the cut-out stage leaves them.
    pixels = np.where(alpha[..., None] > 0, pixels, around)
    return np.rint(np.clip(np.concatenate([pixels, alpha[..., None]], axis=2), 0, 1) * 255).astype(np.uint8)


def _developed(rng: np.random.Generator, light: Float32Array, seen: BoolArray) -> Float32Array:
    """Expose light (K, 3) and give it a tone curve: sRGB in [0, 1]. seen: which count, bool (K)."""
    luminance = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    bright = float(np.quantile(luminance[seen], 0.92)) if seen.any() else 1.0
    aim = rng.uniform(0.02, 0.2) if rng.random() < 0.15 else rng.uniform(0.35, 1.15)
    cast = 1 + 0.05 * rng.normal(size=3).clip(-2, 2)
    exposed = light * (aim / max(bright, 1e-4) * cast).astype(np.float32)
    if rng.random() < 0.6:  # a shoulder instead of clipping
        white = float(rng.uniform(1.5, 4.0))
        exposed = exposed * (1 + exposed / white**2) / (1 + exposed) * 1.35
    linear = np.clip(exposed, 0.0, 1.0)
    curve = linear_to_srgb(linear)
    contrast = float(rng.uniform(-0.25, 0.5))
    curve = curve + contrast * (curve * curve * (3 - 2 * curve) - curve)
    grey = curve @ np.full((3, 1), 1 / 3, np.float32)
    return np.clip(grey + (curve - grey) * float(rng.uniform(0.7, 1.25)), 0.0, 1.0)


def _blur(pixels: Float32Array, sigma: float) -> Float32Array:
    """Blur (H, W, C) by a Gaussian of so many pixels, cut off at two; `raster.blur` takes several times as long."""
    near, far = math.exp(-0.5 / sigma**2), math.exp(-2.0 / sigma**2)
    weights = np.array([far, near, 1], np.float32) / np.float32(1 + 2 * near + 2 * far)
    padded = np.pad(pixels.astype(np.float32, copy=False), ((2, 2), (2, 2), (0, 0)), mode="edge")
    across = padded.shape[2]
    wide = _weighted(_weighted(padded.ravel(), padded.shape[1] * across, weights), across, weights)
    return wide.reshape(padded.shape)[2:-2, 2:-2]


@compiled
def _weighted(line: Float32Array, step: int, weights: Float32Array) -> Float32Array:
    """Weight each of a line with the two to each side of it that are one and two steps away."""
    result = np.zeros_like(line)
    for k in range(2 * step, len(line) - 2 * step):
        beside, beyond = line[k - step] + line[k + step], line[k - 2 * step] + line[k + 2 * step]
        result[k] = weights[2] * line[k] + weights[1] * beside + weights[0] * beyond
    return result


def jpeg(pixels: Float32Array, quality: float) -> Float32Array:
    """Return pixels (H, W, 3) in [0, 255] as a baseline JPEG of a quality (1 to 100) leaves them."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % 16), (0, -width % 16), (0, 0)), mode="edge").astype(np.float32)
    scale = (5000 / quality if quality < 50 else 200 - 2 * quality) / 100
    h, w = padded.shape[:2]
    planes = (_YCC @ padded.reshape(-1, 3).T).reshape(3, h, w)
    planes[0] = _coded(planes[0] - 128, _BRIGHTNESS * scale) + 128
    fours = planes[1:].reshape(2, h // 2, 2, w // 2, 2)
    mean = (fours[:, :, 0, :, 0] + fours[:, :, 0, :, 1] + fours[:, :, 1, :, 0] + fours[:, :, 1, :, 1]) * np.float32(
        0.25
    )
    fours[:] = _coded(mean.reshape(h, w // 2), _COLOUR * scale).reshape(2, h // 2, 1, w // 2, 1)
    whole = (planes.reshape(3, -1).T @ _RGB.T).reshape(h, w, 3)
    return np.clip(whole[:height, :width], 0, 255)


def _coded(plane: Float32Array, steps: Float64Array) -> Float32Array:
    """Return a plane (H, W) as it is after its blocks' waves are rounded to steps (8, 8)."""
    h, w = plane.shape
    whole = np.maximum(np.rint(steps), 1).astype(np.float32)[:, None]
    down = _DCT @ plane.reshape(h // 8, 8, w)  # rows of blocks, and then each block's own rows
    waves = (down.reshape(-1, 8) @ _DCT.T).reshape(h // 8, 8, w // 8, 8)
    waves = np.rint(waves / whole) * whole
    return (_DCT.T @ (waves.reshape(-1, 8) @ _DCT).reshape(h // 8, 8, w)).reshape(h, w)
