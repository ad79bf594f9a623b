# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python runs the backend: that of the engine's own environment if a whole one is there, else Blender's.

`python -m backend install` makes the environment in the data folder (`data_folder`) and points to it in
hi3dgen-in-use.json: {"python": path within that folder, ...}. In the environment lies a stamp, which is written when
it is whole.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ...backend.folders import IN_USE, STAMP, python_in_use

INSTALL_AGAIN = (
    "The backend runs on Blender's own Python, without the engine “Networks”: install it again in the preferences."
)


@dataclass(frozen=True)
class Environment:
    """python: the environment's; None if there is none, or none that can be used: then `trouble` says why."""

    python: Path | None = None
    trouble: str = ""


def installed(data_folder: Path) -> Environment:
    """The environment in use, by what is on the disk. Nothing is run, and nothing raised whatever lies there.

    Accepted is only a Python inside the data folder that belongs to this user (on Windows the owner is not looked at).
    """
    try:
        python = data_folder / python_in_use(data_folder / IN_USE)[1]
    except FileNotFoundError:
        return Environment()
    except (OSError, ValueError):
        return Environment(trouble=f"“{IN_USE}” in “{data_folder}” cannot be read. {INSTALL_AGAIN}")
    try:
        fault = _fault(python, data_folder)
    except FileNotFoundError:
        fault = "The engine's environment is not whole."
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a circle of links, before Python 3.13
        fault = "The engine's environment cannot be read."
    return Environment(trouble=f"{fault} {INSTALL_AGAIN}") if fault else Environment(python)


def _fault(python: Path, data_folder: Path) -> str:
    """What is wrong with the environment, as a sentence; "" if nothing. Raises OSError."""
    folder = python.parents[1]
    stamp = folder / STAMP
    if not python.parent.resolve(strict=True).is_relative_to(data_folder.resolve(strict=True)):
        return f"The engine's environment is not inside the folder “{data_folder}”."
    found = stamp.lstat()
    if not python.exists():  # false too for a link to a Python that is gone
        return "The Python that the engine's environment was made with is gone."
    owners = {found.st_uid, folder.lstat().st_uid, python.parent.lstat().st_uid, python.lstat().st_uid}
    if hasattr(os, "getuid") and owners != {os.getuid()}:
        return "The engine's environment belongs to another user."
    return ""
