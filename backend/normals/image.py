# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal maps as pictures, which artists see and edit.

As a picture, a normal map shows the same frame as the picture that it belongs to, pixel for pixel, and is white outside
the object: rgb = (n + 1) / 2 * 255 with x right, y up, z to the viewer (OpenGL).
"""

import math

import numpy as np

from ..arrays import Float32Array
from ..errors import UserError
from ..flow.products import Crop, Cutout, NormalMap, Picture, Report
from ..raster.frame import same_frame
from ..raster.resample import Window, paste_back_normals, resample
from ..raster.vectors import TO_VIEWER, unit

OWN_NORMAL_MAP = "own_normal_map"
"""The input that brings the artist's own normal map."""

MAX_SIDE = 4096
STRIP_ROWS = 32  # of the result
KERNEL_REACH = 3  # rows beyond a strip that resampling needs, of the result or of the map, whichever are larger


def to_picture(normal_map: NormalMap) -> Picture:
    """Return a normal map over white in the frame of the whole picture, uint8 (H, W, 3).

    It has the picture's size, or a smaller one if the map is coarser than the picture; at most 4096 pixels a side. A
    map without a crop already has that frame.
    """
    crop = normal_map.crop
    whole = in_picture(normal_map, crop and _shape_in_picture(normal_map, crop))
    alpha = whole.alpha[..., None]
    over_white = (whole.normals * 0.5 + 0.5) * alpha + (1.0 - alpha)
    return np.rint(over_white * 255.0).astype(np.uint8)


def in_picture(normal_map: NormalMap, shape: tuple[int, int] | None = None) -> NormalMap:
    """Return the map in the whole picture's frame, at the picture's resolution or as `shape` (rows, columns).

    A map without a crop already has that frame and stays as it is.
    """
    return normal_map if normal_map.crop is None else paste_back_normals(normal_map, normal_map.crop, shape)


def _shape_in_picture(normal_map: NormalMap, crop: Crop) -> tuple[int, int]:
    longest = max(crop.picture_width, crop.picture_height)
    scale = min(1.0, normal_map.alpha.shape[0] / crop.side, MAX_SIDE / longest)
    return max(1, round(crop.picture_height * scale)), max(1, round(crop.picture_width * scale))


def from_picture(cutout: Cutout, pixels: Picture, report: Report) -> NormalMap:
    """Return the artist's own normal map in the cut-out's frame, with the cut-out's alpha.

    pixels: uint8 (H, W, 4), the same view as the picture at any resolution; its alpha is ignored.
    Raises UserError "bad-normal-map" if its aspect ratio differs from the picture's, or if most normals on the object
    face away from the viewer.
    """
    height, width = pixels.shape[:2]
    crop = cutout.crop
    if not same_frame((height, width), (crop.picture_height, crop.picture_width)):
        shape = f"{crop.picture_width} x {crop.picture_height}"
        sentence = f"The normal map ({width} x {height}) does not have the shape of the picture ({shape})."
        raise UserError("bad-normal-map", sentence, "Give a normal map of the same view, at any resolution.")
    x, y = width / crop.picture_width, height / crop.picture_height
    window = (crop.left * x, crop.top * y, crop.side * x, crop.side * y)
    normals = _without_white(_values(pixels, window, len(cutout.rgba), report), cutout.alpha)
    inside = cutout.alpha > 0.5
    if inside.any() and np.median(normals[inside][:, 2]) <= 0.0:
        sentence = "The normal map's blue does not point to the viewer, so it is no camera-space normal map."
        advice = "Give a map whose red is right, green is up, blue is to the viewer."
        raise UserError("bad-normal-map", sentence, advice)
    return NormalMap(normals, cutout.alpha, cutout.crop)


def _values(pixels: Picture, window: Window, size: int, report: Report) -> Float32Array:
    """Return a window of a map as values in [-1, 1], float32 (size, size, 3), white beyond the map's border.

    Works in strips, as the largest maps would take gigabytes as floats.
    """
    left, top, width, height = window
    scale = height / size
    reach = KERNEL_REACH * max(scale, 1.0)
    strips: list[Float32Array] = []
    for first in range(0, size, STRIP_ROWS):
        report(first, size)
        rows = min(STRIP_ROWS, size - first)
        upper, lower = top + first * scale, top + (first + rows) * scale
        start = min(max(math.floor(upper - reach), 0), len(pixels) - 1)
        stop = max(min(math.ceil(lower + reach), len(pixels)), start + 1)
        values = pixels[start:stop, :, :3].astype(np.float32) / np.float32(127.5) - np.float32(1.0)
        strips.append(resample(values, (left, upper - start, width, rows * scale), (rows, size), fill=1.0))
    return np.concatenate(strips)


def _without_white(values: Float32Array, alpha: Float32Array) -> Float32Array:
    """Return unit normals, float32 (H, W, 3), of a map's values in [-1, 1]; (0, 0, 1) where alpha is 0.

    Along the outline a map may be blended with the white around it, n a + (1 - a), or not. Of the two readings, the one
    whose length is nearer to 1 is taken.
    """
    cover = alpha[..., None]
    unblended = (values - (1.0 - cover)) / np.maximum(cover, 0.25)
    plain_length, unblended_length = (np.linalg.norm(n, axis=-1, keepdims=True) for n in (values, unblended))
    blended = np.abs(unblended_length - 1.0) < np.abs(plain_length - 1.0)
    normals = np.where(blended, unblended, values)
    normals[alpha <= 0.0] = TO_VIEWER
    return unit(normals, TO_VIEWER, least=1e-3)
