# SPDX-License-Identifier: GPL-3.0-or-later
"""What many pictures cost, on this machine and on a cluster of Ray, and what one command can look after.

    python scripts/benchmark.py scale faults FOLDER [--count 200]      a worker and a node are killed in the middle
    python scripts/benchmark.py scale executors FOLDER [--count 100]   a picture's cost here and on a cluster, in turn
    python scripts/benchmark.py scale objects FOLDER [--count 100]     the same of what trainings learn from
    python scripts/benchmark.py scale growth FOLDER [--counts 10 100 1000] [--executor ray]      as pictures grow
    python scripts/benchmark.py scale driver FOLDER [--count 1000] [--kilobytes 500]   what the command itself costs
    python scripts/benchmark.py scale manifest FOLDER [--counts 1000 10000 100000]     planning, opening, memory

FOLDER gets the pictures, which the next call finds there, and what is made, anew each time. They are of made-up
shapes, 96 pixels a side, and the draft makes small meshes of them. `driver` makes files of a size in place of meshes,
in no time, so that only the executor and the manifest are left. Clusters are real ones, of several nodes that are
processes of this machine; they listen on the loopback alone. Beside the wall's seconds stand the processors' own, of
the command and of all processes that it has started: other programs may run meanwhile. Needs the extras `files`, `ray`
and `training`.
"""

import argparse
import hashlib
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as a process of its own, too

from backend.batch import worker
from backend.batch.cluster import Cluster, RayExecutor
from backend.batch.executor import LocalExecutor, one_by_one
from backend.batch.filling import fill
from backend.batch.lines import PICTURE, Line
from backend.batch.manifest import Entry, Manifest, State
from backend.batch.planning import Wanted, plan
from backend.batch.running import Ended, Executor, Task, run
from backend.batch.worker import Make
from backend.engines import ENGINES
from backend.files.pictures import write_picture
from backend.version import VERSION

ROOT = Path(__file__).parents[1]
SETTINGS = ("--set", "resolution=64", "--set", "faces=1000", "--set", "colours=front")
_TAKES = 20  # pictures of each shape: all differ, as what a worker has seen before costs it nothing
_SIDE = 96
_STORE = 100 << 20  # bytes of a node's object store
_LOOPBACK = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@dataclass(frozen=True)
class Cost:
    """What making so many has taken: seconds of the wall, and the processors' of the command and of all it started."""

    count: int = 0
    wall: float = 0.0
    own: float = 0.0
    others: float = 0.0

    def line(self, title: str, first: "Cost") -> str:
        """All of the wall, that until the first was made, and the cost of each that followed, in milliseconds."""
        spent = (self.wall - first.wall, self.own - first.own, self.others - first.others)
        each = (1000 * seconds / max(self.count - 1, 1) for seconds in spent)
        walls = f"{self.wall:>10.1f}{first.wall:>10.1f}"
        return f"{title:16}{self.count:>8}{walls}" + "".join(f"{value:>14.1f}" for value in each)


HEADING = f"{'':16}{'made':>8}{'wall s':>10}{'first s':>10}" + "".join(
    f"{title:>14}" for title in ("wall ms each", "command ms", "others ms")
)


