# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions of the small external engine, for the tests that need it."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.external.description import Description, read_description
from backend.flow.products import Crop, Cutout

PROGRAM = Path(__file__).with_name("external_engine.py")
SETTINGS = [
    {"name": "height", "label": "Height", "kind": "number", "default": 1.0, "minimum": 0.1, "maximum": 4.0},
    {"name": "painted", "label": "Painted", "kind": "switch", "default": True},
    {"name": "title", "label": "Title", "kind": "text", "default": "", "maximum": 20},
    {"name": "way", "label": "Way", "kind": "text", "default": "well", "maximum": 20, "advanced": True},
]
BOX: dict[str, Any] = {
    "version": 1,
    "label": "Box",
    "description": "A box in two colours.",
    "command": [sys.executable, str(PROGRAM)],
    "gpu": False,
    "time_limit": 60,
    "limits": "Not for use on the moon",
    "licence": "GPL-3.0-or-later",
    "licence_url": "https://example.org/licence",
    "settings": SETTINGS,
}


def describe(user: Path, name: str = "box", **changes: Any) -> Path:
    """Write a description into the folder `user`; a change to None leaves the field out."""
    path = user / "external" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    document = {key: value for key, value in {**BOX, **changes}.items() if value is not None}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def box(user: Path, **changes: Any) -> Description:
    """A description that was written and read."""
    return read_description(describe(user, **changes), frozenset({"faces"}))


def cutout() -> Cutout:
    """A cut-out of 8 pixels a side, out of a picture of 16."""
    rgba = np.full((8, 8, 4), (200, 100, 50, 255), np.uint8)
    rgba[:2, :, 3] = 0
    return Cutout(rgba, Crop(4, 4, 8, 16, 16))
