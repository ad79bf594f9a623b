# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that needs nothing but Blender: numpy alone, offline, a mesh within seconds."""

from dataclasses import replace

from ...flow.engine import Engine, Stage
from ...flow.products import Cutout, Mesh, Picture, Report
from ...foreground.cut_out import cut_out
from ...mesh.finish import finish
from ...mesh.rim import inset
from ...wire.settings import DRAFT_SETTINGS
from .geometry import build
from .normals import estimate


def _cut_out(picture: Picture, *, resolution: int, report: Report) -> Cutout:
    return cut_out(picture, resolution, report)


def _finish(mesh: Mesh, cutout: Cutout, *, faces: int, report: Report) -> Mesh:
    return finish(replace(mesh, uv=inset(mesh.uv, cutout.alpha)), cutout.crop, report, faces=faces)


def _always_there() -> str:
    return ""


DRAFT = Engine(
    name="draft",
    label="Draft",
    description="Estimates the surface with a small network in seconds, on any computer, offline",
    needs_gpu=False,
    missing=_always_there,
    settings=DRAFT_SETTINGS,
    stages=(
        Stage("foreground", "Cutting out", ("picture",), ("resolution",), _cut_out),
        Stage("normals", "Estimating normals", ("foreground",), (), estimate),
        Stage("geometry", "Building the surface", ("normals",), ("seed", "thickness", "profile"), build),
        Stage("finish", "Finishing", ("geometry", "foreground"), ("faces",), _finish),
    ),
)
