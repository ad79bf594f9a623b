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

PYTHON = max(FOLDERS)
# A wheel's name says the oldest glibc that it runs on: 2.5 to 2.39, or one of three by an older name.
GLIBCS = ("1", "2010", "2014", *(f"_2_{minor}" for minor in range(5, 40)))


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
    systems = ["any", *(f"manylinux{glibc}_x86_64" for glibc in GLIBCS)]
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
