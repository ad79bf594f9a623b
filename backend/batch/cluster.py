# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of a batch on a cluster of Ray, or on one of its own on this machine that ends with the command.

Ray places the workers, one an actor (`cluster_worker`), and notices if their process or node dies; the picture that one
was making is then made again by another. (Ray's own retries are not used: it counts one for each call of a worker that
it does not know to be dead yet, so that a lost node costs several.) This program alone puts results in place, after the
end of an attempt: one that was killed, or taken for dead, leaves nothing.

The code of this package is sent along, and so are the pictures; what it imports has to be installed on every node, for
the same Python. Whatever Ray loses, the manifest has.
"""

import contextlib
import dataclasses
import logging
import math
import os
import queue
import re
import socket
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..files.outputs import library
from ..safe_files import open_log
from .cluster_worker import RESULTS, TILE, ClusterWorker, Made, Sent
from .manifest import fingerprints
from .results import not_written
from .running import Ended, Progressed, Task, end_of, failed_by
from .worker import LAST_FAILURES, Start

if TYPE_CHECKING:
    from concurrent.futures import Future

RETRIES = 2  # of a picture whose worker's process dies, before it has failed
_LOSSES = 10  # of a picture's workers, also by the deaths of nodes, which are no fault of the picture
DIED = "process-died"
_LISTEN_SECONDS = 0.5
_LOOK_SECONDS = 10.0  # between two looks at how much room there is
_ANSWER_SECONDS = 5.0  # for a cluster's head to answer
_PROGRESS_SECONDS = 1.0  # for which a worker waits until there is progress to tell
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # of terminals
_PACKAGE = Path(__file__).parents[1]
_MEMORY = "Often the memory was not enough: close other programs, or choose a lower resolution."
_SAME = "Every machine of the cluster needs the same packages, for the same Python, and room on its disk."


@dataclass(frozen=True)
class Cluster:
    """Which cluster, and what of it a worker takes.

    address: HOST:PORT of its head; empty for one of its own on this machine. workers: at most; None for as many as
    there is room for. cpus, gpus: of one worker; below 1, several share one. gpus is None for one if there are any.
    """

    address: str = ""
    workers: int | None = None
    cpus: float = 1.0
    gpus: float | None = 0.0


class RayExecutor:
    """An `Executor`. start: is sent to the workers, see `Start`. log: gets what they log.

    url, batch: see `ClusterWorker`.

    variables: of the environment, which the workers get as well.
    """

    def __init__(
        self,
        start: Start,
        log: Path,
        cluster: Cluster,
        url: str = "",
        batch: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._start = start
        self._log = log
        self._cluster = cluster
        self._results = (url, batch)
        self._variables = variables or {}

    def __call__(self, tasks: Iterator[Task], progressed: Progressed) -> Generator[Ended, None, None]:
        """See `Executor`. Raises `UserError` if there is no cluster, or no room in it for a worker."""
        with _connected(self._cluster, self._variables) as ray:
            cluster = self._cluster
            if cluster.gpus is None:
                cluster = dataclasses.replace(cluster, gpus=float("GPU" in ray.cluster_resources()))
            yield from self._made(ray, cluster, tasks, progressed)

    def _made(
        self,
        ray: Any,  # noqa: ANN401 - a module
        cluster: Cluster,
        tasks: Iterator[Task],
        progressed: Progressed,
    ) -> Generator[Ended, None, None]:
        heard: _Heard = queue.SimpleQueue()
        room = _Room(ray, cluster)
        idle: list[_Actor] = []
        busy: list[_Actor] = []
        again: list[Task] = []
        died: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        while True:
            while len(busy) < room.now() and (task := again.pop() if again else next(tasks, None)) is not None:
                busy.append(idle.pop() if idle else _Actor(ray, cluster, self._start, self._results, heard))
                busy[-1].give(task)
            while idle:  # it would keep its room from one that is not placed yet
                idle.pop().kill()
            if not busy:
                return
            with contextlib.suppress(queue.Empty):
                actor, future = heard.get(timeout=_LISTEN_SECONDS)
                if not actor.is_end(future):
                    actor.hear(future, progressed)
                    continue
                busy.remove(actor)
                ended, lines = actor.end(future)
                if lines:
                    with open_log(self._log, private=False) as log:
                        log.write(lines.encode())
                if ended.code in (*LAST_FAILURES, DIED):
                    actor.kill()
                else:
                    idle.append(actor)
                if ended.code == DIED:
                    room.forget()
                    lost[ended.name] += 1
                    died[ended.name] += not actor.lost_its_node
                    if died[ended.name] <= RETRIES and lost[ended.name] <= _LOSSES:
                        again.append(actor.task)
                        continue
                yield ended


class _Actor:
    """A worker, wherever Ray has placed it; what comes of it goes into `heard`."""

    def __init__(
        self,
        ray: Any,  # noqa: ANN401 - a module
        cluster: Cluster,
        start: Start,
        results: tuple[str, str],
        heard: "_Heard",
    ) -> None:
        remote = ray.remote(
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus,
            concurrency_groups={"making": 1, "telling": 1},
        )
        self._ray = ray
        self._handle = remote(ClusterWorker).remote(start, *results)
        self._heard = heard
        self.task = Task("", "", {}, {}, "", "")
        self._fingerprints: Mapping[str, Mapping[str, Any]] = {}
        self._started = 0.0
        self._making: Future[Made] | None = None
        self._tells = False
        self.lost_its_node = False

    def give(self, task: Task) -> None:
        """Let it make a task; it need not be placed yet."""
        self.task, self._started = task, time.monotonic()
        self._fingerprints = fingerprints(task.inputs)
        making = self._handle.make.options(concurrency_group="making")
        self._making = self._follow(making.remote(Sent(task, _contents(task.inputs))))
        self._ask()

    def is_end(self, future: "Future[Any]") -> bool:
        """Whether this is the end of its task, and not its progress."""
        return future is self._making

    def hear(self, future: "Future[Any]", progressed: Progressed) -> None:
        """Tell the progress of its task, and ask for more."""
        self._tells = False
        with contextlib.suppress(self._ray.exceptions.RayError):  # it has died, which its end tells
            said = future.result()
            if self._making is None:  # it has ended meanwhile
                return
            if said is not None and said[0] == self.task.name:
                progressed(*said)
            self._ask()

    def end(self, future: "Future[Made]") -> tuple[Ended, str]:
        """How its task has ended, with its results in the task's folder, and lines for the log."""
        self._making = None
        errors = self._ray.exceptions
        try:
            made = future.result()
        except errors.RuntimeEnvSetupError as error:
            sentence = f"The code cannot be sent to the cluster: {_line(error)}"
            return self._failed(UserError("not-started", sentence, _SAME))
        except errors.RayTaskError as error:
            sentence = f"A worker of the cluster cannot make anything: {_line(error.cause or error)}"
            return self._failed(UserError("not-started", sentence, _SAME))
        except errors.RayError as error:
            if getattr(error, "actor_init_failed", False):
                sentence = f"A worker of the cluster cannot start: {_line(error, last=True)}"
                return self._failed(UserError("not-started", sentence, _SAME))
            unreachable = isinstance(error, errors.ActorUnavailableError)  # as at first if its node has died
            self.lost_its_node = unreachable or "node has died" in str(error)
            sentence = "Every process that made it on the cluster ended unexpectedly."
            return self._failed(UserError(DIED, sentence, _MEMORY), f"{self.task.name}: {_line(error)}\n")
        ended = dataclasses.replace(made.ended, fingerprints=self._fingerprints)
        try:
            receive(made, self.task)
        except OSError as error:
            return failed_by(ended, not_written(self.task.folder, error)), made.log
        return ended, made.log

    def kill(self) -> None:
        """End it at once: it writes into folders that nobody else reads."""
        self._ray.kill(self._handle)

    def _ask(self) -> None:
        if not self._tells:
            self._tells = True
            telling = self._handle.progress.options(concurrency_group="telling")
            self._follow(telling.remote(_PROGRESS_SECONDS))

    def _follow(self, reference: Any) -> "Future[Any]":  # noqa: ANN401 - Ray's
        future: Future[Any] = reference.future()
        future.add_done_callback(lambda done: self._heard.put((self, done)))
        return future

    def _failed(self, error: UserError, log: str = "") -> tuple[Ended, str]:
        return end_of(self.task, self._started, self._fingerprints, (), error), log


