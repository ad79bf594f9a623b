# SPDX-License-Identifier: GPL-3.0-or-later
"""What an alpha channel means: some are noise, some are multiplied into the colours, some hold more than the object."""

from collections.abc import Iterator

import numpy as np

from ..arrays import BoolArray
from ..flow.products import Picture
from ..raster.morphology import dilated, eroded
from ..raster.ticks import Poll

_NOISE = 0.25  # correlation of neighbours; of 36 cut-outs the least is 0.95 at 512 pixels and 0.40 at 16
_BLOCKS = (4, 8, 16)  # pixels a side
_LEAST_BLOCKS = 6  # each way
_CHANCE = 5.0  # deviations of what chance does
_LEAST_SIDE = 16  # pixels; in a smaller picture chance looks like noise
_LEAST_SOLID = 0.01  # of the picture: less is a few dots, which are an object
_ROUNDING = 2  # levels by which a colour may exceed the alpha that it was multiplied by
_STEP = 8  # levels of alpha between neighbours that are compared, and
_LEAST_ALPHA = 32  # the least alpha of those: below, a quotient says little
_LESS = 0.75  # of the difference of neighbours is left if the alpha is divided out: it was multiplied in
_NEARLY = 16  # levels from 0 and from 255: a compressed mask ripples so much
_SHADOW = 0.03  # of the cut-out's side: half the height of the least shadow
_DARK = 48  # levels of the brightest channel of a shadow
_STRIP = 1 << 20  # pixels that are looked at between two polls


def is_noise(solid: BoolArray) -> bool:
    """Return whether what is solid, bool (H, W), says nothing of what is beside it, as in salt and pepper.

    The correlation of neighbours tells: it is about 1 in an object and 0 in noise, however much of that is solid. In
    a hatch or a halftone it is high between the means of blocks.
    """
    share = np.count_nonzero(solid) / solid.size
    if min(solid.shape) < _LEAST_SIDE or not _LEAST_SOLID < share < 1:
        return False
    pairs = ((solid[1:], solid[:-1]), (solid[:, 1:], solid[:, :-1]))
    differ = min(np.count_nonzero(one != other) / one.size for one, other in pairs)
    return 1 - differ / (2 * share * (1 - share)) < _NOISE and not _has_areas(solid)


def _has_areas(solid: BoolArray) -> bool:
    """Whether blocks of pixels, bool (H, W), are as solid as those beside them, beyond what chance does."""
    for side in _BLOCKS:
        rows, columns = (length // side for length in solid.shape)
        blocks = solid[: rows * side, : columns * side].reshape(rows, side, columns, side)
        means = np.count_nonzero(blocks, axis=(1, 3)) / side**2 - np.count_nonzero(blocks) / max(blocks.size, 1)
        power = float((means**2).mean()) if means.size else 0.0
        if min(rows, columns) < _LEAST_BLOCKS or power == 0:
            continue
        alike = max((means[1:] * means[:-1]).mean(), (means[:, 1:] * means[:, :-1]).mean()) / power
        if alike > max(_NOISE, _CHANCE / means.size**0.5):
            return True
    return False


def revealed(picture: Picture) -> Picture:
    """Return a picture, uint8 (H, W, 4), whose alpha is noise as an opaque one, if its hidden colours were kept."""
    if not picture[..., :3][picture[..., 3] == 0].any():
        return picture
    return np.dstack([picture[..., :3], np.full_like(picture[..., 3], 255)])


def straight(picture: Picture, poll: Poll) -> Picture:
    """Return a picture, uint8 (H, W, 4), with straight alpha: its colours are divided by it if they were multiplied.

    They were if none exceeds its alpha, and if neighbours of different alpha are more alike once it is divided out.
    """
    as_given, divided = 0.0, 0.0
    for rows in _strips(picture):
        strip = picture[rows]
        poll()
        brightest = strip[..., :3].max(axis=2)
        if (brightest > np.minimum(strip[..., 3], 255 - _ROUNDING) + _ROUNDING).any():
            return picture
        for one, other in ((strip[1:], strip[:-1]), (strip[:, 1:], strip[:, :-1])):
            least = np.minimum(one[..., 3], other[..., 3])
            compared = (np.maximum(one[..., 3], other[..., 3]) - least >= _STEP) & (least >= _LEAST_ALPHA)
            this, that = one[compared].astype(np.float64), other[compared].astype(np.float64)
            as_given += np.abs(this - that)[:, :3].sum()
            divided += 255 * np.abs(this[:, :3] / this[:, 3:] - that[:, :3] / that[:, 3:]).sum()
    if divided >= _LESS * as_given:
        return picture
    result = picture.copy()
    for rows in _strips(picture):
        poll()
        alpha = picture[rows, :, 3]
        partial = (alpha > 0) & (alpha < 255)
        pixels = picture[rows][partial].astype(np.float32)
        result[rows, :, :3][partial] = np.rint(np.minimum(255 * pixels[:, :3] / pixels[:, 3:], 255))
    return result


def object_alone(cutout: Picture, scale: float) -> Picture:
    """Return a cut-out, uint8 (S, S, 4), without what its alpha holds besides the object.

    A mask that is nearly 0 and 255 becomes so: 0 and 254, or the ripples of a compressed one. A large dark area whose
    alpha is below one half is a shadow, and goes. scale: how many pixels of the cut-out one pixel of the picture takes;
    a soft edge is as wide.
    """
    alpha = cutout[..., 3]
    nearly = ((alpha > 0) & (alpha <= _NEARLY)) | ((alpha < 255) & (alpha >= 255 - _NEARLY))
    between = (alpha > _NEARLY) & (alpha < 255 - _NEARLY)
    if nearly.sum() > between.sum():
        alpha = np.where(between, alpha, np.where(alpha > 127, np.uint8(255), np.uint8(0)))
    low = (alpha > 0) & (alpha < 128) & (cutout[..., :3].max(axis=2) <= _DARK)
    radius = round(max(_SHADOW * len(cutout), scale, 1))
    if np.count_nonzero(low) >= (2 * radius + 1) ** 2:
        alpha = np.where(low & dilated(eroded(low, radius), radius), np.uint8(0), alpha)
    return np.dstack([cutout[..., :3], alpha])


def _strips(picture: Picture) -> Iterator[slice]:
    rows = max(2, _STRIP // picture.shape[1])
    return (slice(first, first + rows) for first in range(0, len(picture), rows))
