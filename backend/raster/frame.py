# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two pictures, of any sizes, can show the same frame."""

_TOLERANCE = 0.01  # of the proportions


def same_frame(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether pictures of these shapes, rows and columns first, have the same proportions, up to whole pixels."""
    height, width = shape[:2]
    y, x = height / other[0], width / other[1]
    # By so many pixels the first is too wide or too high; one pixel along the shorter side may come from rounding.
    beside = min(abs(x - y) * other[1] - _TOLERANCE * width, abs(x - y) * other[0] - _TOLERANCE * height)
    return beside <= 1.0
