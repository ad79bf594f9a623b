# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen."""

from ...flow.settings import Setting
from ...mesh.stages import FACES
from ...texture.stages import IMAGE_SIZE

CELLS = Setting(
    name="cells",
    label="Cells",
    description="How many cells the grid has along the object's longest side. Twice as many take about four times as "
    "long and show detail half as large",
    default=96,
    minimum=16,
    maximum=256,
)
STEPS = Setting(
    name="steps",
    label="Steps",
    description="Steps in which the grid is fitted to the views, at each resolution. With 0 the mesh is the visual "
    "hull: what the outlines alone tell",
    default=200,
    minimum=0,
    maximum=2000,
)
BETWEEN = Setting(
    name="between",
    label="Extra Views",
    description="How many views are drawn between each two neighbouring ones, by 3D Gaussians that are fitted to the "
    "views, as further hints of the shape. With 0, and between views that are less than 30 degrees apart, there are "
    "none",
    default=2,
    minimum=0,
    maximum=4,
)
SETTINGS = (
    CELLS,
    STEPS,
    BETWEEN,
    FACES,
    IMAGE_SIZE,
)
