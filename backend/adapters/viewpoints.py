# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras that may have taken the picture of a mesh: as numbers, and as a JSON file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.outputs import check_output, writing
from ..flow.products import Picture, Viewpoints
from ..wire import products as wire
from .adapter import Adapter

_SUFFIX = ".json"


def _to_wire(viewpoints: Viewpoints) -> wire.Viewpoints:
    found = viewpoints.found
    return wire.Viewpoints(
        fits=viewpoints.fits,
        scores=tuple(each.score for each in found),
        outlines=tuple(each.outline for each in found),
        azimuths=tuple(each.azimuth for each in found),
        elevations=tuple(each.elevation for each in found),
        rolls=tuple(each.roll for each in found),
        distances=tuple(each.distance for each in found),
        fovs=tuple(float(each.camera.fov) for each in found),
        widths=tuple(float(each.camera.width) for each in found),
        matrices=np.stack([each.camera.matrix for each in found]).astype(np.float32),
    )


def _check_path(path: Path, *_kept: Path) -> None:
    check_output(path, (_SUFFIX,), "list of cameras")


def _about(viewpoints: Viewpoints) -> Mapping[str, Any]:
    """The cameras in words that JSON has; `cameras` are as `--camera` reads them."""
    described = [
        {
            "matrix": each.camera.matrix.tolist(),
            "fov": each.camera.fov,
            "width": each.camera.width,
            "azimuth": round(each.azimuth, 3),
            "elevation": round(each.elevation, 3),
            "roll": round(each.roll, 3),
            "distance": each.distance,
            "score": round(each.score, 4),
            "outline": round(each.outline, 4),
        }
        for each in viewpoints.found
    ]
    return {"fits": viewpoints.fits, "cameras": described}


def _write(path: Path, viewpoints: Viewpoints, _picture: Picture) -> None:
    with writing(path) as file:
        file.write(json.dumps(_about(viewpoints), indent=1).encode())


ADAPTER = Adapter("viewpoints", Viewpoints, None, _to_wire, _check_path, _write, _SUFFIX, _about)
