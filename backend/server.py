# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's one listener: greets clients, turns their messages into jobs, and sends back what becomes of them.

One event loop owns every connection and the queue; the worker's thread reaches it through `call_soon_threadsafe` alone.
"""

import asyncio
import contextlib
import dataclasses
import hmac
import logging
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .capabilities import capabilities_of
from .flow.pipeline import Pipeline
from .flow.products import Camera, Mesh, Views
from .flow.request import Request
from .jobs import JobQueue, QueuedJob
from .receiving import CHUNK_BYTES, PATIENCE, Patience, Receiver
from .version import VERSION
from .wire import frames, messages
from .wire.frames import WireError
from .wire.messages import Failure, Message, Progress, ToClient

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_CLIENTS = 8
MAX_STRANGERS = 16  # who have not greeted yet: any program on this machine can connect
STRANGERS_SECONDS = 60.0  # they are logged together: each on a line of its own would fill the log
PIECE_BYTES = 1 << 16
MAX_OUTBOX = 1024


class Server:
    """Serves one pipeline to clients that know the token, until `stop` or until nothing was asked of it for a while.

    idle_seconds: how long that is, 0 for ever.
    """

    def __init__(
        self, pipeline: Pipeline, token: str, idle_seconds: float = 0.0, patience: Patience = PATIENCE
    ) -> None:
        self.patience = patience
        self._token = token
        self.queue = JobQueue(pipeline)
        self._idle_seconds = idle_seconds
        self._started = time.monotonic()
        self._connections: dict[Connection, asyncio.Task[None] | None] = {}
        self._strangers: deque[Connection] = deque()
        self._clients: set[Connection] = set()
        self._turned_away = 0
        self._why_turned_away = ""
        self._stop = asyncio.Event()

    async def listen(self, port: int = 0) -> tuple[asyncio.Server, int]:
        """Start to listen on 127.0.0.1; returns the listener and its port, which the system chooses if `port` is 0.

        Raises OSError if that port cannot be used.
        """
        listener = await asyncio.start_server(self._serve, HOST, port, limit=CHUNK_BYTES)
        return listener, listener.sockets[0].getsockname()[1]

    async def run(self, listener: asyncio.Server) -> None:
        """Serve until `stop`, a shutdown or the idle time. Raises what the queue or the watch over idleness raises."""
        tasks = [asyncio.create_task(self.queue.work())]
        if self._idle_seconds > 0:
            tasks.append(asyncio.create_task(self._watch_idleness()))
        for task in tasks:
            task.add_done_callback(lambda _: self.stop())
        await self._stop.wait()
        listener.close()
        for job in [*self.queue.waiting, *filter(None, [self.queue.running])]:
            self.queue.cancel(job)
        if tasks[0].done():  # the queue has ended, and nobody asked for it
            await self._until_all_is_sent()
        for connection in self._connections:
            connection.close()
        await asyncio.gather(*filter(None, self._connections.values()), return_exceptions=True)
        self._log_strangers()
        for task in tasks:
            if task.done():
                task.result()
            task.cancel()

    def stop(self) -> None:
        """Make `run` return."""
        self._stop.set()

    def knows(self, token: str) -> bool:
        """Whether it is the parent's secret, compared in a time that does not depend on the token."""
        return hmac.compare_digest(token.encode(), self._token.encode())

    def admit(self, connection: "Connection") -> bool:
        """Count a stranger who has greeted among the clients; False if there is no place.

        If all places are taken, the client without jobs that was silent the longest is closed for it.
        """
        if connection not in self._strangers:
            return False
        if len(self._clients) >= MAX_CLIENTS:
            idle = [client for client in self._clients if not client.has_jobs]
            if not idle:
                return False
            silent = min(idle, key=lambda client: client.receiver.heard)
            log.info("a client that asks for nothing is closed: another one needs its place")
            self._clients.remove(silent)
            silent.close()
        self._strangers.remove(connection)
        self._clients.add(connection)
        return True

    def turn_away(self, reason: str) -> None:
        """Count a connection that did not greet as it should; any program on this machine can make them."""
        if self._turned_away == 0:
            asyncio.get_running_loop().call_later(STRANGERS_SECONDS, self._log_strangers)
        self._turned_away += 1
        self._why_turned_away = reason

    def status(self) -> messages.Status:
        """What the backend is doing."""
        running = self.queue.running.name if self.queue.running else ""
        uptime = time.monotonic() - self._started
        cached = self.queue.pipeline.cached_bytes
        return messages.Status(VERSION, os.getpid(), len(self.queue.waiting), running, cached, uptime)

    def capabilities(self) -> messages.Capabilities:
        """What the engines can do."""
        return capabilities_of(self.queue.pipeline.engines)

    def _log_strangers(self) -> None:
        if self._turned_away:
            log.warning("turned away: %d connections, the last because %s", self._turned_away, self._why_turned_away)
        self._turned_away = 0

    async def _watch_idleness(self) -> None:
        while True:
            on_the_way = any(
                client.receiver.is_within_frame or not client.all_is_sent.is_set() for client in self._clients
            )
            if on_the_way or self.queue.running is not None or self.queue.waiting:
                self.queue.last_used = time.monotonic()
            left = self._idle_seconds - (time.monotonic() - self.queue.last_used)
            if left <= 0:
                log.info("nothing to do for %g s: the backend ends", self._idle_seconds)
                return
            await asyncio.sleep(min(left, 1.0))

    async def _until_all_is_sent(self) -> None:
        """Wait until the clients have taken what came of their jobs, but not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience.sending):
                await asyncio.gather(*(client.all_is_sent.wait() for client in self._clients))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._strangers) >= MAX_STRANGERS:
            self._strangers.popleft().close()  # the oldest: a client greets at once
        connection = Connection(self, reader, writer)
        self._connections[connection] = asyncio.current_task()
        self._strangers.append(connection)
        try:
            await connection.run()
        finally:
            del self._connections[connection]
            self._clients.discard(connection)
            if connection in self._strangers:
                self._strangers.remove(connection)


class Connection:
    """One client: its jobs, and what waits to be sent to it. `all_is_sent` also if it is gone."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.receiver = Receiver(reader, server.patience)
        self._server = server
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=0)  # what is sent is with the system, and survives `close`
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[str, QueuedJob] = {}
        self._outbox: deque[ToClient] = deque()
        self._waiting = asyncio.Event()
        self._parting = False
        self.all_is_sent = asyncio.Event()
        self.all_is_sent.set()
        self._unloads = 0  # that were asked for and are not answered yet

    def close(self) -> None:
        """Drop the connection; `run` ends soon after."""
        self._writer.transport.abort()

    @property
    def has_jobs(self) -> bool:
        """Whether a job of this client runs or waits."""
        return bool(self._jobs)

    async def run(self) -> None:
        """Talk to the client until either side ends it; then cancel its jobs."""
        sender = asyncio.create_task(self._send())
        try:
            await self._converse()
        except _StrangerError as error:
            self._server.turn_away(str(error))
            if error.code == "wrong-version":
                await self._say_goodbye(sender, error)
        except WireError as error:
            log.warning("a client broke the protocol: %s", error)
            self._cancel_jobs()
            await self._say_goodbye(sender, error)
        except (OSError, EOFError, TimeoutError) as error:
            log.info("a client is gone: %s", error or type(error).__name__)
        finally:
            sender.cancel()
            self.all_is_sent.set()
            self._cancel_jobs()
            self.close()

    def send(self, message: ToClient) -> None:
        """Queue a message to the client; callable from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and the connection with it
            self._loop.call_soon_threadsafe(self._post, message)

    def _cancel_jobs(self) -> None:
        for job in self._jobs.values():
            self._server.queue.cancel(job)
        self._jobs.clear()

    def _post(self, message: ToClient) -> None:
        job = getattr(message, "job", "")
        if job and job not in self._jobs:
            return  # the connection has ended, and its jobs with it
        if isinstance(message, Progress):
            self._outbox = deque(item for item in self._outbox if not _is_progress_of(item, job))
        elif job and (isinstance(message, Failure) or (isinstance(message, messages.Result) and message.last)):
            del self._jobs[job]
        self._outbox.append(message)
        self.all_is_sent.clear()
        self._waiting.set()
        self._check_owed()

    def _check_owed(self) -> None:
        if len(self._outbox) + self._unloads > MAX_OUTBOX:
            log.warning("a client asks and does not listen")
            self.close()

    async def _send(self) -> None:
        """Send what waits, as it comes; if the client takes nothing of it, close the connection."""
        try:
            while not self._parting:
                await self._waiting.wait()
                self._waiting.clear()
                while self._outbox:
                    await self._send_message(self._outbox.popleft())
                self.all_is_sent.set()
        except (OSError, TimeoutError):
            self.close()
        except Exception:
            log.exception("a message could not be sent")
            self.close()  # rather than leave the client waiting for it

    async def _send_message(self, message: ToClient) -> None:
        """Send by parts that even a slow client takes in time."""
        for piece in map(memoryview, _encoded(message)):
            for start in range(0, len(piece), PIECE_BYTES):
                self._writer.write(piece[start : start + PIECE_BYTES])
                async with asyncio.timeout(self._server.patience.sending):
                    await self._writer.drain()

    async def _say_goodbye(self, sender: asyncio.Task[None], error: WireError) -> None:
        """Tell what was wrong, behind the rest of a frame that is on its way."""
        advice = "Use the backend and the extension of one version of Hi3DGen."
        self._post(Failure("", error.code, f"The backend did not understand: {error}.", advice))
        self._parting = True
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._server.patience.greeting):
                await sender
                self._writer.write_eof()
                await self.receiver.until_closed()  # closing over unread data would take the message back

    async def _converse(self) -> None:
        await self._greet()
        while not self._writer.is_closing():
            self._handle(await self.receiver.message(frames.TO_BACKEND))  # no name keeps its picture in memory
            await asyncio.sleep(0)  # messages that have arrived already are read without waiting; the others take turns

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(self._server.patience.greeting):
                hello = await self.receiver.message(frames.GREETING)
        except WireError as error:
            raise _StrangerError(error.code, str(error)) from error
        except (OSError, EOFError, TimeoutError) as error:
            raise _StrangerError("bad-message", "it did not greet") from error
        if not isinstance(hello, messages.Hello) or not self._server.knows(hello.token):
            raise _StrangerError("bad-message", "it does not know the token")
        if not self._server.admit(self):
            raise _StrangerError("bad-message", f"{MAX_CLIENTS} clients are served already")
        log.info("client: %s", hello.client)
        self.send(self._server.capabilities())

    def _handle(self, message: Message) -> None:
        match message:
            case messages.Request():
                self._queue(message)
            case messages.Cancel(job):
                if job in self._jobs:
                    self._server.queue.cancel(self._jobs[job])
            case messages.GetStatus():
                self.send(self._server.status())
            case messages.Unload():
                self._unloads += 1
                self._server.queue.unload().add_done_callback(self._unloaded)
                self._check_owed()
            case messages.Shutdown():
                log.info("a client asked for the end")
                self._server.stop()
            case _:
                raise WireError("bad-message", "a greeting comes once")

    def _unloaded(self, unloading: asyncio.Future[None]) -> None:
        self._unloads -= 1
        if error := unloading.exception():
            log.error("memory could not be given back", exc_info=error)
            sentence = "Hi3DGen could not give all of its memory back."
            self.send(Failure("", "unload-failed", sentence, "End Hi3DGen's backend; the next job starts a new one."))
        else:
            self.send(self._server.status())

    def _queue(self, message: messages.Request) -> None:
        if message.job in self._jobs:
            sentence = f"A job named “{message.job}” is running already."
            self.send(Failure("", "duplicate-job", sentence, "Give every job a name of its own."))
            return
        request = _request_of(message)
        job = QueuedJob(message.job, request, self.send, message.gives)
        self._jobs[job.name] = job
        if not self._server.queue.has_room_for(job):
            sentence = "Too many jobs are waiting already."
            self.send(Failure(job.name, "queue-full", sentence, "Wait until some are done, or cancel some."))
        else:
            self._server.queue.add(job)


def _request_of(message: messages.Request) -> Request:
    mesh = camera = views = normals = None
    if message.mesh_vertices is not None and message.mesh_triangles is not None:
        corner_uv = message.mesh_corner_uv
        uv = np.zeros((len(message.mesh_vertices), 2), np.float32) if corner_uv is None else corner_uv
        mesh = Mesh(message.mesh_vertices, message.mesh_triangles, uv, faces=message.mesh_faces)
    if message.camera:
        camera = _camera_of(message.camera)
    if message.views is not None:
        numbers = np.array(message.view_cameras).reshape(len(message.views), -1)
        views = Views(message.views, tuple(_camera_of(each) for each in numbers.tolist()))
        normals = None if message.normal_views is None else Views(message.normal_views, views.cameras)
    usual = (message.inputs, message.engine, message.seed, message.count, message.settings)
    return Request(*usual, mesh, camera, views, normals)


def _camera_of(numbers: Sequence[float]) -> Camera:
    *rows, fov, width = numbers
    return Camera(np.array([*rows, 0, 0, 0, 1], np.float64).reshape(4, 4), fov, width)


class _StrangerError(WireError):
    """A connection that has not greeted as it should; it is closed without an answer."""


def _encoded(message: ToClient) -> list[bytes | memoryview]:
    """The pieces of a message's frame; what UTF-8 cannot hold of a text, such as an odd path, becomes `?`."""
    try:
        return messages.encode(message)
    except UnicodeEncodeError:
        return messages.encode(_readable(message))


def _readable(value: Any) -> Any:  # noqa: ANN401 - a message, or anything in one
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{name: _readable(item) for name, item in vars(value).items()})
    if isinstance(value, Mapping):
        return {_readable(name): _readable(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(map(_readable, value))
    return value


def _is_progress_of(message: ToClient, job: str) -> bool:
    return isinstance(message, Progress) and message.job == job
