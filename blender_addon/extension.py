# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as Blender knows it: its package's name, its folder, and the user folder that it may write to."""

import contextlib
import logging
import tempfile
from pathlib import Path

import bpy

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parents[1]
PACKAGE = (__package__ or "").rpartition(".")[0]


def user_folder() -> Path:
    """The extension's user folder; if nothing can be written there, one that lasts as long as this Blender."""
    named = bpy.utils.extension_path_user(PACKAGE)
    if named:
        with contextlib.suppress(OSError):
            Path(named).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=named).close()
            return Path(named)
    log.warning("nothing can be written into %r: the backend's log goes to Blender's temporary folder", named)
    return Path(bpy.app.tempdir)
