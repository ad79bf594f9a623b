# SPDX-License-Identifier: GPL-3.0-or-later
"""The hi3dgen engine's foreground: the picture's own transparency, or else a mask from a segmentation network.

There are two ways to a cut-out. `cut_out` frames the object once, in the middle of its square, and leaves its colours
as they are. `cut_out_as_upstream` does to the bit what upstream Hi3DGen does, for those who want exactly its mesh: it
cuts the square off at the picture's border, multiplies the colours by the alpha, and does all of it twice, so that soft
edges darken. The caller provides the function that finds a mask.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...arrays import Float32Array
from ...errors import UserError
from ...flow.products import Crop, Cutout, Picture, Report
from ...foreground import cut_out as shared
from ...foreground.framing import MARGIN
from ...models import imagenet

MaskOf = Callable[[Picture], NDArray[np.uint8]]
"""From colours, uint8 (H, W, 3), to how likely each pixel is the object: uint8 (H, W), 0 to 255."""

Logits = Callable[[Float32Array], Float32Array]
"""A segmentation network: from float32 (1, 3, 1024, 1024), normalised, to log-odds float32 (1024, 1024)."""

SIDE = 1024  # pixels of the cut-out, and of what BiRefNet sees
_SURE = 0.8 * 255  # alpha above which a pixel counts for upstream's frame
_MEAN, _DEVIATION = (np.array(colour, np.float32) for colour in (imagenet.MEAN, imagenet.DEVIATION))


def cut_out(picture: Picture, size: int, mask_of: MaskOf, report: Report, notes: list[str] | None = None) -> Cutout:
    """Cuts the object out of a picture and centres it in a square of size x size pixels.

    picture: uint8 (H, W, 4), sRGB, straight alpha. If the alpha separates nothing (see `is_opaque`), `mask_of` gives
    another. notes: to it is added what may be wrong. Raises UserError if there is no object in the picture.
    """
    if shared.is_opaque(picture):
        picture = np.dstack([picture[..., :3], mask_of(picture[..., :3])])
        if picture[..., 3].max(initial=0) < 128:
            raise _nothing()
    return shared.cut_out_by_alpha(picture, size, report, notes)


def cut_out_as_upstream(picture: Picture, size: int, mask_of: MaskOf, report: Report) -> Cutout:
    """The cut-out of upstream's demo: `preprocess` twice. Arguments and errors are those of `cut_out`."""
    report(0, 2)
    first = preprocess(picture, size, mask_of)
    report(1, 2)
    if first.square is None:
        raise _nothing()
    second = preprocess(first.pixels, size, mask_of)
    if second.square is None:
        raise _nothing()
    report(2, 2)
    (left, top, side), (inner_left, inner_top, inner_side) = first.square, second.square
    scale = side / size
    height, width = picture.shape[:2]
    crop = Crop(left + inner_left * scale, top + inner_top * scale, inner_side * scale, width, height)
    return Cutout(second.pixels, crop)


@dataclass(frozen=True)
class Preprocessed:
    """The result of upstream's preprocessing.

    pixels: uint8 (size, size, 4), colours times alpha. square: their place in the given picture: left, top and side in
    its pixels. If nothing or only a speck is opaque, pixels are the colours alone (H, W, 3), and there is no square.
    """

    pixels: Picture
    square: tuple[float, float, float] | None


def preprocess(picture: Picture, size: int, mask_of: MaskOf) -> Preprocessed:
    """Upstream's preprocessing, once, equal to its result in every bit.

    picture: uint8 (H, W, 3 or 4). If no alpha is below 255, it is shrunk to at most 1024 pixels, and the object is
    where `mask_of` is over 128.
    """
    image, shrunk = Image.fromarray(picture), 1.0
    if picture.shape[2] == 3 or picture[..., 3].min(initial=255) == 255:
        image, shrunk = _masked(image.convert("RGB"), mask_of)
    alpha = np.asarray(image)[..., 3]
    rows, columns = np.nonzero(alpha > _SURE)
    if len(rows) == 0 or max(np.ptp(rows), np.ptp(columns)) < 2:  # upstream's crop would be empty
        return Preprocessed(np.asarray(image.convert("RGB")), None)
    box = _clamped_box(rows, columns, image.size)
    square, offset = _padded(image.crop(box))
    resized = np.asarray(square.resize((size, size), Image.Resampling.LANCZOS)).astype(np.float32) / 255
    resized[..., :3] *= resized[..., 3:]
    frame = (box[0] - offset[0], box[1] - offset[1], square.width)
    left, top, side = (value / shrunk for value in frame)
    return Preprocessed((resized * 255).astype(np.uint8), (left, top, side))


def mask_by_birefnet(colours: Picture, logits: Logits) -> NDArray[np.uint8]:
    """The mask that BiRefNet (Zheng et al. 2024) finds: uint8 (H, W) for colours uint8 (H, W, 3).

    The network sees the picture squeezed to a square; its answer is resampled to the picture's size. The mask is soft;
    upstream makes it binary, over 128.
    """
    image = Image.fromarray(colours)
    seen = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)).astype(np.float32) / 255
    answer = logits(np.moveaxis((seen - _MEAN) / _DEVIATION, -1, 0)[None])
    likely = 1 / (1 + np.exp(-answer.astype(np.float64)))
    mask = Image.fromarray((likely.astype(np.float32) * 255).astype(np.uint8))
    return np.asarray(mask.resize(image.size, Image.Resampling.BICUBIC))


def _masked(image: Image.Image, mask_of: MaskOf) -> tuple[Image.Image, float]:
    shrunk = min(1.0, SIDE / max(image.size))
    if shrunk < 1:
        size = (int(image.width * shrunk), int(image.height * shrunk))
        image = image.resize(size, Image.Resampling.LANCZOS)
    image.putalpha(Image.fromarray(np.where(mask_of(np.asarray(image)) > 128, 255, 0).astype(np.uint8)))
    return image, shrunk


def _clamped_box(
    rows: NDArray[np.int64], columns: NDArray[np.int64], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The square around the object, `MARGIN` times its longer side, cut off at the picture's border."""
    left, top, right, bottom = columns.min(), rows.min(), columns.max(), rows.max()
    half = int(max(right - left, bottom - top) * MARGIN) // 2
    x, y = (left + right) / 2, (top + bottom) / 2
    width, height = size
    return max(0, int(x - half)), max(0, int(y - half)), min(width, int(x + half)), min(height, int(y + half))


def _padded(image: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The image in the middle of a transparent square, and by how much it moved."""
    side = max(image.size)
    offset = ((side - image.width) // 2, (side - image.height) // 2)
    square = Image.new("RGBA", (side, side))
    square.paste(image, offset)
    return square, offset


def _nothing() -> UserError:
    advice = "Make the object large and opaque, and everything around it transparent."
    return UserError("no-object", "No object was found in the picture.", advice)