_Heard = queue.SimpleQueue[tuple[_Actor, "Future[Any]"]]


class _Room:
    """How many workers there is room for, looked at anew from time to time: nodes come and go."""

    def __init__(self, ray: Any, cluster: Cluster) -> None:  # noqa: ANN401
        self._ray = ray
        self._cluster = cluster
        self._looked = time.monotonic()
        self._found = self._look()
        if not (self._found or cluster.workers):
            asked = f"processors: {cluster.cpus:g}, graphics cards: {cluster.gpus:g}"
            sentence = f"No node of the cluster has room for a worker ({asked})."
            raise UserError("no-room", sentence, "Give other --cpus-per-worker or --gpus-per-worker, or add nodes.")

    def now(self) -> int:
        """How many, but one at least: if all nodes are gone, it waits for others.

        If a number was asked for, that: a cluster that grows by itself has to see what is asked for.
        """
        if self._cluster.workers:
            return self._cluster.workers
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._found = self._look()
        return max(self._found, 1)

    def forget(self) -> None:
        """Look anew the next time: a node may have died."""
        self._looked = float("-inf")

    def _look(self) -> int:
        alive = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        needed = {"CPU": self._cluster.cpus, "GPU": self._cluster.gpus or 0.0}
        return sum(
            min(int(resources.get(name, 0) / share) for name, share in needed.items() if share) for resources in alive
        )


