# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of PyTorch a machine gets, with stand-ins for the drivers' own tools."""

import os
import sys
from pathlib import Path

import pytest

from backend.errors import UserError
from backend.install.builds import APPLE, BUILDS, CPU, CUDA_126, CUDA_130, ROCM, Build, choose
from backend.install.hardware import Machine, NvidiaGpu, amd_gpus, nvidia_gpus, this_machine

TURING = "NVIDIA GeForce RTX 2060, 581.29, 7.5, 6144"
PASCAL = "NVIDIA GeForce GTX 1080, 580.95.05, 6.1, 8192"
ADA = "NVIDIA GeForce RTX 4090, 551.61, 8.9, 24564"
BLACKWELL = "NVIDIA GeForce RTX 5090, 591.44, 12.0, 32607"


def nvidia_smi(folder: Path, lines: list[str], *, knows_capability: bool = True) -> None:
    """A stand-in that answers as the real one: by the fields that are asked for, and with an error for unknown ones."""
    if sys.platform == "win32":
        pytest.skip("the stand-in for nvidia-smi is a shell script")
    text = "\n".join(lines)
    refuses = 'case "$1" in *compute_cap*) echo "Field \\"compute_cap\\" is not a valid field to query."; exit 2;; esac'
    script = f"#!/bin/sh\n{'' if knows_capability else refuses}\ncat <<'END'\n{text}\nEND\n"
    (folder / "nvidia-smi").write_text(script)
    (folder / "nvidia-smi").chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that commands are looked for in first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def machine(*nvidia: NvidiaGpu, system: str = "linux", processor: str = "x86_64", amd: tuple[str, ...] = ()) -> Machine:
    return Machine(system, processor, (15, 1) if system == "darwin" else (), nvidia, amd)


@pytest.mark.parametrize(
    ("lines", "build"),
    [
        ([TURING], CUDA_130),
        ([PASCAL], CUDA_126),
        ([ADA], CUDA_126),  # its driver is older than CUDA 13
        ([BLACKWELL], CUDA_130),
        ([PASCAL, TURING], CUDA_130),  # the newest GPU is the one that CUDA puts first
        (["NVIDIA Tesla K80, 582.16, 3.7, 11441", TURING], CUDA_130),
        (["NVIDIA Tesla K80, 582.16, 3.7, 11441"], CPU),
        (["NVIDIA GB10, 582.16, 12.1, [N/A]"], CUDA_130),
        ([], CPU),
    ],
)
@pytest.mark.parametrize("system", ["linux", "win32"])
def test_nvidia_by_capability_and_driver(lines: list[str], build: Build, system: str, tools: Path) -> None:
    nvidia_smi(tools, lines)
    assert choose(machine(*nvidia_gpus(), system=system)).build is build


@pytest.mark.parametrize(
    "line", ["NVIDIA GeForce RTX 5090, 572.16, 12.0, 32607", "NVIDIA GeForce RTX 3060, 517.40, 8.6, 12288"]
)
def test_a_driver_that_is_too_old_is_an_error(line: str, tools: Path) -> None:
    nvidia_smi(tools, [line])
    with pytest.raises(UserError, match="too old for PyTorch") as caught:
        choose(machine(*nvidia_gpus()))
    assert caught.value.code == "driver-too-old"
    assert ("580" in caught.value.advice) == ("5090" in line)


def test_a_driver_that_cannot_tell_the_capability_is_too_old(tools: Path) -> None:
    nvidia_smi(tools, ["NVIDIA GeForce GTX 1080, 390.157, 8119"], knows_capability=False)
    assert nvidia_gpus() == (NvidiaGpu("NVIDIA GeForce GTX 1080", (390, 157), (0, 0), 8119),)
    with pytest.raises(UserError, match="too old for PyTorch"):
        choose(machine(*nvidia_gpus()))


def test_a_name_in_another_encoding_is_read_somehow(tools: Path) -> None:
    nvidia_smi(tools, [ADA])
    answer = (tools / "nvidia-smi").read_bytes()
    (tools / "nvidia-smi").write_bytes(answer.replace(b"GeForce", b"GeForce\xae"))
    (gpu,) = nvidia_gpus()
    assert gpu.capability == (8, 9)


def test_a_driver_that_does_not_answer_counts_as_none(tools: Path) -> None:
    (tools / "nvidia-smi").write_text("#!/bin/sh\necho 'could not communicate with the NVIDIA driver'\nexit 9\n")
    (tools / "nvidia-smi").chmod(0o755)
    assert nvidia_gpus() == ()


@pytest.mark.parametrize(
    ("versions", "names"),
    [([0, 100300], ("gfx1030",)), ([0, 90010, 110001], ("gfx90a", "gfx1101")), ([0], ()), ([], ())],
)
def test_amd_gpus_are_read_from_the_kernel(versions: list[int], names: tuple[str, ...], tmp_path: Path) -> None:
    for index, version in enumerate(versions):
        (tmp_path / str(index)).mkdir()
        (tmp_path / str(index) / "properties").write_text(f"cpu_cores_count 8\ngfx_target_version {version}\nx 1\n")
    assert amd_gpus(tmp_path) == names


@pytest.mark.parametrize(
    ("given", "build"),
    [
        (machine(amd=("gfx1100",)), ROCM),
        (machine(amd=("gfx1031", "gfx1201")), ROCM),
        (machine(amd=("gfx803",)), CPU),
        (machine(amd=("gfx1100",), system="win32"), CPU),
        (machine(system="darwin", processor="arm64"), APPLE),
        (machine(NvidiaGpu("GH200", (570,), (9, 0), 97871), processor="arm64"), CUDA_126),
        (machine(NvidiaGpu("Orin", (580,), (8, 7), 0), processor="arm64"), CUDA_130),
    ],
)
def test_amd_apple_and_arm(given: Machine, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HSA_OVERRIDE_GFX_VERSION", raising=False)
    chosen = choose(given)
    assert chosen.build is build
    assert chosen.why.endswith(".")


def test_an_overridden_amd_gpu_gets_the_build_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    assert choose(machine(amd=("gfx1031",))).build is ROCM


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (machine(system="darwin"), "auto"),  # an Intel Mac
        (Machine("darwin", "arm64", (13, 6)), "auto"),
        (machine(), "mps"),
        (machine(system="win32"), "rocm"),
        (machine(system="darwin", processor="arm64"), "cu130"),
        (machine(), "cuda"),
        (machine(NvidiaGpu("K80", (580,), (3, 7), 0)), "cuda"),
    ],
)
def test_a_machine_without_a_build_is_refused(given: Machine, wanted: str) -> None:
    with pytest.raises(UserError) as caught:
        choose(given, wanted)
    assert caught.value.code in {"no-build", "no-gpu"}


@pytest.mark.parametrize("wanted", ["cpu", "cu126", "cu130", "rocm7.2"])
def test_a_persons_own_choice_counts(wanted: str) -> None:
    assert choose(machine(NvidiaGpu("old", (390,), (0, 0), 0)), wanted).build is BUILDS[wanted]


def test_this_machine_has_the_names_of_the_table() -> None:
    here = this_machine()
    assert here.system in {"linux", "win32", "darwin"}
    assert here.processor not in {"amd64", "aarch64"}
