# SPDX-License-Identifier: GPL-3.0-or-later
"""`serve`: the backend process as docs/wire.md describes it, for the parent that started it."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .. import log as logs
from ..flow.engine import Engine
from ..flow.pipeline import Pipeline
from ..memory import keep_one_heap
from ..server import Server
from ..version import VERSION

log = logging.getLogger(__name__)

FAREWELL_SECONDS = 2.0
PARENT_SECONDS = 1.0
MAX_CACHE = 1 << 50  # bytes
MAX_START = 32_768  # bytes of the first line; a path alone may be long
TOKEN_LENGTHS = range(32, 129)
PORTS = range(65_536)
PORT_TAKEN = 3  # exit code


def run(_options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Serve all engines."""
    return serve(Pipeline(engines))


@dataclass(frozen=True)
class Start:
    """What the first line of standard input says.

    cache_bytes: None for as many as the pipeline is made with. port: 0 for one that the system chooses.
    """

    token: str
    idle_seconds: float
    log: Path | None
    log_level: str
    cache_bytes: int | None
    port: int


def serve(pipeline: Pipeline) -> int:
    """Serve until the parent ends, the idle time passes or a client shuts the backend down; then end the process.

    Returns 2 if the first line of standard input is not what it should be, and `PORT_TAKEN` if its port is in use; else
    it does not return.
    """
    parent = os.getppid()
    try:
        start = _read_start(sys.stdin.buffer.readline(MAX_START))
    except (ValueError, TypeError, RecursionError) as error:
        print(f"The first line of standard input is not what docs/wire.md asks for: {error}", file=sys.stderr)
        return 2
    _start_log(start)
    if start.cache_bytes is not None:
        pipeline.keep_at_most(start.cache_bytes)
    keep_one_heap()
    try:
        asyncio.run(_serve(pipeline, start, parent))
    except _PortTakenError:
        return PORT_TAKEN
    except KeyboardInterrupt:
        return _end(130)
    except BaseException:
        log.exception("the backend failed, and ends")
        return _end(1)
    return _end(0)


def _start_log(start: Start) -> None:
    try:
        logs.start(start.log, level=start.log_level)
    except (OSError, ValueError) as error:
        logs.start(None, level=start.log_level)
        log.warning("the log stays on standard error: %s", error)


async def _serve(pipeline: Pipeline, start: Start, parent: int) -> None:
    server = Server(pipeline, start.token, start.idle_seconds)
    try:
        listener, port = await server.listen(start.port)
    except OSError as error:
        log.error("port %d cannot be used: %s", start.port, error)  # noqa: TRY400 - it is no fault of the code
        raise _PortTakenError from error
    loop = asyncio.get_running_loop()

    def parent_is_gone() -> None:
        log.info("the parent is gone: the backend ends")
        loop.call_soon_threadsafe(server.stop)
        time.sleep(FAREWELL_SECONDS)  # a stage that does not come to its next step must not keep the process alive
        _end(0)

    threading.Thread(target=_watch_input, args=(parent_is_gone,), daemon=True).start()
    if os.name == "posix":
        threading.Thread(target=_watch_parent, args=(parent, parent_is_gone), daemon=True).start()
    print(json.dumps({"port": port, "pid": os.getpid(), "version": VERSION}), flush=True)
    sys.stdout = sys.stderr  # what a library prints goes into the log: a pipe that nobody reads would fill up
    log.info("version %s listens on port %d", VERSION, port)
    await server.run(listener)


class _PortTakenError(Exception):
    """The port that the parent named cannot be used."""


def _read_start(line: bytes) -> Start:
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise TypeError("it is no JSON object")
    token, idle_seconds, log_file = fields.get("token"), fields.get("idle_seconds", 0), fields.get("log")
    if not isinstance(token, str) or len(token) not in TOKEN_LENGTHS or not (token.isascii() and token.isprintable()):
        raise ValueError("the token is not 32 to 128 printable ASCII characters")
    if isinstance(idle_seconds, bool) or not isinstance(idle_seconds, int | float) or not 0 <= idle_seconds < 1e9:
        raise ValueError("idle_seconds is no number of seconds")
    if log_file is not None and not (isinstance(log_file, str) and Path(log_file).is_absolute()):
        raise ValueError("log is no absolute path")
    log_level, cache_bytes, port = fields.get("log_level", "info"), fields.get("cache_bytes"), fields.get("port", 0)
    if log_level not in logs.LEVELS:
        raise ValueError(f"log_level is none of {', '.join(logs.LEVELS)}")
    if cache_bytes is not None and not (type(cache_bytes) is int and 0 <= cache_bytes <= MAX_CACHE):
        raise ValueError("cache_bytes is no number of bytes")
    if type(port) is not int or port not in PORTS:
        raise ValueError("port is no number of a port")
    return Start(token, float(idle_seconds), Path(log_file) if log_file else None, log_level, cache_bytes, port)


def _watch_input(ended: Callable[[], None]) -> None:
    """Wait for the end of standard input, which comes when the parent ends, on every system."""
    while sys.stdin.buffer.read(4096):
        pass
    ended()


def _watch_parent(parent: int, ended: Callable[[], None]) -> None:
    """Wait until this process has another parent: the pipe may live on in a process that the parent forked."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    ended()


def _end(code: int) -> NoReturn:
    """Leave at once: the worker's thread may be in the middle of a step, and a normal exit would wait for it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # its reader may be gone
            stream.flush()
    os._exit(code)
