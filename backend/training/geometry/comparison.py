# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of predicted bodies beside the true ones: by them it is seen what the numbers do not say."""

import numpy as np

from ...arrays import UInt8Array
from ...flow.products import Picture
from ...raster.resample import crop_resize, shrink
from ...raster.triangles import nearest
from ...raster.vectors import unit
from .silhouettes import on_screen, seen_from
from .triangles import Triangles, crosses

PANEL = 224
"""The side of a view in `row`, in pixels."""

HEIGHT = 2 * PANEL
"""The height of a `row`."""

_ANGLES = (0, 45, 90, 180)
_REACH = 0.65  # to every side of the middle: less than a view's, as few bodies are so wide along their diagonals
_FINER = 2  # a view is drawn so many times larger and made smaller, which smooths its edges


def row(picture: Picture, truth: Triangles, prediction: Triangles) -> Picture:
    """Show an input picture and, from 0, 45, 90 and 180 degrees, the truth above the prediction.

    picture: uint8 (H, W, 4). truth, prediction: in one frame, see `silhouettes`. The colours are normals, each view's
    own: red to the right, green up, blue to the viewer. Returns uint8 (HEIGHT, HEIGHT + 4 PANEL, 3), over white.
    """
    views = [np.concatenate([drawn(seen_from(one, angle)) for one in (truth, prediction)]) for angle in _ANGLES]
    height, width = picture.shape[:2]
    side = max(height, width)
    shown = crop_resize(picture, (width - side) / 2, (height - side) / 2, side, HEIGHT, fill=0)
    return np.concatenate([over_white(shown), *views], axis=1)


def drawn(surface: Triangles, size: int = PANEL) -> UInt8Array:
    """Draw a surface by its faces' normals, those that point away turned, uint8 (size, size, 3), over white."""
    fine = _FINER * size
    corners = on_screen(surface, fine, _REACH)
    pixel, face, _ = nearest(corners * np.array([1, 1, -1]), (fine, fine))
    normals = unit(crosses(surface.corners), least=1e-20)
    normals *= np.where(normals[:, 2:] < 0, -1, 1)
    image = np.zeros((fine * fine, 4), np.uint8)
    image[pixel, :3] = np.rint((normals[face] + 1) * 127.5)
    image[pixel, 3] = 255
    return over_white(shrink(image.reshape(fine, fine, 4), _FINER))


def over_white(picture: Picture) -> UInt8Array:
    """A picture uint8 (H, W, 4) over white, (H, W, 3)."""
    alpha = picture[..., 3:].astype(np.float64) / 255
    return np.rint(255 + (picture[..., :3] - 255.0) * alpha).astype(np.uint8)
