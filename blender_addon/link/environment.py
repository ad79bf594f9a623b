# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python runs the backend: that of the engine's own environment where a whole one is there, else Blender's.

`python -m backend install` makes the environment in the extension's user folder and points to it in environment.json:
{"python": path within the user folder, ...}. In the environment lies a stamp, which is written when it is whole.
"""

import json
from dataclasses import dataclass
from pathlib import Path

POINTER = "environment.json"
STAMP = "hi3dgen-environment.json"
MEND = "The backend runs on Blender's own Python, without the engine Hi3DGen: install it again in the preferences."


@dataclass(frozen=True)
class Environment:
    """python: the environment's, or None where there is none, or none that can be used; `trouble` says why then."""

    python: Path | None = None
    trouble: str = ""


def installed(user_folder: Path) -> Environment:
    """The environment that is in use, by what is on the disk; nothing is run."""
    try:
        told = json.loads((user_folder / POINTER).read_text(encoding="utf-8"))
        python = user_folder / told["python"]
    except FileNotFoundError:
        return Environment()
    except (OSError, ValueError, KeyError, TypeError):
        return Environment(trouble=f"“{POINTER}” in the extension's user folder cannot be read. {MEND}")
    if not (python.parents[1] / STAMP).exists():
        return Environment(trouble=f"The engine's environment is not whole. {MEND}")
    if not python.exists():  # a link to a Python that is gone does not exist either
        return Environment(trouble=f"The Python that the engine's environment was made with is gone. {MEND}")
    return Environment(python)
