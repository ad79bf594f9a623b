# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines share behind their surfaces: the last stages, and settings that mean the same for all."""

from ..flow.settings import Setting
from ..flow.stage import Stage
from .place import place
from .project import project

FACES = Setting(
    name="faces",
    label="Faces",
    description="How many triangles the mesh may have at most. Edges and outline are kept",
    default=100_000,
    minimum=1_000,
    maximum=1_000_000,
)

UPRIGHT = Setting(
    name="upright",
    label="Upright",
    description="Turn the object so that it stands, if it is clear enough what is up",
    default=True,
    advanced=True,
)

IN_THE_SCENE = (
    Stage("place", "Placing", "mesh", ("mesh",), (), place),
    Stage("project", "Laying the picture on", "mesh", ("mesh", "cutout"), (), project),
)
"""From a mesh whose UVs lie in the cut-out to one that stands on the floor, with the picture on it."""
