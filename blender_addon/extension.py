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
    """The extension's user folder, open to its owner alone.

    If nothing can be written there, it is a folder that lasts as long as this Blender.
    """
    named = bpy.utils.extension_path_user(PACKAGE)
    if named:
        with contextlib.suppress(OSError):
            Path(named).mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=named).close()
            with contextlib.suppress(OSError):  # it may be another's, who shares it
                Path(named).chmod(0o700)  # an older version left it open to everyone
            return Path(named)
    log.warning("nothing can be written into %r: the backend's log goes to Blender's temporary folder", named)
    return Path(bpy.app.tempdir)
