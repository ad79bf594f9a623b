# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables that have to be set before torch is imported. This module does not import it."""

import os
import platform
import sys

_ALLOCATOR = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF")


def prepare_environment() -> None:
    """Sets variables that make torch faster and keep its memory in one piece. Variables that are set already stay.

    Attention by AOTriton is many times faster on AMD's cards, and experimental on most of them; other builds of torch
    do not read that variable. Expandable segments let blocks of all sizes share memory that was taken once, so that
    a card that fits a stage does not run out in pieces: on Linux without WSL, and not on the boards (Tegra) whose
    driver maps no memory that way. Too late to have an effect once torch is imported.
    """
    os.environ.setdefault("TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL", "1")
    if _maps_memory() and not any(name in os.environ for name in _ALLOCATOR):
        os.environ["PYTORCH_ALLOC_CONF"] = "expandable_segments:True"


def _maps_memory() -> bool:
    system = platform.uname()
    return sys.platform == "linux" and system.machine == "x86_64" and "microsoft" not in system.release.lower()
