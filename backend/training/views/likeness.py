# SPDX-License-Identifier: GPL-3.0-or-later
"""How like a true view a picture is: PSNR and SSIM, over the whole picture on white and over the object's own pixels.

On white is how tables of papers measure: white around the object is compared, too, and agrees for nothing, so that an
object that fills little of its picture gets high numbers. Over the object's own pixels nothing else counts: these are
those in which the true view's alpha is at least a half, seen on white in both pictures.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float64Array
from ...errors import UserError
from ...flow.products import Picture

WINDOW = 11  # pixels a side
_DEVIATION = 1.5  # pixels, of the window's Gaussian
_C1, _C2 = 0.01**2, 0.03**2
_ROUNDING = 1 / 255**2 / 12  # the mean square of what rounding to 8 bits takes away


class Likeness(NamedTuple):
    """What is measured of a view, all of it higher if it is more alike; NaN is no number.

    psnr, object_psnr: in dB, at most 58.9. ssim, object_ssim: at most 1. clip: the cosine of the angle between CLIP's
    embeddings, at most 1.
    """

    psnr: float
    ssim: float
    object_psnr: float
    object_ssim: float
    clip: float = math.nan


def compare(truth: Picture, prediction: Picture) -> Likeness:
    """Measure a picture against a true one of the same shape. `clip` is left open.

    Raises `UserError` if the truth's alpha does not say what the object is, or if the pictures are too small.
    """
    inside = object_of(truth)
    true, found = on_white(truth), on_white(prediction)
    alike = similarity(true, found)
    around = WINDOW // 2
    seen = inside[around:-around, around:-around]
    error = (true - found) ** 2
    return Likeness(
        psnr=psnr(float(error.mean())),
        ssim=float(alike.mean()),
        object_psnr=psnr(float(error[inside].mean())),
        object_ssim=float(alike[seen].mean()) if seen.any() else math.nan,
    )


def mean(scores: Iterable[Likeness]) -> Likeness:
    """The mean of each number over the views that have it; NaN if none has."""
    columns = zip(*scores, strict=True)
    known = [[number for number in column if not math.isnan(number)] for column in columns]
    return Likeness(*(math.fsum(column) / len(column) if column else math.nan for column in known or [[]] * 5))


def object_of(truth: Picture) -> BoolArray:
    """The object's own pixels of a true view, bool (H, W). Raises `UserError` if alpha does not tell them."""
    if min(truth.shape[:2]) < WINDOW:
        sentence = f"A true view of {truth.shape[1]} x {truth.shape[0]} pixels is too small to be measured."
        raise UserError("bad-truth", sentence, f"Use views of at least {WINDOW} pixels a side.")
    inside = truth[..., 3] >= 128
    if (truth[..., 3] == 255).all():
        sentence = "A true view has no transparency, so that it does not tell what the object is."
        raise UserError("bad-truth", sentence, "Render it before nothing, and save it as PNG with alpha.")
    if not inside.any():
        raise UserError("bad-truth", "A true view shows nothing of the object.", "Leave it out, or render it again.")
    return inside


def on_white(picture: Picture) -> Float64Array:
    """A picture as it is seen on white, sRGB in [0, 1], float64 (H, W, 3); mixed in sRGB, as those of papers are."""
    alpha = picture[..., 3:] / 255.0
    return picture[..., :3] / 255.0 * alpha + (1.0 - alpha)


def psnr(error: float) -> float:
    """The peak signal-to-noise ratio, in dB, of a mean squared error of colours in [0, 1].

    An error below that of rounding to 8 bits counts as that, 58.9 dB, as pictures of 8 bits cannot be told to be more
    alike; so equal pictures have a number.
    """
    return -10.0 * math.log10(max(error, _ROUNDING))


def similarity(one: Float64Array, other: Float64Array) -> Float64Array:
    """The structural similarity (SSIM) around each pixel, float64 (H - 10, W - 10, C), at most 1.

    Of each channel in [0, 1] by itself, float64 (H, W, C): Wang, Bovik, Sheikh and Simoncelli, “Image Quality
    Assessment: From Error Visibility to Structural Similarity”, 2004, section III-B and C, with its Gaussian window of
    11 pixels and 1.5 pixels' deviation, K1 = 0.01 and K2 = 0.03; windows lie wholly in the picture.
    """
    mean_one, mean_other = _local(one), _local(other)
    variances = _local(one**2) - mean_one**2 + _local(other**2) - mean_other**2
    covariance = _local(one * other) - mean_one * mean_other
    alike = (2 * mean_one * mean_other + _C1) * (2 * covariance + _C2)
    return alike / ((mean_one**2 + mean_other**2 + _C1) * (variances + _C2))


def _local(picture: Float64Array) -> Float64Array:
    """The means under the Gaussian window."""
    places = np.arange(WINDOW) - WINDOW // 2
    bell = np.exp(-(places**2) / (2 * _DEVIATION**2))
    bell /= bell.sum()
    for _ in range(2):  # rows, then columns
        length = len(picture) - WINDOW + 1
        rows = sum(weight * picture[first : first + length] for first, weight in enumerate(bell))
        picture = np.asarray(rows, np.float64).swapaxes(0, 1)
    return picture
