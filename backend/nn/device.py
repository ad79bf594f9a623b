# SPDX-License-Identifier: GPL-3.0-or-later
"""The device and the precision that networks compute in, its memory, and the errors when it is full or lost."""

import gc
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
TOO_SMALL = (
    "Close other programs that use it, or choose the processor, which is slow but has more memory: in the extension's "
    "preferences, or by HI3DGEN_DEVICE=cpu."
)
"""What to do if a device has too little memory."""
_GIB = 1 << 30
_NO_ROOM = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "failed to allocate",
    "cublas_status_alloc_failed",
)
_GONE = (
    *("device-side assert", "device lost", "device_lost", "unspecified launch failure", "an illegal memory access"),
    *("cuda error", "hip error"),
)


@dataclass(frozen=True)
class Compute:
    """A device, and the dtype that the large networks multiply in."""

    device: torch.device
    dtype: torch.dtype

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} on {device_name(self.device)}"


def devices() -> list[tuple[str, str, int]]:
    """What this PyTorch can compute on: torch's name, its owner's name, and its memory in bytes, 0 if unknown.

    The processor comes first.
    """
    found = [("cpu", device_name(torch.device("cpu")), 0)]
    if torch.cuda.is_available():
        cards = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
        found += [(str(card), device_name(card), _card_memory(card.index)) for card in cards]
    if torch.backends.mps.is_available():
        found.append(("mps", device_name(torch.device("mps")), torch.mps.recommended_max_memory()))
    if torch.xpu.is_available():
        found += [(f"xpu:{number}", torch.xpu.get_device_name(number), 0) for number in range(torch.xpu.device_count())]
    return found


def choose(precision: str = "auto") -> Compute:
    """The best device of this machine, and the dtype that `precision` ("auto" or a key of `DTYPES`) means on it.

    HI3DGEN_DEVICE, a name that torch knows such as "cpu" or "cuda:1", overrides the choice.
    Raises UserError if that device is missing, is full, or does not compute.
    """
    named = os.environ.get("HI3DGEN_DEVICE", "")
    try:
        named = named or _best()
        device = torch.device(named)
        if device.type != "cpu":
            torch.ones(1, device=device).sum().item()  # fails here if this torch has no kernels for the card
    except (RuntimeError, AssertionError, ImportError) as error:  # the last two: torch was built without the device
        if is_out_of_memory(error):
            raise UserError("out-of-memory", f"The memory of the device “{named:.40}” is full.", TOO_SMALL) from error
        advice = (
            "Choose another device in the extension's preferences, or by HI3DGEN_DEVICE: cpu, cuda, cuda:1, mps or xpu,"
            " or nothing for the best."
        )
        raise UserError("no-such-device", f"The device “{named:.40}” cannot be used here.", advice) from error
    if device.type == "cuda":
        # Sums of products in half precision overflow in some of the networks.
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    return Compute(device, DTYPES.get(precision) or _dtype_for(device))


def device_name(device: torch.device) -> str:
    """The device's name as its owner knows it, "NVIDIA GeForce RTX 3060"; torch's name if there is no other."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"cpu": "the processor", "mps": "Apple's GPU"}.get(device.type, str(device))


def memory_of(device: torch.device) -> int:
    """How much memory the networks may take on a device, in bytes: what is free and what they hold already."""
    if device.type == "cuda":
        free, whole = torch.cuda.mem_get_info(device)
        share = torch.cuda.get_per_process_memory_fraction(device)
        return min(free + torch.cuda.memory_reserved(device), int(share * whole))
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    return _free_ram()


def release(device: torch.device) -> None:
    """Gives memory that torch keeps on a device back to the system; call it when nothing refers to it any more.

    Never raises for a lost device, which has none to give: it is called where that error is on its way already.
    """
    gc.collect()
    try:
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()
    except RuntimeError as error:
        if not is_device_lost(error):
            raise


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that some memory, the device's or the computer's, was not enough."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _NO_ROOM)


def is_device_lost(error: BaseException) -> bool:
    """Whether an error says that the device no longer answers this process."""
    if not isinstance(error, RuntimeError) or is_out_of_memory(error):  # "CUDA error: out of memory" is of the latter
        return False
    return any(sign in str(error).lower() for sign in _GONE)


def device_lost(device: torch.device) -> UserError:
    """The error for a device that does not answer any more."""
    sentence = f"{device_name(device)} stopped answering."
    advice = "Generate again: the backend starts anew. If it happens again, restart the computer or update its driver."
    return UserError("device-lost", sentence, advice)


def _best() -> str:
    if torch.cuda.is_available():  # NVIDIA's, and AMD's by ROCm
        cards = range(torch.cuda.device_count())
        return f"cuda:{max(cards, key=_card_memory)}"
    if torch.backends.mps.is_available():
        return "mps"
    return "xpu" if torch.xpu.is_available() else "cpu"


def _card_memory(card: int) -> int:
    properties: Any = torch.cuda.get_device_properties(card)
    return properties.total_memory


def _dtype_for(device: torch.device) -> torch.dtype:
    """The published weights are in float16, and so are upstream's numbers; a processor is fastest in float32.

    Cards before NVIDIA's Volta compute in float16 as slowly as in float64, and AMD's sum in it, which overflows.
    """
    if device.type == "cpu":
        return torch.float32
    if device.type == "cuda" and torch.version.hip:
        return torch.bfloat16
    if device.type == "cuda" and torch.cuda.get_device_capability(device)[0] < 7:
        return torch.float32
    return torch.float16


def _free_ram() -> int:
    """The memory that processes may still take, in bytes; half of all memory if that is unknown, else 8 GiB."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):  # Windows does not report it
        return 8 * _GIB
