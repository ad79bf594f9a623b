# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that needs nothing but Blender: numpy alone, offline, a mesh within seconds."""

from dataclasses import replace

from ..foreground.draft import cut_out
from ..geometry.draft import build
from ..mesh.finish import FACES, finish
from ..mesh.rim import inset
from ..normals.draft import estimate
from ..stage_types import Cutout, Mesh, Picture, Report
from ..wire.messages import Setting
from .engine import Engine, Stage


def _cut_out(picture: Picture, *, resolution: int, report: Report) -> Cutout:
    return cut_out(picture, resolution, report)


def _finish(mesh: Mesh, cutout: Cutout, *, faces: int, report: Report) -> Mesh:
    return finish(replace(mesh, uv=inset(mesh.uv, cutout.alpha)), cutout.crop, report, faces=faces)


def _always_there() -> str:
    return ""


DRAFT = Engine(
    name="draft",
    label="Draft",
    description="Inflates the outline to a closed body in seconds, on any computer, offline",
    needs_gpu=False,
    missing=_always_there,
    settings=(
        Setting(
            name="resolution",
            label="Resolution",
            description="Side of the square, in pixels, in which the object is worked out. Finer takes longer",
            default=512,
            minimum=64,
            maximum=1024,
        ),
        Setting(
            name="thickness",
            label="Thickness",
            description="How far the back reaches behind the outline, relative to what the seed draws",
            default=1.0,
            minimum=0.3,
            maximum=2.5,
        ),
        Setting(
            name="profile",
            label="Profile",
            description="How the back rounds off, relative to the seed's draw: lower is fuller, higher more pointed",
            default=1.0,
            minimum=0.6,
            maximum=1.4,
        ),
        Setting(
            name="faces",
            label="Faces",
            description="How many triangles the mesh may have at most. Edges and outline are kept",
            default=FACES,
            minimum=1_000,
            maximum=180_000,
        ),
    ),
    stages=(
        Stage("foreground", "Cutting out", ("picture",), ("resolution",), _cut_out),
        Stage("normals", "Estimating normals", ("foreground",), (), estimate),
        Stage("geometry", "Building the surface", ("normals",), ("seed", "thickness", "profile"), build),
        Stage("finish", "Finishing", ("geometry", "foreground"), ("faces",), _finish),
    ),
)
