# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads what the newest Blender's tests need as wheels, for a Python on this machine that reaches no package index.

    python3 scripts/fetch_wheels.py FOLDER

A folder that holds them already is left as it is.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

from environment import FOLDERS, NEWEST, contents

PYTHON = next(version for version, folder in FOLDERS.items() if folder == NEWEST.folder)
OLD_NAMES = (
    "manylinux2014",
    "manylinux2010",
    "manylinux1",
)  # wheels name the oldest glibc that they run on: 2.y, or so
GLIBC = range(5, 40)  # of these minor versions; Debian 13 has 2.41


def main(folder: Path) -> None:
    """Leave the wheels in `folder`, and last of all a file that says which."""
    requirements, pins = contents(NEWEST, NEWEST.groups, PYTHON)
    stamp, wanted = folder / "complete", hashlib.sha256(json.dumps([requirements, pins]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    constraints = folder / "constraints"
    constraints.write_text("\n".join(pins) + "\n")
    systems = ["any", *(f"{name}_x86_64" for name in (*OLD_NAMES, *(f"manylinux_2_{minor}" for minor in GLIBC)))]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", folder),
            *("--constraint", constraints, "--python-version", ".".join(map(str, PYTHON))),
            *(argument for system in systems for argument in ("--platform", system)),
            *requirements,
        ],
        check=True,
    )
    stamp.write_text(wanted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Download the wheels of the newest Blender's tests.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    main(parser.parse_args().folder)
