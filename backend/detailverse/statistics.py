# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of objects in numbers, beside those that are published of DetailVerse and Objaverse-XL."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .geometry import sharp_edges

PUBLISHED: tuple[dict[str, Any], ...] = (
    {"set": "DetailVerse, published", "objects": 700_000, "sharp_edges_mean": 45_773, "sharp_edges_median": 14_521},
    {"set": "Objaverse-XL, published", "objects": None, "sharp_edges_mean": 1_119, "sharp_edges_median": 355},
)
"""Of Hi3DGen's paper (arXiv 2503.22236). The angle from which it counts an edge as sharp is not published."""
_COLUMNS = {
    "set": "set",
    "objects": "objects",
    "sharp_edges_mean": "sharp edges, mean",
    "sharp_edges_median": "median",
    "vertices_mean": "vertices, mean",
    "vertices_median": "median",
    "faces_mean": "faces, mean",
    "faces_median": "median",
}


def table(sets: Mapping[str, Sequence[Mapping[str, Any]]], angle: int) -> list[dict[str, Any]]:
    """A row for each set of measured objects, by the set's name, and the published ones; empty sets are left out.

    angle: whole degrees between two faces' normals from which an edge is sharp.
    """
    rows: list[dict[str, Any]] = []
    for name, objects in sets.items():
        if not objects:
            continue
        row: dict[str, Any] = {"set": name, "objects": len(objects)}
        numbers = {
            "sharp_edges": [sharp_edges(each["dihedral"], angle) for each in objects],
            "vertices": [each["vertices"] for each in objects],
            "faces": [each["faces"] for each in objects],
        }
        for what, values in numbers.items():
            row |= {f"{what}_mean": round(float(np.mean(values))), f"{what}_median": round(float(np.median(values)))}
        rows.append(row)
    return [*rows, *PUBLISHED]


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table for people."""
    cells = [[*_COLUMNS.values()], ["---", *["---:"] * (len(_COLUMNS) - 1)]]
    cells += [[_shown(row.get(column)) for column in _COLUMNS] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table for spreadsheets; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_COLUMNS], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _shown(value: object) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else str(value)