class Clock:
    """A `Watcher` that keeps what it has cost until the first and until the last picture's end."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()
        self.first = self.cost = Cost()
        self._spent: dict[int, float] = {}  # of each process that lives or has lived

    def begun(self, entry: Entry) -> None:
        """Nothing is counted yet."""

    def progressed(self, name: str, label: str, done: float) -> None:
        """Nothing is counted yet."""

    def ended(self, entry: Entry, _made: Sequence[str]) -> None:
        """Count it."""
        if entry.state is not State.DONE:
            sys.exit(f"{entry.name}: {entry.sentence} {entry.advice}")
        count = self.cost.count + 1
        if count % 10 == 0 or count < 10:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):  # it may end while it is asked
                    times = process.cpu_times()
                    self._spent[process.pid] = times.user + times.system
        wall, own = (
            now - then for now, then in zip((time.perf_counter(), time.process_time()), self._begun, strict=True)
        )
        self.cost = Cost(count, wall, own, sum(self._spent.values()))
        self.first = self.cost if count == 1 else self.first


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    os.environ |= _LOOPBACK  # before Ray is imported
    parser = argparse.ArgumentParser(prog="benchmark.py scale", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    for name, measure, count in (
        ("faults", faults, 200),
        ("executors", executors, 100),
        ("objects", objects, 100),
        ("driver", driver, 1000),
    ):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        command.add_argument("--count", type=int, default=count)
        command.set_defaults(measure=measure)
    commands.choices["driver"].add_argument("--kilobytes", type=int, default=500)
    for name, measure, counts in (("growth", growth, [10, 100, 1000]), ("manifest", manifest, [1000, 10_000, 100_000])):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        command.add_argument("--counts", type=int, nargs="+", default=counts)
        command.set_defaults(measure=measure)
    commands.choices["growth"].add_argument("--executor", choices=("local", "ray"), default="ray")
    for name in ("executors", "objects", "driver", "growth"):
        commands.choices[name].add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    for before in options.folder.glob("out*/"):
        shutil.rmtree(before)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    options.measure(options)


def faults(options: argparse.Namespace) -> None:
    """Kill a worker and a node in the middle of a batch on three nodes, and count what came of it."""
    pictures = _pictures(options.folder, options.count)
    out = options.folder / "out"
    chosen = options.folder / "chosen.txt"
    chosen.write_text("\n".join(str(path.absolute()) for path in pictures), encoding="utf-8")
    with _nodes(3) as (address, nodes):
        command = [sys.executable, "-m", "backend", "batch", str(chosen), "-o", str(out), *SETTINGS, "--json"]
        start = time.perf_counter()
        command += ["--executor", "ray", "--address", address]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        names: list[str] = []
        for line in process.stdout or ():
            said = json.loads(line)
            if said.get("state") not in ("done", "failed"):
                continue
            names.append(said["name"])
            if len(names) == options.count // 4:
                (busy,) = (
                    child
                    for child in psutil.Process(nodes[0]).children(recursive=True)
                    if "ClusterWorker" in " ".join(child.cmdline())
                )
                busy.kill()
                print(f"{len(names)} made in {time.perf_counter() - start:.0f} s: a worker is killed", flush=True)
            if len(names) == options.count // 2:
                raylet = psutil.Process(nodes[1])
                for each in (raylet, *raylet.children(recursive=True)):
                    each.kill()
                print(f"{len(names)} made in {time.perf_counter() - start:.0f} s: a node is killed", flush=True)
        code = process.wait()
    meshes = [*out.glob("*.glb")]
    log = out / "batch.log"
    died = log.read_text("utf-8").splitlines() if log.exists() else []
    records = [json.loads(line) for line in (out / "manifest.jsonl").read_text("utf-8").splitlines()[1:]]
    print(
        f"Exit code {code}; {len(names)} ends of {len({*names})} pictures, {len(meshes)} meshes, "
        f"{sum(record['state'] == 'done' for record in records)} of {len(records)} done, "
        f"{len([*(out / '.batch' / 'workers').iterdir()])} folders left, {time.perf_counter() - start:.0f} s"
    )
    print("\n".join(line[:100] for line in died))


def executors(options: argparse.Namespace) -> None:
    """Make the same pictures here and on a cluster of this machine, in turn and twice."""
    pictures = _pictures(options.folder, options.count)
    print(HEADING)
    for turn, name in itertools.product((1, 2), ("local", "ray")):
        clock = _drafts(options.folder / f"out-{name}-{turn}", pictures, name, options.processes)
        print(clock.cost.line(f"{name}, turn {turn}", clock.first), flush=True)


def objects(options: argparse.Namespace) -> None:
    """Make the same shapes to learn from by one process, by several and on a cluster of this machine, twice in turn."""
    from backend.training.making import SUFFIX, maker_of  # noqa: PLC0415 - heavy, as the next
    from backend.training.small.objects import name_of  # noqa: PLC0415

    wanted = [
        Entry(name_of(1, number), {"inputs": {}, "seed": 1, "settings": {"number": number}})
        for number in range(options.count)
    ]
    start = partial(maker_of, "shapes")
    command = [sys.executable, "-m", "backend", "train-worker", "shapes"]
    made: set[str] = set()
    print(HEADING)
    for turn, name in itertools.product((1, 2), ("one", "local", "ray")):
        out = options.folder / f"out-{name}-{turn}"
        several = partial(_executor, name, command, start, out, options.processes)
        executor = one_by_one(start, out / ".log") if name == "one" else several()
        clock = Clock()
        fill(out, SUFFIX, wanted, executor, clock)
        print(clock.cost.line(f"{name}, turn {turn}", clock.first), flush=True)
        contents = (path.read_bytes() for path in sorted(out.glob(f"*{SUFFIX}")))
        made.add(hashlib.sha256(b"".join(contents)).hexdigest())
    print("All are the same to the bit." if len(made) == 1 else "They differ.")


def growth(options: argparse.Namespace) -> None:
    """Make more and more pictures."""
    print(HEADING)
    for count in options.counts:
        pictures = _pictures(options.folder, count)
        clock = _drafts(options.folder / f"out-{count}", pictures, options.executor, options.processes)
        print(clock.cost.line(options.executor, clock.first), flush=True)


def driver(options: argparse.Namespace) -> None:
    """Make what takes no time: what is left is what the command itself can look after."""
    wanted = _wanted(_pictures(options.folder, options.count))
    print(HEADING)
    for name in ("local", "ray"):
        out = options.folder / f"out-{name}"
        command = [sys.executable, str(Path(__file__)), str(options.kilobytes)]
        executor = _executor(name, command, partial(_files, options.kilobytes), out, options.processes)
        clock = _made(out, wanted, executor)
        print(clock.cost.line(name, clock.first), flush=True)


def manifest(options: argparse.Namespace) -> None:
    """Plan, end and open batches of which nothing is made: an executor here says at once that all is done."""
    print(f"{'':>10}{'plan s':>10}{'end ms each':>14}{'again s':>10}{'MiB of memory':>16}{'MiB of disk':>14}")
    for count in options.counts:
        command = [sys.executable, str(Path(__file__)), "manifest", str(options.folder / f"out-{count}"), str(count)]
        print(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout, end="", flush=True)


def _one_manifest(out: Path, count: int) -> None:
    """In a process of its own, whose memory is measured."""
    picture = out.with_name("picture.png")
    picture.touch()
    wanted = [Wanted(Line({PICTURE: picture}, f"p{number:07}", f"p{number:07}"), _request()) for number in range(count)]

    def at_once(tasks: Iterator[Task], _: object) -> Generator[Ended, None, None]:
        for task in tasks:
            yield Ended(task.name)

    begun = time.process_time()
    with Manifest(out) as opened:
        names = plan(opened, wanted)
        planned = time.process_time() - begun
        some = names[: min(count, 1000)]
        begun = time.process_time()
        run(opened, some, at_once, Clock())
        ended = (time.process_time() - begun) / len(some)
    size = (out / "manifest.jsonl").stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    del opened
    begun = time.process_time()
    with Manifest(out) as opened:
        plan(opened, wanted, overwrite=True)
        again = time.process_time() - begun
    print(f"{count:>10}{planned:>10.1f}{1000 * ended:>14.2f}{again:>10.1f}{peak:>16.0f}{size / 2**20:>14.1f}")


def _pictures(folder: Path, count: int) -> list[Path]:
    """So many pictures, made if they are not there."""
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    paths = [pictures / f"{number:05}.png" for number in range(count)]
    for first in range(0, count, _TAKES):
        takes = paths[first : first + _TAKES]
        if not all(path.exists() for path in takes):
            from backend.training.shapes import sample_block  # noqa: PLC0415 - compiles

            block = sample_block(1, first // _TAKES, _SIDE, pictures=_TAKES)
            for path, picture in zip(takes, block.rgba, strict=False):
                write_picture(path, picture)
    return paths


def _drafts(out: Path, pictures: Sequence[Path], executor: str, processes: int) -> Clock:
    """Make the draft's meshes of pictures."""
    command = [sys.executable, "-m", "backend", "batch-worker"]
    start = partial(worker.maker_of, ENGINES)
    return _made(out, _wanted(pictures), _executor(executor, command, start, out, processes))