def load_ray(address: str) -> Any:  # noqa: ANN401 - a module
    """Import Ray, which reads these variables then: it tells nobody of its use. Raises `UserError` if it is missing.

    address: see `Cluster`. What is on this machine alone listens on the loopback alone.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address.rpartition(":")[0] in ("", "127.0.0.1", "localhost"):
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    return library("ray", "Ray", "make pictures on a cluster")


@contextlib.contextmanager
def _connected(cluster: Cluster, variables: Mapping[str, str]) -> Generator[Any]:
    """The module `ray`, connected. Raises `UserError`."""
    ray = load_ray(cluster.address)
    ray._private.worker._worker_logs_enabled = False  # noqa: SLF001 - it prints on standard output what it makes again
    own = {}
    if cluster.address:
        _check_answers(cluster.address)
    else:
        wanted = math.ceil((cluster.workers or 0) * cluster.cpus)
        own = {"include_dashboard": False, "num_cpus": max(os.cpu_count() or 1, wanted)}
    try:
        ray.init(
            address=cluster.address or "local",
            runtime_env={"py_modules": [str(_PACKAGE)], "env_vars": dict(variables)},
            log_to_driver=False,
            logging_level=logging.ERROR,
            **own,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:  # what Ray raises if versions or machines do not fit
        where = f"The cluster at “{cluster.address}”" if cluster.address else "A cluster on this machine"
        sentence = f"{where} cannot be used: {_line(error)}"
        raise UserError(
            "no-cluster", sentence, "Run this on one of its nodes, with the same Python and Ray."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise `UserError` unless something answers there: Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        sentence = f"There is no cluster at “{address}”: {_line(error)}"
        raise UserError(
            "no-cluster", sentence, "Give HOST:PORT of its head, as `ray start --head` names it."
        ) from error


def _contents(inputs: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
    """The names and contents of files; without those that cannot be read: whoever reads them says why."""
    found: dict[str, tuple[str, bytes]] = {}
    for name, path in inputs.items():
        with contextlib.suppress(OSError):
            found[name] = (Path(path).name, Path(path).read_bytes())
    return found


def receive(made: Made, task: Task) -> None:
    """Put an attempt's results and tile where the task wants them. Raises OSError."""
    folder, tile = Path(task.folder), Path(task.tile)
    for name, content in made.files.items():
        path = tile if name == TILE else folder / Path(name).relative_to(RESULTS)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if made.folder:
        attempt = Path(made.folder)
        if (attempt / RESULTS).exists():
            folder.rmdir()  # Windows renames no folder over another
            (attempt / RESULTS).replace(folder)
        with contextlib.suppress(FileNotFoundError):  # not everything can be drawn
            (attempt / TILE).replace(tile)


def _line(error: BaseException, *, last: bool = False) -> str:
    """What an error says, or its last line, as one line that ends like a sentence."""
    lines = _COLOUR.sub("", str(error)).strip().splitlines()[-1 if last else 0 :]
    return f"{' '.join(' '.join(lines).split())[:300].rstrip('.')}."
