# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process that runs a command of the backend; on Windows it ends with Blender, however Blender ends."""

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from ...backend.folders import BYTECODE
from .data_folder import data_folder, weights_folder


def launch(
    python: Path,
    arguments: list[str],
    extension: Path,
    user_folder: Path,
    errors: BinaryIO,
    *,
    stdin: int = subprocess.DEVNULL,
    device: str = "",
    upscaler: str = "",
) -> tuple["subprocess.Popen[bytes]", object]:
    """Start `python -m backend ARGUMENTS`, with a pipe as its standard output and `errors` as its standard error.

    device, upscaler: what engines compute on and enlarge pictures by, see `process.Options`.

    Returns the process, and what ties it to Blender, see `tie`. If this raises, no process is left.
    """
    child = subprocess.Popen(
        [str(python), "-s", "-m", "backend", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=user_folder,
        env=surroundings(extension, user_folder, device, upscaler),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,  # Ctrl-C in a terminal is for Blender, which then cancels
    )
    try:
        return child, tie(child.pid)
    except BaseException:
        child.kill()
        child.communicate()
        raise


def tie(pid: int) -> object:
    """On Windows an object that ends the process and its children when it is dropped; elsewhere None.

    Raises `OSError` if Windows refuses.
    """
    if sys.platform == "win32":
        from .job_object import JobObject  # noqa: PLC0415 - ctypes has no Windows types elsewhere

        return JobObject(pid)
    return None


def surroundings(extension: Path, user_folder: Path, device: str = "", upscaler: str = "") -> dict[str, str]:
    """A backend's environment variables: Blender's, with the child's own device, import path and places to write to.

    device: see `process.Options`, which knows what the terminal says; the variable itself may not be meant for another
    computer, and is not handed on.
    """
    unfit = ("PYTHONHOME", "HI3DGEN_DEVICE")
    environment = {name: value for name, value in os.environ.items() if name not in unfit}
    environment["PYTHONPATH"] = str(extension)
    environment["HI3DGEN_USER_FOLDER"] = str(data_folder(user_folder))
    if not environment.get("HI3DGEN_WEIGHTS"):
        environment["HI3DGEN_WEIGHTS"] = str(weights_folder(user_folder))
    environment["PYTHONPYCACHEPREFIX"] = str(user_folder / BYTECODE)
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONSAFEPATH"] = "1"  # nothing is imported from the working folder
    if device:
        environment["HI3DGEN_DEVICE"] = device
    if upscaler:
        environment["HI3DGEN_UPSCALER"] = upscaler
    return environment
