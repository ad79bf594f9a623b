# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch's builds, and which of them a machine needs.

PyTorch 2.13 comes for CUDA 12.6 and 13.0 (13.2 is called experimental), for ROCm 7.2, and for processors; the GPUs
that each build holds kernels for stand in PyTorch's RELEASE.md ("PyTorch CUDA Support Matrix", pull request 187075)
and in .ci/docker/manywheel/build.sh. Which driver a CUDA build needs: NVIDIA, "CUDA Compatibility", minor version
compatibility: 525 or newer for 12.x, 580 or newer for 13.x, on Linux and Windows alike.
"""

import os
from dataclasses import dataclass

from ..errors import UserError
from .hardware import Machine, NvidiaGpu

Version = tuple[int, int]


@dataclass(frozen=True)
class Licence:
    """Under which terms a part comes, and where they can be read."""

    part: str
    terms: str
    address: str


_COMMON = (
    Licence("PyTorch", "BSD-3-Clause", "https://github.com/pytorch/pytorch/blob/main/LICENSE"),
    Licence(
        "diffusers, transformers, tokenizers, safetensors, huggingface_hub",
        "Apache-2.0",
        "https://www.apache.org/licenses/LICENSE-2.0",
    ),
    Licence(
        "NumPy and smaller packages",
        "BSD, MIT, PSF, MPL-2.0 or Apache-2.0",
        "https://numpy.org/doc/stable/license.html",
    ),
)
_NVIDIA = (
    Licence("CUDA libraries", "NVIDIA CUDA Toolkit EULA", "https://docs.nvidia.com/cuda/eula/"),
    Licence(
        "cuDNN", "NVIDIA cuDNN SLA", "https://docs.nvidia.com/deeplearning/cudnn/backend/latest/reference/eula.html"
    ),
)
_AMD = (
    Licence("ROCm libraries", "MIT and others, by library", "https://rocm.docs.amd.com/en/latest/about/license.html"),
)


@dataclass(frozen=True)
class Build:
    """A build of PyTorch.

    name: what follows the "+" in its version, and the folder of its index; empty for the one on the package index.
    device: what it runs on, in PyTorch's words. download, disk: bytes, about. pins: of packages that this build alone
    brings along and for which its own metadata give a range.
    """

    name: str
    label: str
    device: str
    download: float
    disk: float
    licences: tuple[Licence, ...] = _COMMON
    pins: tuple[str, ...] = ()


# Downloads: the sizes of the files for Linux on 64-bit Intel (CUDA 13.0: 2.80 GB in all; CPU: 0.29 GB), elsewhere
# less, but for CUDA 12.6 on Windows, a file of 2.59 GB. Those of ROCm could not be read: a guess on the high side.
CPU = Build("cpu", "CPU", "cpu", 0.3e9, 1.2e9)
APPLE = Build("", "Apple GPU", "mps", 0.25e9, 1.1e9)
ROCM = Build("rocm7.2", "AMD, ROCm 7.2", "cuda", 6e9, 16e9, _COMMON + _AMD)
# cuda-bindings: the metadata of the 12.6 build could not be read here; those of its sister say >=12.9.4,<13.
CUDA_126 = Build("cu126", "NVIDIA, CUDA 12.6", "cuda", 3e9, 7e9, _COMMON + _NVIDIA, ("cuda-bindings==12.9.9",))
CUDA_130 = Build(
    "cu130",
    "NVIDIA, CUDA 13.0",
    "cuda",
    3e9,
    7e9,
    _COMMON + _NVIDIA,
    ("cuda-bindings==13.5.0", "cuda-pathfinder==1.9.0", "nvidia-nvjitlink==13.5.37"),
)
BUILDS = {build.name or "mps": build for build in (CPU, APPLE, CUDA_130, CUDA_126, ROCM)}


@dataclass(frozen=True)
class _Kernels:
    """Which GPUs a CUDA build holds kernels for, on which processors, and the oldest driver that runs it."""

    build: Build
    processor: str
    oldest: Version
    newest: Version
    driver: int


_CUDA = (  # the best first
    _Kernels(CUDA_130, "x86_64", (7, 5), (12, 99), 580),
    _Kernels(CUDA_126, "x86_64", (5, 0), (9, 0), 525),
    _Kernels(CUDA_130, "arm64", (8, 0), (12, 99), 580),
    _Kernels(CUDA_126, "arm64", (8, 0), (9, 0), 525),
)
_ROCM = (
    *("gfx900", "gfx906", "gfx908", "gfx90a", "gfx942", "gfx950", "gfx1030", "gfx1100", "gfx1101", "gfx1102"),
    *("gfx1103", "gfx1150", "gfx1151", "gfx1200", "gfx1201"),
)
OLDEST_MACOS = (14,)  # the wheels' tag: macosx_14_0_arm64


@dataclass(frozen=True)
class ChosenBuild:
    """The build that a machine gets, and one sentence why."""

    build: Build
    why: str


def choose(machine: Machine, wanted: str = "auto") -> ChosenBuild:
    """The build for `machine`.

    wanted: "auto", or a person's own choice: "cuda" or "rocm" for the right one of that kind, or a name of `BUILDS`.
    Raises `UserError` if there is no PyTorch for the machine, or none for its driver.
    """
    if machine.system == "darwin":
        _require_apple_silicon(machine)
    if wanted in BUILDS:
        build = BUILDS[wanted]
        _require_system(build, machine)
        return ChosenBuild(build, "It was chosen by hand.")
    if wanted == "cuda" and not machine.nvidia:
        sentence = "No NVIDIA GPU was found."
        raise UserError(
            "no-gpu", sentence, "Install NVIDIA's driver, see that nvidia-smi lists the GPU, and try again."
        )
    if wanted == "rocm":
        _require_system(ROCM, machine)
        return ChosenBuild(ROCM, "It was chosen by hand.")
    if machine.system == "darwin":
        return ChosenBuild(APPLE, "This is a Mac with Apple silicon.")
    chosen = _for_nvidia(machine)
    if chosen is None and wanted == "cuda":
        raise UserError("no-build", _why_cpu(machine), "Let the right build be chosen: --torch auto.")
    return chosen or _for_amd(machine) or ChosenBuild(CPU, _why_cpu(machine))


def _for_nvidia(machine: Machine) -> ChosenBuild | None:
    """The build for the newest GPU, which CUDA puts first too; None if no build has kernels for any.

    Raises `UserError` if only the driver is too old.
    """
    for gpu in sorted(machine.nvidia, key=lambda gpu: (gpu.capability, gpu.memory), reverse=True):
        rows = [row for row in _CUDA if row.processor == machine.processor and _holds(row, gpu)]
        for row in rows:
            if gpu.driver >= (row.driver,):
                driver = ".".join(map(str, gpu.driver))
                capability = ".".join(map(str, gpu.capability))
                return ChosenBuild(row.build, f"{gpu.name}: compute capability {capability}, driver {driver}.")
        if rows:
            oldest = min(row.driver for row in rows)
            sentence = f"The driver of {gpu.name} is version {gpu.driver[0]}, too old for PyTorch."
            advice = f"Install NVIDIA's driver {oldest} or newer and try again, or choose the build for the CPU."
            raise UserError("driver-too-old", sentence, advice)
    return None


def _holds(row: _Kernels, gpu: NvidiaGpu) -> bool:
    unknown = gpu.capability == (0, 0)  # only a driver that is too old does not say it
    return unknown or row.oldest <= gpu.capability <= row.newest


def _for_amd(machine: Machine) -> ChosenBuild | None:
    if (machine.system, machine.processor) != ("linux", "x86_64"):
        return None
    override = (
        bool(machine.amd) and "HSA_OVERRIDE_GFX_VERSION" in os.environ
    )  # its owner says which GPU it is compatible with
    fitting = [name for name in machine.amd if name in _ROCM or override]
    return ChosenBuild(ROCM, f"An AMD GPU, {fitting[0]}.") if fitting else None


def _why_cpu(machine: Machine) -> str:
    if machine.nvidia:
        return f"{machine.nvidia[0].name} is older than every GPU that PyTorch 2.13 still runs on."
    if machine.amd:
        return f"PyTorch 2.13 is not built for this AMD GPU ({', '.join(machine.amd)})."
    return "No GPU that PyTorch runs on was found; on the processor a mesh takes very long."


def _require_apple_silicon(machine: Machine) -> None:
    if machine.processor != "arm64":
        sentence = "PyTorch is no longer built for Macs with an Intel processor."
        raise UserError("no-build", sentence, "Use the engine “Draft” here, or “Networks” on another computer.")
    if machine.release < OLDEST_MACOS:
        sentence = f"PyTorch 2.13 needs macOS {OLDEST_MACOS[0]} or newer."
        raise UserError("no-build", sentence, "Update macOS, or use the engine “Draft”.")


def _require_system(build: Build, machine: Machine) -> None:
    has_it = {
        "cpu": machine.system != "darwin",
        "": machine.system == "darwin",
        "rocm7.2": (machine.system, machine.processor) == ("linux", "x86_64"),
    }.get(build.name, any(row.build is build and row.processor == machine.processor for row in _CUDA))
    if not has_it or (build.device == "cuda" and machine.system == "darwin"):
        sentence = f"There is no build “{build.label}” of PyTorch for this system."
        raise UserError("no-build", sentence, "Let the right one be chosen: --torch auto.")
