# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes that train together, as `accelerate` starts them, on this machine alone."""

import os
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run_two(command: list[str]) -> list[int]:
    """Run a command twice at once, as rank 0 and rank 1 on the processor, and return their exit codes."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    environment |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment | rank) for rank in ranks]
    return [process.wait() for process in processes]
