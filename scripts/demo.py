# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows what the extension does: one picture becomes a mesh in a Blender scene.

    python3 scripts/demo.py             a picture that comes with the project
    python3 scripts/demo.py PICTURE     your own, best with a transparent or a plain background

The first run makes a virtual environment with Blender as a Python module: `.venv` with 4.5 LTS by Python 3.11,
`.venv-3.13` with 5.3 by Python 3.13. The results are in `demo/`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import DEMO, ROOT, SetupError, make
from own_folders import own_folders
from system_libraries import require_system_libraries

PICTURE = ROOT / "examples" / "owl.png"
OUTPUT = ROOT / "demo"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Turn one picture into a mesh in a Blender scene.")
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE, metavar="PICTURE")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another back")
    options = parser.parse_args()
    if not 0 <= options.seed < 2**31:
        sys.exit("A seed lies between 0 and 2147483647.")
    if not options.picture.is_file():
        sys.exit(f"There is no file {options.picture}. Name a picture, or none to use the project's own.")
    try:
        python = make(DEMO)
        require_system_libraries(python)
    except SetupError as error:
        sys.exit(str(error))
    OUTPUT.mkdir(exist_ok=True)
    script = ROOT / "scripts" / "demo_scene.py"
    with tempfile.TemporaryDirectory() as resources:  # Blender's user folder of this run alone
        environment = os.environ | own_folders(Path(resources))
        command = [python, script, options.picture.absolute(), OUTPUT, str(options.seed)]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
