# SPDX-License-Identifier: GPL-3.0-or-later
"""Divides objects of different sizes into groups of similar load."""

from collections.abc import Sequence


def balanced(loads: Sequence[int], groups: int) -> list[list[int]]:
    """The indices of `loads` in so many groups: the largest first, each to the group with the least load so far.

    A group is empty if there are fewer objects than groups.
    """
    found: list[list[int]] = [[] for _ in range(groups)]
    for index in sorted(range(len(loads)), key=lambda i: -loads[i]):
        min(found, key=lambda group: sum(loads[i] for i in group)).append(index)
    return found
