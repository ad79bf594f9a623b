# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen."""

from ...flow.settings import Option, Setting
from ...mesh.stages import FACES

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
SETTINGS = (
    CELLS,
    STEPS,
    FACES,
    Setting(
        name="image_size",
        label="Image Size",
        description="The largest that the image of the colours may become, in pixels a side. It is only as large as "
        "the views need",
        default="2048",
        options=(
            Option("1024", "1024 px", "At most 1024 pixels a side"),
            Option("2048", "2048 px", "At most 2048 pixels a side"),
            Option("4096", "4096 px", "At most 4096 pixels a side"),
        ),
        advanced=True,
    ),
)
