# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of meshes that mean the same for all engines."""

from ..flow.settings import Setting

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
