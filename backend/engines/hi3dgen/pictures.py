# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as the networks see them, and normal maps as the networks make and read them, to the bit as published.

The networks' x points to the left, ours to the right. It is turned in this module, on both ways, and nowhere else.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...arrays import Float32Array
from ...flow.products import Cutout, NormalMap, Picture, Report
from ...models import imagenet
from ...models.image_tokens import SIDE
from ...models.normal_estimator import Estimator, predict

RESOLUTION = 768  # pixels of the longer side that the normal estimator works at
_MULTIPLE = 64  # both sides are rounded to it
_PICTURE_SIDE = 1024  # pixels of the picture of the normal map
_HALF = 128.5 / 255  # between the 8-bit alpha that is still background and the first that is not


def estimate(estimator: Estimator, cutout: Cutout, report: Report, device: torch.device | None = None) -> NormalMap:
    """The normals of what the cut-out shows, with `RESOLUTION` pixels along the longer side.

    The normals are the object's if the alpha is over a half. `device` is as in `predict`. Raises UserError if the
    networks compute non-finite numbers; errors of `report` pass through.
    """
    colours, alpha = estimator_input(cutout.rgba)
    normals = predict(estimator, torch.tensor(colours), report, device)
    return to_normal_map(normals.numpy(), alpha)


def estimator_input(rgba: Picture, resolution: int = RESOLUTION) -> tuple[Picture, Picture]:
    """What the estimator sees of a picture uint8 (H, W, 4): colours over white, uint8 (h, w, 3), and the alpha (h, w).

    The longer side is `resolution`. Both are rounded to multiples of 64, so the proportions change a little.
    """
    image = Image.fromarray(rgba)
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    over_white = Image.composite(image, white, image).convert("RGB")
    scale = resolution / max(image.size)
    width, height = (max(1, round(side * scale / _MULTIPLE)) * _MULTIPLE for side in image.size)
    colours = over_white.resize((width, height), Image.Resampling.LANCZOS)
    alpha = image.getchannel("A").resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(colours), np.asarray(alpha)


def to_normal_map(normals: Float32Array, alpha: Picture) -> NormalMap:
    """A normal map from the estimator's unit normals float32 (h, w, 3), x to the left, and the alpha uint8 (h, w)."""
    return NormalMap(normals * np.array([-1, 1, 1], np.float32), alpha.astype(np.float32) / 255)


def to_picture(normal_map: NormalMap, size: tuple[int, int] = (_PICTURE_SIDE, _PICTURE_SIDE)) -> Picture:
    """The normal map as the networks learned to see it: uint8 (H, W, 3), x to the left, white if alpha is at most half.

    `size` is (W, H). The map becomes 8-bit at its own size, truncated and not rounded, and is then resampled.
    """
    values = np.where(normal_map.alpha[..., None] > _HALF, normal_map.normals * (-1, 1, 1), 1).clip(-1, 1)
    pixels = ((values.astype(np.float32) + 1) / 2 * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def to_pixels(picture: Picture, side: int = SIDE) -> Tensor:
    """A picture uint8 (H, W, 3) for `image_tokens`: float32 (1, 3, side, side), ImageNet's mean 0 and deviation 1.

    side: that of the pictures that the network has learned from, the published one's by default.
    """
    resized = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
    pixels = torch.from_numpy(resized.astype(np.float32) / 255).movedim(-1, 0)
    mean, deviation = (torch.tensor(colour)[:, None, None] for colour in (imagenet.MEAN, imagenet.DEVIATION))
    return ((pixels - mean) / deviation)[None]
