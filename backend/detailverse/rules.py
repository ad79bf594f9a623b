# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects are kept by rules alone, and why others are not. The thresholds are ours: none are published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .geometry import sharp_edges

ANGLE = 30
"""Degrees from which an edge counts as sharp: what Blender's selection of sharp edges begins with."""


@dataclass(frozen=True)
class Rules:
    """What an object must have, see `geometry.Geometry` and `measures`."""

    largest: float = 0.95  # of the area: parts of one object touch in meshes of voxels
    thin: float = 0.02  # a sheet has no back
    empty: float = 0.01  # of the faces
    volume: float = 0.002  # of the box
    coverage: float = 0.04  # of the views
    entropy: float = 3.0  # bits: a cube from four sides has less
    sharp: int = 300  # edges of more than `ANGLE` degrees


def reasons(measures: Mapping[str, Any], rules: Rules = Rules()) -> list[str]:
    """Why an object is not kept, by what was measured; empty if it is.

    open: not closed. wound: neighbours are wound differently. parts: not one body. flat: a sheet. degenerate: too many
    faces without area. hollow: it encloses nothing, or is inside out. small: it covers too little of its views.
    plain: without detail, by its normals' directions or its sharp edges.
    """
    found = {
        "open": not measures["closed"],
        "wound": not measures["wound"],
        "parts": measures["largest"] < rules.largest,
        "flat": measures["thin"] < rules.thin,
        "degenerate": measures["empty"] > rules.empty,
        "hollow": measures["volume"] < rules.volume,
        "small": measures["coverage"] < rules.coverage,
        "plain": measures["entropy"] < rules.entropy or sharp_edges(measures["dihedral"], ANGLE) < rules.sharp,
    }
    return [reason for reason, applies in found.items() if applies]
