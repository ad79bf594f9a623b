# SPDX-License-Identifier: GPL-3.0-or-later
"""`remote serve`: a backend on the other computer, as docs/wire.md ("Starting the backend") describes one on this.

The parent here sees no difference: it writes the first line, reads the port, and connects to 127.0.0.1.
"""

import contextlib
import json
import os
import random
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..log import ErrorFile
from ..remote import ssh
from ..remote.running import Relayed
from .serve import MAX_START, PORT_TAKEN

_FAR_PORTS = range(32_768, 60_999)  # where systems look for free ones themselves
_TRIES = 4


def serve(name: str) -> int:
    """Serve until the parent ends or the backend there does; returns the exit code of the latter.

    Raises `UserError` if no backend comes to run there, and what a first line raises that is no JSON object.
    """
    first = json.loads(sys.stdin.buffer.readline(MAX_START))
    if not isinstance(first, dict):
        raise TypeError("it is no JSON object")
    relayed, near, answer = _started(name, first)
    print(json.dumps({**answer, "port": near}), flush=True)
    threading.Thread(target=_end_with_parent, args=(relayed,), daemon=True).start()
    while relayed.output.read(4096):
        pass
    try:
        return relayed.code()
    except BaseException:
        relayed.end(0.0)
        raise


def _started(name: str, orders: dict[str, Any]) -> tuple[Relayed, int, dict[str, Any]]:
    """The backend there, the port here that leads to it, and the line that it wrote.

    What it logs comes here as standard error, and into the parent's file, which is bounded as any log.
    """
    make_room = _logged_into(orders.get("log"))
    orders = {**orders, "log": None}
    for _ in range(_TRIES):
        near, far = _free_port(), random.choice(_FAR_PORTS)  # noqa: S311 - whoever listens there must know the token
        relayed = Relayed(name, ["serve"], (near, far), make_room)
        try:
            with contextlib.suppress(OSError):  # it has ended: its exit code says why
                relayed.input.write(json.dumps({**orders, "port": far}).encode() + b"\n")
                relayed.input.flush()
            if answer := _answer(relayed):
                return relayed, near, answer
            code = relayed.code()
        except BaseException:
            relayed.end(0.0)
            raise
        if code != PORT_TAKEN:
            raise ssh.failure(name, code, relayed.said)
    raise UserError("computer-refuses", f"No free port was found on “{name}”.", "Try again.")


def _logged_into(path: object) -> Callable[[], None]:
    """Turn standard error into the parent's log, if it named one; returns what is called before each line of it."""
    if isinstance(path, str):
        try:
            return ErrorFile(Path(path)).make_room
        except (OSError, ValueError) as error:
            print(f"the log stays on standard error: {error}", file=sys.stderr)
    return lambda: None


def _answer(relayed: Relayed) -> dict[str, Any] | None:
    """The line with the port; None if the backend ends before it. What a login prints comes before."""
    for line in relayed.output:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict) and "port" in said:
            return said
    return None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _end_with_parent(relayed: Relayed) -> None:
    """Wait for the end of standard input, and hand it on: the backend there ends with it."""
    while os.read(sys.stdin.fileno(), 4096):  # the buffer's lock would keep this process from ending
        pass
    with contextlib.suppress(OSError):
        relayed.input.close()
