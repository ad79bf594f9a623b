# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes work on a batch: each has a folder, with a file in it that it holds locked as long as it lives."""

import os
import re
import secrets
import shutil
import socket
from pathlib import Path

from ..lock import take
from ..safe_files import open_own

_ALIVE = "alive"
_PLANNED = "planned"


class Worker:
    """A process, this one, registered in the folder `workers`; call all of this while holding the journal's lock.

    name: unique, and says where it runs. folder: where it may write what is not whole yet.
    """

    def __init__(self, workers: Path) -> None:
        host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())[:40]
        self.name = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
        self.folder = workers / self.name
        self._workers = workers
        self.folder.mkdir(parents=True)
        self._alive = open_own(self.folder / _ALIVE, private=False)
        take(self._alive)

    def others(self) -> set[str]:
        """The names of the other workers that live. What the dead have left is removed."""
        living: set[str] = set()
        for folder in self._workers.iterdir():
            if folder.name == self.name:
                continue
            if _lives(folder):
                living.add(folder.name)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        return living

    def plans(self) -> bool:
        """Record that this process plans now, and return whether another one that lives has. Raises OSError."""
        (self.folder / _PLANNED).touch()
        return any((self._workers / name / _PLANNED).exists() for name in self.others())

    def leave(self) -> None:
        """Remove what is left of this one."""
        self._alive.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _lives(folder: Path) -> bool:
    try:
        with (folder / _ALIVE).open("r+b") as file:
            return not take(file)
    except OSError:
        return False
