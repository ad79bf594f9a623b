# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of its own for a Blender that a script or a test starts."""

from pathlib import Path


def own_folders(resources: Path) -> dict[str, str]:
    """The environment variables that keep a Blender, and its backend, out of this machine's own folders.

    resources: the folder that takes their place; Blender's extensions lie in it.
    """
    return {"BLENDER_USER_RESOURCES": str(resources), "HI3DGEN_USER_FOLDER": str(resources / "data")}
