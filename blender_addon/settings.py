# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines' settings as Blender's properties: in the panel, and as the operator's arguments.

Blender must know them before the backend runs. What a setting may be is the engine's matter, so a test compares this
page with what the engines say; the panel shows those that the chosen engine has.
"""

from typing import Any

RESOLUTION: dict[str, Any] = {
    "name": "Resolution",
    "description": "Side of the square, in pixels, in which the object is worked out. Finer takes longer",
    "default": 512,
    "min": 64,
    "max": 1024,
}
THICKNESS: dict[str, Any] = {
    "name": "Thickness",
    "description": "How far the back reaches behind the outline, relative to what the seed draws",
    "default": 1.0,
    "min": 0.3,
    "max": 2.5,
}
PROFILE: dict[str, Any] = {
    "name": "Profile",
    "description": "How the back rounds off, relative to the seed's draw: lower is fuller, higher more pointed",
    "default": 1.0,
    "min": 0.6,
    "max": 1.4,
}
FACES: dict[str, Any] = {
    "name": "Faces",
    "description": "How many triangles the mesh may have at most. Edges and outline are kept",
    "default": 100_000,
    "min": 1_000,
    "max": 180_000,
}
NAMES = ("resolution", "thickness", "profile", "faces")
