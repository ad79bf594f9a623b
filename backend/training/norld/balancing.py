# SPDX-License-Identifier: GPL-3.0-or-later
"""Divides objects of different sizes into groups of similar load."""

from collections.abc import Sequence


def balanced(loads: Sequence[int], groups: int, most: int | None = None) -> list[list[int]]:
    """The indices of `loads` in so many groups: the largest first, each to the group with the least load so far.

    most: objects in a group, of which groups x most have to be enough for all; None for any number. A group is empty
    if there are fewer objects than groups.
    """
    found: list[list[int]] = [[] for _ in range(groups)]
    for index in sorted(range(len(loads)), key=lambda i: -loads[i]):
        open_ones = [group for group in found if most is None or len(group) < most]
        min(open_ones, key=lambda group: sum(loads[i] for i in group)).append(index)
    return found
