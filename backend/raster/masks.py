# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike two masks are."""

from ..arrays import BoolArray


def overlap(one: BoolArray, other: BoolArray) -> float:
    """Return the intersection over the union of two masks of one shape, in [0, 1]; NaN if both are empty."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else float("nan")
