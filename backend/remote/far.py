# SPDX-License-Identifier: GPL-3.0-or-later
"""On the other computer: runs a command of the backend, by the Python of the engine's environment if there is one.

python -m backend.remote.far serve          becomes the backend
python -m backend.remote.far run COMMAND…   runs a command, which is interrupted when standard input ends
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from ..folders import IN_USE, python_in_use, user_folder

_ALWAYS_OWN = ("install", "storage")  # they change the environment
_GRACE_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Run it and return its exit code."""
    how, *command = arguments
    if how == "serve":
        command = ["serve"]
    python = sys.executable if command[:1] and command[0] in _ALWAYS_OWN else _python()
    line = [python, "-s", "-m", "backend", *command]
    if how == "serve":
        os.execv(python, line)  # noqa: S606 - a shell is what it avoids
    child = subprocess.Popen(line, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_interrupt_at_end, args=(child,), daemon=True).start()
    return child.wait()


def _python() -> str:
    """The Python of the environment in use; this one if there is none that can be used."""
    folder = user_folder()
    with contextlib.suppress(OSError, ValueError):
        python = folder / python_in_use(folder / IN_USE)[1]
        if os.access(python, os.X_OK):
            return str(python)
    return sys.executable


def _interrupt_at_end(child: "subprocess.Popen[bytes]") -> None:
    """Wait for the end of standard input, as when the connection is lost; then end the command and all it began."""
    while os.read(sys.stdin.fileno(), 4096):  # the buffer's lock would keep this process from ending
        pass
    for number, seconds in ((signal.SIGINT, _GRACE_SECONDS), (signal.SIGKILL, 0.0)):
        with contextlib.suppress(OSError):
            if child.poll() is None:
                os.killpg(child.pid, number)
        time.sleep(seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
