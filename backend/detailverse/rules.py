# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects are kept by rules alone, and why others are not. The thresholds are ours: none are published."""

from collections.abc import Mapping
from typing import Any

from .geometry import sharp_edges

ANGLE = 30
"""Degrees from which an edge counts as sharp: what Blender's selection of sharp edges begins with."""


_LARGEST = 0.95  # of the area: parts of one object touch in meshes of voxels
_THIN = 0.02  # of the largest extent: a sheet has no back
_EMPTY = 0.01  # of the faces
_VOLUME = 0.002  # of the box
_COVERAGE = 0.04  # of the views
_ENTROPY = 3.0  # bits: a cube from four sides has less
_SHARP = 300  # edges of `ANGLE` degrees or more


def reasons(measures: Mapping[str, Any]) -> list[str]:
    """Why an object is not kept, by what was measured (`geometry.Geometry`, `measures`); empty if it is.

    open: not closed. wound: neighbours are wound differently. parts: not one body. flat: a sheet. degenerate: too many
    faces without area. hollow: it encloses nothing, or is inside out. small: it covers too little of its views.
    plain: without detail, by its normals' directions or its sharp edges.
    """
    found = {
        "open": not measures["closed"],
        "wound": not measures["wound"],
        "parts": measures["largest"] < _LARGEST,
        "flat": measures["thin"] < _THIN,
        "degenerate": measures["empty"] > _EMPTY,
        "hollow": measures["volume"] < _VOLUME,
        "small": measures["coverage"] < _COVERAGE,
        "plain": measures["entropy"] < _ENTROPY or sharp_edges(measures["dihedral"], ANGLE) < _SHARP,
    }
    return [reason for reason, applies in found.items() if applies]
