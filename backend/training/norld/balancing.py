# SPDX-License-Identifier: GPL-3.0-or-later
"""Divides objects of different sizes into groups of similar load."""

from collections.abc import Sequence


def balanced(loads: Sequence[int], groups: int, *, equal: bool = False) -> list[list[int]]:
    """The indices of `loads` in so many groups: the largest first, each to the group with the least load so far.

    equal: all groups have as many objects, as several processes need it. Without it a group may be empty if there are
    fewer objects than groups. Raises ValueError if equal groups do not come out even.
    """
    if equal and len(loads) % groups:
        raise ValueError(f"{len(loads)} objects do not make {groups} equal groups")
    found: list[list[int]] = [[] for _ in range(groups)]
    most = len(loads) // groups if equal else len(loads)
    for index in sorted(range(len(loads)), key=lambda i: -loads[i]):
        free = [group for group in found if len(group) < most]
        min(free, key=lambda group: sum(loads[i] for i in group)).append(index)
    return found
