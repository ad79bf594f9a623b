# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine has to compute on, by what its drivers say: nothing is downloaded or loaded for it."""

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KFD = Path("/sys/class/kfd/kfd/topology/nodes")  # where Linux's amdgpu driver lists what can compute
_ANSWER_SECONDS = 30.0  # a sleeping GPU takes some seconds to wake up
_FIELDS = "name,driver_version,compute_cap,memory.total"
_OLD_FIELDS = "name,driver_version,memory.total"  # drivers before 2021 refuse a query with compute_cap in it


@dataclass(frozen=True)
class NvidiaGpu:
    """An NVIDIA GPU.

    driver: version such as (580, 65). capability: CUDA's compute capability, such as (8, 9), (0, 0) if the driver
    is too old to say it. memory: MiB, 0 if unknown.
    """

    name: str
    driver: tuple[int, ...]
    capability: tuple[int, int]
    memory: int


@dataclass(frozen=True)
class Machine:
    """A computer, as far as it decides which build of PyTorch runs on it.

    system: as `sys.platform`. processor: "x86_64" or "arm64", else as the system calls it. release: the system's
    version as numbers, of macOS alone. amd: names of AMD's GPU targets, such as "gfx1100".
    """

    system: str
    processor: str
    release: tuple[int, ...] = ()
    nvidia: tuple[NvidiaGpu, ...] = ()
    amd: tuple[str, ...] = ()


def this_machine() -> Machine:
    """Ask the system and the drivers. Takes some seconds at most; a driver that does not answer counts as none."""
    processor = platform.machine().lower()
    same = {"amd64": "x86_64", "aarch64": "arm64"}
    release = _numbers(platform.mac_ver()[0]) if sys.platform == "darwin" else ()
    system = "linux" if sys.platform.startswith("linux") else sys.platform
    amd = amd_gpus(KFD) if system == "linux" else ()
    return Machine(system, same.get(processor, processor), release, nvidia_gpus(), amd)


def nvidia_gpus() -> tuple[NvidiaGpu, ...]:
    """NVIDIA's GPUs as `nvidia-smi`, which comes with the driver, lists them; none if it cannot be run."""
    tool = _nvidia_smi()
    if tool is None:
        return ()
    lines = _query(tool, _FIELDS)
    if lines is None:
        lines = [", 0.0, ".join(line.rsplit(", ", 1)) for line in _query(tool, _OLD_FIELDS) or []]
    return tuple(gpu for gpu in map(_parse, lines) if gpu)


def amd_gpus(nodes: Path) -> tuple[str, ...]:
    """AMD's GPUs by their target names.

    nodes: a folder laid out as `KFD`, in it a folder a device with a file `properties`; its gfx_target_version is
    10000 x major + 100 x minor + step, and the name is gfx, major, minor, step, the last two in hexadecimal
    (90010 is gfx90a). Processors have the version 0.
    """
    versions = (_target_version(path) for path in sorted(nodes.glob("*/properties")))
    return tuple(f"gfx{v // 10000}{v // 100 % 100:x}{v % 100:x}" for v in versions if v)


def _target_version(properties: Path) -> int:
    try:
        found = re.search(r"^gfx_target_version (\d+)$", properties.read_text(encoding="ascii"), re.MULTILINE)
    except (OSError, ValueError):  # a node that only root may read
        return 0
    return int(found[1]) if found else 0


def _nvidia_smi() -> str | None:
    places = [shutil.which("nvidia-smi")]
    if sys.platform == "win32":
        windows, programs = os.environ.get("SystemRoot", r"C:\Windows"), os.environ.get("ProgramFiles", "C:\\")  # noqa: SIM112 - as Windows writes them
        places += [rf"{windows}\System32\nvidia-smi.exe", rf"{programs}\NVIDIA Corporation\NVSMI\nvidia-smi.exe"]
    else:
        places += ["/usr/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi"]  # the second: Linux within Windows
    return next((place for place in places if place and Path(place).is_file()), None)


def _query(tool: str, fields: str) -> list[str] | None:
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
            creationflags=flags,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.splitlines() if answer.returncode == 0 else None


def _parse(line: str) -> NvidiaGpu | None:
    parts = [part.strip() for part in line.rsplit(",", 3)]
    if len(parts) != 4 or not _numbers(parts[1]):
        return None
    capability = (*_numbers(parts[2]), 0, 0)[:2]
    return NvidiaGpu(parts[0], _numbers(parts[1]), (capability[0], capability[1]), sum(_numbers(parts[3])[:1]))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
