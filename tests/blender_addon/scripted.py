# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend that does what a test wrote: a real process that speaks the real wire, with a script instead of engines."""

import shutil
from pathlib import Path

from tests.blender_addon.support import CHECKOUT

_BEFORE = """
import json, os, socket, sys, time
from .wire import frames, messages
orders = json.loads(sys.stdin.buffer.readline())
listener = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"port": listener.getsockname()[1], "pid": os.getpid(), "version": "0.0.0"}), flush=True)
connection = listener.accept()[0].makefile("rwb")


def receive():
    header = frames.parse_header(connection.read(frames.HEADER.size), frames.TO_BACKEND)
    document, specs = frames.parse_document(connection.read(header.message), header)
    arrays = frames.split_payload(specs, connection.read(header.payload))
    return messages.decode(messages.TO_BACKEND, document, arrays)


def send(message):
    for piece in messages.encode(message):
        connection.write(piece)
    connection.flush()


receive()
send(messages.Capabilities("0.0.0", ()))
"""


def write_backend(folder: Path, script: str) -> Path:
    """A folder to take for the extension's: its backend greets and then runs `script`, with `receive` and `send`."""
    return write_program(folder, f"{_BEFORE}\n{script}\n")


def write_program(folder: Path, program: str) -> Path:
    """The same without the greeting: its `python -m backend` is this program."""
    package = folder / "extension" / "backend"
    shutil.copytree(CHECKOUT / "backend" / "wire", package / "wire", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(program, encoding="utf-8")
    return package.parent