def _executor(name: str, command: Sequence[str], start: Callable[[], Make], out: Path, processes: int) -> Executor:
    out.mkdir(parents=True)
    log = out / ".log"
    if name == "local":
        return LocalExecutor(command, log, processes)
    return RayExecutor(start, log, Cluster(workers=processes))


def _made(out: Path, wanted: Sequence[Wanted], executor: Executor) -> Clock:
    clock = Clock()
    with Manifest(out) as opened:
        run(opened, plan(opened, wanted), executor, clock)
    return clock


def _wanted(paths: Sequence[Path]) -> list[Wanted]:
    return [Wanted(Line({PICTURE: path}, path.stem), _request()) for path in paths]


def _request() -> dict[str, Any]:
    engine = ENGINES["draft"]
    settings = {setting.name: setting.default for setting in engine.settings}
    settings |= {"resolution": 64, "faces": 1000, "colours": "front"}
    versions = {"hi3dgen": VERSION}
    return {"engine": "draft", "seed": 0, "count": 1, "settings": settings, "products": ["mesh"], "versions": versions}


def _files(kilobytes: int) -> Make:
    """Makes files of nothing."""

    def make(task: Task, _say: object) -> Ended:
        Path(task.folder, f"{task.stem}.glb").write_bytes(bytes(kilobytes << 10))
        return Ended(task.name)

    return make


@contextmanager
def _nodes(count: int) -> Generator[tuple[str, list[int]]]:
    """A cluster of a head without processors and nodes with one each: its address, and the nodes' processes."""
    from ray.cluster_utils import Cluster as Nodes  # noqa: PLC0415 - after the environment has been set

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _STORE}
    cluster = Nodes(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=_STORE) for _ in range(count)]
    try:
        yield str(cluster.address), [node.all_processes["raylet"][0].process.pid for node in nodes]
    finally:
        cluster.shutdown()


if __name__ == "__main__":  # a process that is measured, or one that makes files
    if sys.argv[1] == "manifest":
        _one_manifest(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(worker.serve(_files(int(sys.argv[1])), Path(sys.argv[2])))
