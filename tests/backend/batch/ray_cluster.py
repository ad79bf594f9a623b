# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster of Ray with several nodes, all of them processes of this machine that listen on its loopback alone."""

import contextlib
import os
from typing import Any, Self

import psutil

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # before Ray is imported

from ray.cluster_utils import Cluster

_STORE = 100 << 20  # bytes of a node's object store


class Nodes:
    """A head without processors, and nodes with one each. Use it as a context."""

    def __init__(self, count: int) -> None:
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _STORE}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes: list[Any] = [self._cluster.add_node(num_cpus=1, object_store_memory=_STORE) for _ in range(count)]

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return str(self._cluster.address)

    def kill_worker(self, node: int) -> bool:
        """End a process of a node that makes something now; whether there was one."""
        worker = self.worker(node)
        if worker:
            worker.kill()
        return worker is not None

    def worker(self, node: int) -> psutil.Process | None:
        """A process of a node that makes something now."""
        for child in psutil.Process(self._raylet(node).pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it may end meanwhile
                if "ClusterWorker.make" in " ".join(child.cmdline()):
                    return child
        return None

    def kill(self, node: int) -> None:
        """End a node with all its processes, as if its machine were switched off."""
        raylet = psutil.Process(self._raylet(node).pid)
        children = raylet.children(recursive=True)
        for process in (raylet, *children):
            process.kill()
        psutil.wait_procs((raylet, *children))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.shutdown()

    def _raylet(self, node: int) -> Any:
        return self._nodes[node].all_processes["raylet"][0].process
