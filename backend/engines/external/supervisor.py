# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program and ends it, with all that it has started, if the process that wants it is gone or asks for that.

It is a process of its own between the two, run by its path, with the standard library alone: however the backend ends,
its end of the pipe closes, and this process hears it. The first line of standard input is a JSON object: `command`,
`folder`, `environment`, and `scratch`, a folder that is deleted if the backend is gone. The program's output passes
through; its exit code becomes this one's, a signal n 128 + n.

On Windows the program gets Ctrl-Break, and then `taskkill` ends its tree. Not tried on a real Windows yet.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

PATIENCE = 3.0  # seconds in which a program that was asked to end may end by itself
NOT_STARTED, ENDED = 127, 130
_POLL = 0.05  # seconds
_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


def main() -> int:
    """Run the program that the orders name; returns the exit code."""
    line = sys.stdin.buffer.readline()
    if not line:
        return ENDED
    orders = json.loads(line)
    alone = threading.Event()
    threading.Thread(target=_wait_for_end, args=(alone,), daemon=True).start()
    try:
        child = subprocess.Popen(
            orders["command"],
            cwd=orders["folder"],
            env=orders["environment"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=_FLAGS,
        )
    except (OSError, ValueError) as error:
        print(f"it does not start: {error}", file=sys.stderr)
        return NOT_STARTED
    while child.poll() is None:
        if alone.wait(_POLL):
            _ask_to_end(child)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
            _kill(child)
            shutil.rmtree(orders["scratch"], ignore_errors=True)
            return ENDED
    _kill(child)  # what it has left running
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wait_for_end(alone: threading.Event) -> None:
    """Wait for the end of standard input, which comes when the backend closes it or is gone."""
    while sys.stdin.buffer.read(4096):
        pass
    alone.set()


def _ask_to_end(child: "subprocess.Popen[Any]") -> None:
    with contextlib.suppress(OSError):  # it has just ended
        if sys.platform == "win32":
            child.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(child.pid, signal.SIGTERM)


def _kill(child: "subprocess.Popen[Any]") -> None:
    """End what is left of the program's group; the group keeps its number as long as any of it lives."""
    if sys.platform == "win32":
        taskkill = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "taskkill.exe")  # noqa: PTH118
        subprocess.run([taskkill, "/F", "/T", "/PID", str(child.pid)], capture_output=True, check=False)
    else:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if code < 256 else 255)  # the thread is still reading; Windows has codes that no exit takes
