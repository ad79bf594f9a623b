# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend detailverse` as a process: its workers are started by the same command."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 100.0


def detailverse(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a stage to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


COMMAND = (sys.executable, "-s", "-m", "backend", "detailverse")
