# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose for every external engine that gives meshes, beside what its file declares."""

from ...flow.settings import Setting
from ...mesh.stages import FACES
from ...texture.stages import COLOURS, NORMAL_TEXTURE, REMOVE_LIGHT

OWN_COLOURS = Setting(
    name="own_colours",
    label="Own Colours",
    description="Keep the image that the program gives to the mesh, if it gives any. Otherwise the mesh gets the "
    "picture's colours",
    default=True,
)

SETTINGS = (OWN_COLOURS, COLOURS, REMOVE_LIGHT, NORMAL_TEXTURE, FACES)
